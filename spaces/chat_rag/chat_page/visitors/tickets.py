"""Tickets: how a page is recognised in the moment before the server's answer brings the visitor's key."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from chat_page.visitors.visitor import new_key

# More pages than this never wait for their key at the same time; the oldest are dropped.
MAX_TICKETS = 4096
_TICKET = re.compile(r"page-[0-9a-f]{64}")


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
