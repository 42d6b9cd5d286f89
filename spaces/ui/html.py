"""HTML fragments shared by the pages of all Spaces."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from backends import Target


def header_html(title: str, subtitle: str) -> str:
    """Return the top of a page."""
    return f'<div class="sp-head"><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></div>'


def unavailable_html(targets: Iterable[Target], title: str = "Models that are not set up:") -> str:
    """Return the list of unavailable targets, each with the reason and the remedy; "" if all are available."""
    missing = [target for target in targets if target.unavailable]
    items = "".join(f"<li><b>{escape(target.title)}</b> {escape(target.reason)}</li>" for target in missing)
    return f'<div class="sp-note"><p>{escape(title)}</p><ul>{items}</ul></div>' if missing else ""


def progress_html(text: str, share: float | None) -> str:
    """Return a line of text with a progress bar; `share` is from 0 to 1, or None for no bar."""
    bar = "" if share is None else f'<div class="sp-bar"><i style="width:{min(1, share):.1%}"></i></div>'
    return f'<div class="sp-progress"><p class="sp-note">{escape(text)}</p>{bar}</div>'
