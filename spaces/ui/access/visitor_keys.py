"""Who sends an event: the visitor, by a private key, and the caller whose work is admitted."""

from __future__ import annotations

from typing import Any

from ui.access.tickets import Tickets, account_key, is_key, new_key
from ui.admission.client import account_of, caller_of
from ui.admission.fair_queue import Caller
from ui.sign_in import session


class VisitorKeys:
    """Keys by what an event sends: the key that its browser stores, or the ticket of a page that doesn't have it yet.

    `request` is a `gr.Request`. Its session hash proves nothing: it's part of addresses.
    """

    def __init__(self) -> None:
        self._tickets = Tickets()

    def enter(self, value: object) -> str:
        """Return the key for the browser to store; a new visitor gets a new one."""
        key = self._tickets.redeem(value)
        return key if is_key(key) else new_key()

    def key(self, value: object, request: Any) -> object:
        """Return the key by which the server knows the visitor.

        With Hugging Face it's the account's own key, the same in every browser; with a login of the page it's made of
        the browser's key and the account.
        """
        if account := session.account(request):
            return session.storage_key(account)
        return account_key(self._tickets.key(value), account_of(request))

    def browser_key(self, value: object) -> object:
        """Return the key of the browser itself: what it has without an account."""
        return self._tickets.key(value)

    def caller(self, value: object, request: Any) -> Caller:
        """Return who asks for a place."""
        return caller_of(request, self._tickets.key(value))
