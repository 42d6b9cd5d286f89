"""Chains of events that all pages use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def call_after(event: Any, handler: Callable[..., Any], inputs: Any, outputs: Any, **options: Any) -> list[Any]:
    """Call a handler when an event has ended, also when it failed or was cancelled; return the handler's own events.

    Gradio 6.31 leaves out `then` after an event that failed, although its documentation says otherwise.
    """
    return [after(handler, inputs, outputs, **options) for after in (event.success, event.failure)]
