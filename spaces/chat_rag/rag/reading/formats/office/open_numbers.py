"""Numbers of the lists and headings of an OpenDocument text."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from rag.reading.markdown.list_numbers import list_number

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_FORMATS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_OUTLINE = "outline"  # the list style of headings has no name that another one could have
_PARAGRAPHS = (f"{_TEXT}p", f"{_TEXT}h")
LIST, ITEM, HEADER = f"{_TEXT}list", f"{_TEXT}list-item", f"{_TEXT}list-header"
BULLET = "* "


class ListNumbers:
    """Counts the items of lists; a list inside of another has its style, unless it has its own."""

    def __init__(self, *roots: Any) -> None:
        self._levels: dict[str, dict[int, Any]] = {}
        for root in roots:
            for style in root.iter(f"{_TEXT}list-style", f"{_TEXT}outline-style"):
                name = style.get(f"{_STYLE}name", "") if style.tag == f"{_TEXT}list-style" else _OUTLINE
                self._levels[name] = {_number(level, "level", 1): level for level in style}
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)
        self._open: list[str] = []  # the styles of the lists that are open

    def begin(self, element: Any) -> None:
        """Begin a list; one with another style than the lists around it counts from its first number."""
        style = element.get(f"{_TEXT}style-name") or (self._open[-1] if self._open else "")
        goes_on = element.get(f"{_TEXT}continue-numbering") == "true" or element.get(f"{_TEXT}continue-list")
        if style not in self._open and not goes_on:
            self._counts[style].clear()
        self._open.append(style)

    def end(self) -> None:
        """End the list that was begun last."""
        self._open.pop()

    def label(self, item: Any) -> str:
        """Count an item of the innermost list; return its number with a space, or a bullet."""
        name, level, start = self._open[-1], len(self._open), item.get(f"{_TEXT}start-value")
        # An item of nothing but a list goes on with the inner list of the item before it.
        is_resumed = start is None and level in self._counts[name] and item.find(LIST) is not None
        if item.tag == HEADER or (is_resumed and next(item.iterchildren(*_PARAGRAPHS), None) is None):
            return ""
        return self._label(name, level, start) or BULLET

    def heading(self, heading: Any, level: int) -> str:
        """Count a heading outside of lists; return its number with a space, or "" if it has none."""
        if heading.get(f"{_TEXT}is-list-header") == "true":
            return ""
        if heading.get(f"{_TEXT}restart-numbering") == "true":
            self._counts[_OUTLINE].pop(level, None)
        return self._label(_OUTLINE, level, heading.get(f"{_TEXT}start-value"))

    def _label(self, name: str, level: int, start: str | None) -> str:
        levels, counts = self._levels.get(name, {}), self._counts[name]
        style = levels.get(level)
        # A bullet is counted too: the numbers below it start again.
        first = int(start) if start and start.isdecimal() else None
        counts[level] = first if first is not None else counts.get(level, _number(style, "start-value", 1) - 1) + 1
        for deeper in [other for other in counts if other > level]:
            del counts[deeper]
        if style is None or not _kind(style):
            return ""
        shown = range(max(1, level - _number(style, "display-levels", 1) + 1), level + 1)
        numbers = [list_number(counts.get(each, 1), _kind(levels[each])) for each in shown if _kind(levels.get(each))]
        prefix, suffix = (style.get(f"{_STYLE}num-{side}", "") for side in ("prefix", "suffix"))
        return f"{prefix}{'.'.join(numbers)}{suffix} "


def _kind(style: Any) -> str:
    return _FORMATS.get(style.get(f"{_STYLE}num-format", ""), "") if style is not None else ""


def _number(element: Any, name: str, default: int) -> int:
    value = element.get(f"{_TEXT}{name}", "") if element is not None else ""
    return int(value) if value.isdecimal() and len(value) < 9 else default
