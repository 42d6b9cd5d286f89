"""Private keys of visitors, and tickets: how a page is recognised before the server's answer brings its key."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeGuard

# More pages than this never wait for their key at the same time; the oldest are dropped.
MAX_TICKETS = 4096
_TICKET = re.compile(r"page-[0-9a-f]{64}")
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")


def new_key() -> str:
    """Return a private key that can't be guessed."""
    return secrets.token_urlsafe(32)


def is_key(value: object) -> TypeGuard[str]:
    """Return whether a value has the form of a key."""
    return isinstance(value, str) and bool(_KEY.fullmatch(value))


def account_key(key: object, account: str | None) -> object:
    """Return the key by which the server knows a browser's key while this account is signed in.

    Another account in the same browser, or a key that was stolen without the account, leads to other data.
    """
    if not account or not is_key(key):
        return key
    digest = hashlib.sha256(f"{account}\0{key}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(slots=True)
class _Entry:
    key: str = field(default_factory=new_key)
    sent: bool = False


class Tickets:
    """The keys of pages that don't hold theirs yet; safe across threads.

    A ticket is random text that a page makes (`ticket.js`) and sends in place of its key. Unlike Gradio's session hash,
    it's in no address and no other page knows it. Every event with the ticket finds the same visitor; the key itself is
    sent only once. The table holds hashes, so a lookup compares nothing that a client could guess piece by piece.
    """

    def __init__(self, capacity: int = MAX_TICKETS) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def key(self, value: object) -> object:
        """Return the key that a ticket stands for; any other value, such as a key, is returned as it is."""
        if not _is_ticket(value):
            return value
        with self._lock:
            return self._entry(value).key

    def redeem(self, value: object) -> object:
        """Return what `key` returns, but once per ticket: who comes later with the same ticket gets a new key."""
        if not _is_ticket(value):
            return value
        with self._lock:
            entry = self._entry(value)
            if entry.sent:
                return new_key()
            entry.sent = True
            return entry.key

    def _entry(self, ticket: object) -> _Entry:
        digest = hashlib.sha256(str(ticket).encode()).digest()
        entry = self._entries.setdefault(digest, _Entry())
        self._entries.move_to_end(digest)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
        return entry


def _is_ticket(value: object) -> bool:
    return isinstance(value, str) and bool(_TICKET.fullmatch(value))
