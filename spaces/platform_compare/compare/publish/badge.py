"""A badge: a small SVG picture with a name and a verdict, for a README."""

from __future__ import annotations

import unicodedata
from html import escape

MAX_CHARACTERS = 60
PIXELS, WIDE_PIXELS, PADDING = 6.0, 11.0, 12.0


def badge_svg(label: str, text: str) -> str:
    """Return the picture; it loads nothing, and a screen reader reads both texts."""
    label, text = _shorten(label), _shorten(text)
    left, right = _width(label), _width(text)
    name = escape(f"{label}: {text}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right:.0f}" height="20" role="img" '
        f'aria-label="{name}">'
        f"<title>{name}</title>"
        f'<clipPath id="r"><rect width="{left + right:.0f}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left:.0f}" height="20" fill="#334155"/>'
        f'<rect x="{left:.0f}" width="{right:.0f}" height="20" fill="#0f766e"/></g>'
        f'<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{_text(label, left / 2, left)}{_text(text, left + right / 2, right)}</g></svg>\n"
    )


def _text(text: str, middle: float, width: float) -> str:
    # A fixed length, because fonts differ between machines.
    return f'<text x="{middle:.1f}" y="14" textLength="{width - PADDING:.1f}">{escape(text)}</text>'


def _width(text: str) -> float:
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in text)
    return round((len(text) - wide) * PIXELS + wide * WIDE_PIXELS + PADDING)


def _shorten(text: str) -> str:
    line = "".join(each for each in " ".join(text.split()) if each.isprintable())
    return line if len(line) <= MAX_CHARACTERS else f"{line[: MAX_CHARACTERS - 1]}…"
