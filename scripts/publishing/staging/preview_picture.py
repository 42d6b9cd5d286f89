"""Draws the picture that other sites show of a link to a page: its title, its description, its questions."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import Any

WIDTH, HEIGHT = 1200, 630  # what Open Graph and its readers recommend
_BACKGROUND, _TEXT, _MUTED, _ACCENT = "#16181d", "#f4f4f2", "#a9adb8", "#f5c542"
_MARGIN = 90
# Looked for on this system, before the one that Pillow brings, which knows few letters.
_FONTS = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "NotoSansCJK-Regular.ttc")


def draw_preview(title: str, description: str, examples: Sequence[str]) -> bytes | None:
    """Return a PNG, or None if no font here has all letters of the texts."""
    from PIL import Image, ImageDraw

    examples = examples[:2]
    find = _font_finder("".join([title, description, *examples]))
    if find is None:
        return None
    picture = Image.new("RGB", (WIDTH, HEIGHT), _BACKGROUND)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((_MARGIN, _MARGIN, _MARGIN + 120, _MARGIN + 10), fill=_ACCENT)
    y = float(_MARGIN + 50)
    for text, size, colour, lines in (
        (title, 72, _TEXT, 2), (description, 38, _MUTED, 1), *((text, 34, _TEXT, 2) for text in examples),
    ):  # fmt: skip
        font = find(size)
        for line in _lines(text, font, lines):
            draw.text((_MARGIN, y), line, font=font, fill=colour)
            y += size * 1.3
        y += 26
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def _lines(text: str, font: Any, limit: int) -> list[str]:
    """Return the lines of a text that fit the picture."""
    widest = WIDTH - 2 * _MARGIN
    fitting = max(8, int(len(text) * widest / max(font.getlength(text), 1)))
    lines = textwrap.wrap(text, fitting, max_lines=limit, placeholder="…")
    while any(font.getlength(line) > widest for line in lines) and fitting > 8:
        fitting -= 1
        lines = textwrap.wrap(text, fitting, max_lines=limit, placeholder="…")
    return lines


def _font_finder(text: str) -> Any:
    """Return a function from a size to the first font with all letters of a text, or None if there is none."""
    from PIL import ImageFont

    def load(name: str, size: int) -> Any:
        return ImageFont.truetype(name, size) if name else ImageFont.load_default(size)

    for name in (*_FONTS, ""):
        try:
            font = load(name, 40)
        except OSError:  # it isn't installed
            continue
        missing = bytes(font.getmask("\uffff"))
        if all(bytes(font.getmask(letter)) != missing for letter in {*text} if not letter.isspace()):
            return lambda size, name=name: load(name, size)
    return None
