"""Writes the numbers of a Word file's numbered paragraphs into their text."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, NamedTuple

from rag.reading.list_numbers import list_number
from rag.reading.office.archive import parse_xml
from rag.reading.office.word.document_xml import W, insert_text, is_on, value_of

_NUMBERING = "word/numbering.xml"
_OWN_LISTS = "ListNumber"
_FORMATS = ("decimal", "decimalZero", "lowerLetter", "upperLetter", "lowerRoman", "upperRoman")


class Numbering(NamedTuple):
    """A list: by level its format, its text such as "%1.%2.", and its first number; and where it starts again.

    The levels in `decimal` write the numbers of all levels as 1, 2, 3.
    """

    abstract: str
    levels: dict[int, tuple[str, str, int]]
    restarts: dict[int, int]
    decimal: frozenset[int]


def number_paragraphs(root: Any, parts: dict[str, bytes], styles: Any) -> None:
    """Write the number of each numbered paragraph into its text; bullets stay lists."""
    if not parts.get(_NUMBERING):
        return
    numbering, style_numbers = _numbering(parse_xml(parts[_NUMBERING])), _style_numbers(styles)
    counters: dict[str, dict[int, int]] = defaultdict(dict)
    for paragraph in root.iter(f"{W}p"):
        own = paragraph.find(f"{W}pPr/{W}numPr")
        style_name = value_of(paragraph.find(f"{W}pPr/{W}pStyle"))
        properties = own if own is not None else style_numbers.get(style_name)
        if properties is None:
            continue
        number, level = value_of(properties.find(f"{W}numId")), value_of(properties.find(f"{W}ilvl"), "0")
        numbered = numbering.get(number)
        if not numbered or not level.isdecimal() or int(level) not in numbered.levels:
            continue
        label = _label(counters[numbered.abstract], numbered, int(level))
        if label:
            insert_text(paragraph, f"{label} ")
            if own is not None:
                own.getparent().remove(own)
            if style_name.startswith(_OWN_LISTS):  # the converter would number it again, without inner lists
                paragraph.find(f"{W}pPr").remove(paragraph.find(f"{W}pPr/{W}pStyle"))


def _style_numbers(styles: Any) -> dict[str, Any]:
    """Return the numbering of each paragraph style that has one."""
    return {
        style.get(f"{W}styleId"): properties
        for style in (styles.iter(f"{W}style") if styles is not None else ())
        if (properties := style.find(f"{W}pPr/{W}numPr")) is not None
        # Word's own lists with bullets stay lists.
        and not style.get(f"{W}styleId", "").startswith("ListBullet")
    }


def _numbering(root: Any) -> dict[str, Numbering]:
    abstracts = {
        abstract.get(f"{W}abstractNumId"): {
            int(level.get(f"{W}ilvl", "0")): (
                value_of(level.find(f"{W}numFmt"), "decimal"),
                value_of(level.find(f"{W}lvlText")),
                int(value_of(level.find(f"{W}start"), "1")),
            )
            for level in abstract.iter(f"{W}lvl")
        }
        for abstract in root.iter(f"{W}abstractNum")
    }
    decimal = {
        abstract.get(f"{W}abstractNumId"): frozenset(
            int(level.get(f"{W}ilvl", "0")) for level in abstract.iter(f"{W}lvl") if is_on(level.find(f"{W}isLgl"))
        )
        for abstract in root.iter(f"{W}abstractNum")
    }
    return {
        number.get(f"{W}numId"): Numbering(
            reference, abstracts.get(reference, {}), _restarts(number), decimal.get(reference, frozenset())
        )
        for number in root.iter(f"{W}num")
        if (reference := value_of(number.find(f"{W}abstractNumId")))
    }


def _restarts(number: Any) -> dict[int, int]:
    """Return the numbers that a list starts again with, by level."""
    return {
        int(override.get(f"{W}ilvl", "0")): int(value_of(start, "1"))
        for override in number.iter(f"{W}lvlOverride")
        if (start := override.find(f"{W}startOverride")) is not None
    }


def _label(counter: dict[int, int], numbering: Numbering, level: int) -> str:
    """Count a paragraph and return its number, such as "2.2"; "" for bullets."""
    levels = numbering.levels
    number_format, text, start = levels[level]
    if level in numbering.restarts:
        counter[level] = numbering.restarts.pop(level)
    else:
        counter[level] = counter.get(level, start - 1) + 1
    for deeper in [number for number in counter if number > level]:
        del counter[deeper]
    if number_format not in _FORMATS:
        return ""

    def number_of(match: re.Match[str]) -> str:
        place = int(match[1]) - 1
        kind, _, first = levels.get(place, ("decimal", "", 1))
        kind = "decimal" if level in numbering.decimal else kind
        return list_number(counter.setdefault(place, first), kind)

    return re.sub(r"%([1-9])", number_of, text)
