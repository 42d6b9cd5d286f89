"""Who uses the page: the same visitor in both of its tabs."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.access.visitor_keys import VisitorKeys
from ui.admission.fair_queue import Caller
from ui.static.scripts import key_js

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
# For events whose first input is the key. `Admission` decides whose turn it is, not Gradio's queue.
VISITOR: dict[str, Any] = {**PRIVATE, "js": key_js()}


class Visitor:
    """The visitor's key, in a component that it creates where it is constructed."""

    def __init__(self) -> None:
        self._keys = VisitorKeys()
        # Not a secret: the browser receives it with the page. It's fixed so that the key survives a restart.
        self.key = gr.BrowserState("", storage_key="spaceport-vision-visitor", secret="spaceport")  # noqa: S106

    def enter(self, key: str) -> str:
        """Return the visitor's key; a new visitor gets one."""
        return self._keys.enter(key)

    def caller(self, key: str, request: gr.Request) -> Caller:
        """Return who asks, for the limits."""
        return self._keys.caller(key, request)
