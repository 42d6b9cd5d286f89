"""Finds text of an HTML page that has the color of what is behind it, or hardly any size."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from rag.reading.formats.html.styles import StyleSheets, declarations

Color = tuple[int, int, int]
_NAMED: dict[str, Color] = {
    "white": (255, 255, 255), "snow": (255, 250, 250), "ivory": (255, 255, 240), "whitesmoke": (245, 245, 245),
    "ghostwhite": (248, 248, 255), "floralwhite": (255, 250, 240), "black": (0, 0, 0), "silver": (192, 192, 192),
    "gray": (128, 128, 128), "grey": (128, 128, 128), "red": (255, 0, 0), "maroon": (128, 0, 0),
    "yellow": (255, 255, 0), "olive": (128, 128, 0), "lime": (0, 255, 0), "green": (0, 128, 0),
    "aqua": (0, 255, 255), "teal": (0, 128, 128), "blue": (0, 0, 255), "navy": (0, 0, 128),
    "fuchsia": (255, 0, 255), "purple": (128, 0, 128), "orange": (255, 165, 0),
}  # fmt: skip
_HEX = re.compile(r"#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})(?:\s*[,/]\s*(\d{0,3}\.?\d{1,8})(%?))?\s*\)")
_TINY = re.compile(r"0+(?:px|pt|r?em|%)?|[01]?\.\d+(?:px|pt)|1(?:px|pt)|0?\.[01]\d*r?em|\d%")
_RELATIVE = re.compile(r"[\d.]+(?:em|%)|inherit|larger|smaller")
_SAME = 12  # of 255, the most that a channel of two colors differs that nobody tells apart
_FAINT = 0.06  # the alpha below which nobody sees a color
_OWN_COLORS = ("a", "button", "input", "select", "textarea", "mark", "meter", "progress")
_NO_BACKGROUND = ("", "none", "transparent", "initial", "unset", "inherit")
_NOT_SHOWN = ("head", "script", "style", "template", "noscript", "title")


class _Look(NamedTuple):
    """The colors of an element's text and of what is behind it; None is one that isn't known."""

    color: Color | None
    background: Color | None
    is_transparent: bool = False
    is_tiny: bool = False

    @property
    def is_invisible(self) -> bool:
        if self.is_transparent or self.is_tiny:
            return True
        if self.color is None or self.background is None:
            return False
        return max(abs(one - other) for one, other in zip(self.color, self.background, strict=True)) <= _SAME


def take_invisible(root: Any, sheets: StyleSheets) -> int:
    """Remove text that has no contrast or no size; return how many pieces that were.

    If there is no other text, it stays.
    """
    invisible, has_other = _find_invisible(root, sheets)
    if not has_other:
        return 0
    for element, attribute, _ in invisible:
        setattr(element, attribute, None)
    return sum(is_first for _, _, is_first in invisible)


def _find_invisible(root: Any, sheets: StyleSheets) -> tuple[list[tuple[Any, str, bool]], bool]:
    """Return the invisible texts, each as its element and attribute, and whether other text is visible.

    The third value is true for the first text of the outermost element that isn't visible.
    """
    from lxml import etree

    # Style sheets of other files can give a background to anything.
    page = None if _has_other_sheets(root) else _NAMED["white"]
    looks = [_Look(_NAMED["black"], page)]
    found: list[tuple[Any, str, bool]] = []
    has_other, counted, silent = False, 0, 0  # `counted` is the depth of the element whose first text was counted
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            looks.append(_look(element, looks[-1], sheets))
            silent += element.tag in _NOT_SHOWN
            text, attribute = element.text, "text"
        else:
            silent -= element.tag in _NOT_SHOWN
            looks.pop()
            text, attribute = element.tail, "tail"
            if element is root:
                break
        if not looks[-1].is_invisible:
            counted = 0
        if not silent and text and text.strip():
            if looks[-1].is_invisible:
                found.append((element, attribute, not counted))
                counted = 1
            else:
                has_other = True
    return found, has_other


def _has_other_sheets(root: Any) -> bool:
    links = any("stylesheet" in (link.get("rel") or "").lower() for link in root.iter("link"))
    return links or any("@import" in (sheet.text or "") for sheet in root.iter("style"))


def _look(element: Any, outer: _Look, sheets: StyleSheets) -> _Look:
    """Return how an element's text looks inside of another."""
    properties: dict[str, str] = {}
    for rule in sheets.matching(element):
        properties |= rule.properties
    properties |= _attributes(element)
    if element.get("style"):
        properties |= declarations(element.get("style"))
    if not properties and element.tag not in _OWN_COLORS:
        return outer
    color, is_transparent = outer.color, outer.is_transparent
    if (value := properties.get("color", "")) not in ("", "inherit"):
        color, is_transparent = _color(value)
    elif element.tag in _OWN_COLORS:
        color, is_transparent = None, False
    if _is_drawn_otherwise(properties):
        color, is_transparent = None, False
    background = _background(element, properties, outer.background)
    return _Look(color, background, is_transparent, _is_tiny(properties.get("font-size", ""), outer.is_tiny))


def _attributes(element: Any) -> dict[str, str]:
    """Return the colors that old pages give in attributes."""
    names = {"bgcolor": "background-color", "background": "background-image"}
    names["text" if element.tag == "body" else "color"] = "color"
    return {name: value.lower() for key, name in names.items() if (value := element.get(key))}


def _background(element: Any, properties: dict[str, str], outer: Color | None) -> Color | None:
    """Return the color behind an element's text, or None if it can be a picture or over something else."""
    if element.tag in _OWN_COLORS[1:] or properties.get("position") in ("absolute", "fixed"):
        outer = None
    if properties.get("background-image", "none") != "none" or "color-scheme" in properties:
        return None
    value = properties.get("background-color") or properties.get("background", "")
    if value in _NO_BACKGROUND:
        return outer
    color, is_transparent = _color(value)
    return outer if is_transparent else color


def _is_tiny(size: str, outer: bool) -> bool:
    """Return whether text has hardly any size; frames of mail are often set in 0, and what is inside of them isn't."""
    if _TINY.fullmatch(size):
        return True
    return outer and (not size or bool(_RELATIVE.fullmatch(size)))


def _is_drawn_otherwise(properties: dict[str, str]) -> bool:
    """Return whether letters can be seen by more than their color."""
    return any(
        name in properties for name in ("text-shadow", "background-clip", "-webkit-background-clip", "mix-blend-mode")
    ) or any(name.startswith(("-webkit-text", "filter")) for name in properties)


def _color(value: str) -> tuple[Color | None, bool]:
    """Return a color, or None if it isn't known, and whether it is transparent."""
    if value == "transparent":
        return None, True
    if match := _HEX.fullmatch(value):
        digits = match[1] if len(match[1]) > 4 else "".join(2 * digit for digit in match[1])
        red, green, blue, *alpha = bytes.fromhex(digits)
        return (red, green, blue), bool(alpha) and alpha[0] / 255 < _FAINT
    if match := _RGB.fullmatch(value):
        red, green, blue = (min(int(part), 255) for part in match.group(1, 2, 3))
        alpha_share = float(match[4]) / (100 if match[5] else 1) if match[4] else 1.0
        return (red, green, blue), alpha_share < _FAINT
    return _NAMED.get(value), False
