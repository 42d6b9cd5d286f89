"""Chains of events that all pages use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def call_after(event: Any, handler: Callable[..., Any], inputs: Any, outputs: Any, **options: Any) -> list[Any]:
    """Call a handler when an event has ended, also when it failed or was cancelled; return the handler's own events.

    Gradio 6.31 calls `then` after an event that succeeded or was cancelled. It leaves it out after one that failed,
    although its documentation says otherwise.
    """
    return [after(handler, inputs, outputs, **options) for after in (event.then, event.failure)]
