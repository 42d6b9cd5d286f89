"""The column of one model: its title, how long it took, and what it has found or drawn."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from vision_page import strings


def column_html(title: str, seconds: float | None, error: str, parts: Iterable[str], style: str = "") -> str:
    """Return a column with the HTML of its parts; `style` is another class of it."""
    time = "" if seconds is None else f'<span class="sp-time">{strings.seconds_text(seconds)}</span>'
    note = f'<p class="sp-note sp-bad" role="alert">{escape(error)}</p>' if error else ""
    header = f"<header><h2>{escape(title)}</h2>{time}</header>"
    return f'<section class="{" ".join(filter(None, ("sp-find", style)))}">{header}{note}{"".join(parts)}</section>'
