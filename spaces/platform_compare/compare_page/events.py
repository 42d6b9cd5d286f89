"""What all event handlers of the page share: the settings of an event, and who sends it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from compare.interactive.service import ComparisonService
from compare.interactive.visitors import Visitor
from ui.access.tickets import is_key
from ui.access.visitor_keys import VisitorKeys
from ui.admission.fair_queue import Caller
from ui.static.scripts import key_js

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
# For events whose first input is the key. `Admission` decides whose turn it is, not Gradio's queue.
VISITOR: dict[str, Any] = {**PRIVATE, "js": key_js()}


class VisitorIdentity:
    """The page's visitors by the private key that is stored in their browser."""

    def __init__(self, service: ComparisonService) -> None:
        self._service = service
        self._keys = VisitorKeys()
        # Not a secret: the browser receives it with the page. It's fixed so that the key survives a restart.
        self.key = gr.BrowserState("", storage_key="spaceport-compare-visitor", secret="spaceport")  # noqa: S106

    def open_page(self, key: str) -> str:
        """Return the visitor's key; a new visitor gets one."""
        return self._keys.enter(key)

    def visitor(self, key: str, request: gr.Request) -> Visitor:
        """Return the visitor who sends an event; without a valid key it's one whom nobody finds again."""
        name = self._keys.key(key, request)
        return self._service.visitors.get(name) if is_key(name) else Visitor()

    def caller(self, key: str, request: gr.Request) -> Caller:
        """Return who asks for a place."""
        return self._keys.caller(key, request)
