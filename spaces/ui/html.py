"""HTML fragments shared by the pages of all Spaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from backends import Target


def header_html(title: str, subtitle: str) -> str:
    """Return the top of a page."""
    return f'<div class="sp-head"><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></div>'


def unavailable_html(targets: Iterable[Target], title: str = "Models that are not set up:") -> str:
    """Return the list of unavailable targets, each with the reason and the remedy; "" if all are available."""
    items = _unavailable_items(targets)
    return f'<div class="sp-note"><p>{escape(title)}</p><ul>{"".join(items)}</ul></div>' if items else ""


def folded_unavailable_html(targets: Iterable[Target], summary: Callable[[int], str]) -> str:
    """Return the same list behind a line that counts them: it's for those who run the page."""
    items = _unavailable_items(targets)
    if not items:
        return ""
    line = f"<summary>{escape(summary(len(items)))}</summary>"
    return f'<details class="sp-more">{line}<ul class="sp-note">{"".join(items)}</ul></details>'


def _unavailable_items(targets: Iterable[Target]) -> list[str]:
    missing = [target for target in targets if target.unavailable]
    return [f"<li><b>{escape(target.title)}</b> {escape(target.reason)}</li>" for target in missing]


def progress_html(text: str, share: float | None) -> str:
    """Return a line of text with a progress bar; `share` is from 0 to 1, or None for no bar."""
    bar = "" if share is None else f'<div class="sp-bar"><i style="width:{min(1, share):.1%}"></i></div>'
    return f'<div class="sp-progress"><p class="sp-note">{escape(text)}</p>{bar}</div>'
