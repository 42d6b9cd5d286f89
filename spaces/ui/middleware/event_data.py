"""What an event says about itself, such as which button was clicked: any JSON value, from the browser."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.middleware.refusals import invalid


def event_text(event: gr.EventData, name: str) -> str:
    """Return a text of the event, "" without one."""
    value = _value(event, name)
    return value if isinstance(value, str) else ""


def event_number(event: gr.EventData, name: str, default: int | None = None) -> int:
    """Return a whole number of the event, or the default; raise `Refusal` if it isn't one."""
    value = _value(event, name)
    if value is None and default is not None:
        return default
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise invalid(name, "it should be a whole number") from error


def _value(event: gr.EventData, name: str) -> Any:
    if name in vars(event):  # Gradio's own classes
        return vars(event)[name]
    return event._data.get(name) if isinstance(event._data, dict) else None
