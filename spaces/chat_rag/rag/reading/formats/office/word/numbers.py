"""Writes the numbers of a Word file's numbered paragraphs into their text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from rag.reading.formats.office.archive import parse_xml
from rag.reading.formats.office.word.document_xml import MAX_CHAIN, W, insert_text, is_on, value_of
from rag.reading.markdown.list_numbers import list_number

_OWN_LISTS = "ListNumber"
_MAX_LEVELS = 9  # of a list
_FORMATS = ("decimal", "decimalZero", "lowerLetter", "upperLetter", "lowerRoman", "upperRoman")


class _Level(NamedTuple):
    """How a level of a list is numbered: its format, its text such as "%1.%2.", and its first number.

    If `is_decimal`, it writes the numbers of all levels as 1, 2, 3. `style` is the paragraph style that it numbers.
    """

    number_format: str
    text: str
    first: int
    is_decimal: bool
    style: str


class Numbering(NamedTuple):
    """A list: its levels, and the numbers that it starts again with, by level."""

    abstract: str
    levels: dict[int, _Level]
    restarts: dict[int, int]


def number_paragraphs(root: Any, parts: dict[str, bytes], lists_part: str, styles: Any) -> None:
    """Write the number of each numbered paragraph into its text; bullets stay lists."""
    if not parts.get(lists_part):
        return
    lists = parse_xml(parts[lists_part])
    numbering, numbered_styles = _numbering(lists), _numbered_styles(styles)
    parts[lists_part] = _without_styles(lists)
    counters: dict[str, dict[int, int]] = defaultdict(dict)
    for paragraph in root.iter(f"{W}p"):
        own = paragraph.find(f"{W}pPr/{W}numPr")
        style_name = value_of(paragraph.find(f"{W}pPr/{W}pStyle"))
        numbered_style = numbered_styles.get(style_name)
        number, level = _place(own) if own is not None else ("", "")
        if not number and numbered_style:
            number, style_level = _place(numbered_style.properties)
            level = level or style_level or _linked_level(numbering.get(number), numbered_style.name)
        numbered, depth = numbering.get(number), int(level) if level.isdecimal() else 0
        if not numbered or depth not in numbered.levels:
            continue
        label = _label(counters[numbered.abstract], numbered, depth)
        if label:
            insert_text(paragraph, f"{label} ")
            if own is not None:
                own.getparent().remove(own)
            if style_name.startswith(_OWN_LISTS):  # the converter would number it again, without inner lists
                paragraph.find(f"{W}pPr").remove(paragraph.find(f"{W}pPr/{W}pStyle"))


def _linked_level(numbering: Numbering | None, style: str) -> str:
    """Return the last level that numbers a paragraph style, or ""."""
    levels = numbering.levels if numbering is not None else {}
    return next((str(depth) for depth in reversed(levels) if levels[depth].style == style), "")


def _without_styles(lists: Any) -> bytes:
    """Return the lists without the styles of their numbered levels, from which the converter would number again."""
    from lxml import etree

    for level in lists.iter(f"{W}lvl"):
        style = level.find(f"{W}pStyle")
        if style is not None and value_of(level.find(f"{W}numFmt"), "decimal") in _FORMATS:
            level.remove(style)
    return bytes(etree.tostring(lists, xml_declaration=True, encoding="UTF-8"))


def _place(properties: Any) -> tuple[str, str]:
    """Return the list and the level that some properties name, each "" without one."""
    return value_of(properties.find(f"{W}numId")), value_of(properties.find(f"{W}ilvl"))


class _NumberedStyle(NamedTuple):
    """The style that gives a paragraph its numbers, and its properties."""

    name: str
    properties: Any


def _numbered_styles(styles: Any) -> dict[str, _NumberedStyle]:
    """Return for each paragraph style the one that numbers it: itself, or one that it's based on."""
    found = {style.get(f"{W}styleId", ""): style for style in (styles.iter(f"{W}style") if styles is not None else ())}
    numbered: dict[str, _NumberedStyle] = {}
    for style_name in found:
        name = style_name
        for _ in range(MAX_CHAIN):
            # Word's own lists with bullets stay lists.
            if name not in found or name.startswith("ListBullet"):
                break
            if (properties := found[name].find(f"{W}pPr/{W}numPr")) is not None:
                numbered[style_name] = _NumberedStyle(name, properties)
                break
            name = value_of(found[name].find(f"{W}basedOn"))
    return numbered


def _numbering(root: Any) -> dict[str, Numbering]:
    """Return the lists by their ids. The levels of an abstract list are read once: thousands of lists can share it."""
    abstracts = {abstract.get(f"{W}abstractNumId"): abstract for abstract in root.iter(f"{W}abstractNum")}
    linked = {value_of(abstract.find(f"{W}styleLink"), "-"): name for name, abstract in abstracts.items()}
    own = {name: _levels(abstract.iter(f"{W}lvl")) for name, abstract in abstracts.items()}
    # The levels of a list with `numStyleLink` are those of another one.
    shared = {
        name: own[linked.get(value_of(abstract.find(f"{W}numStyleLink")), name)] for name, abstract in abstracts.items()
    }
    numbering: dict[str, Numbering] = {}
    for number in root.iter(f"{W}num"):
        reference = value_of(number.find(f"{W}abstractNumId"))
        if reference in shared:
            overrides = _levels(number.iterfind(f"{W}lvlOverride/{W}lvl"))
            levels = shared[reference] | overrides if overrides else shared[reference]
            numbering[number.get(f"{W}numId")] = Numbering(reference, levels, _restarts(number))
    return numbering


def _levels(elements: Iterable[Any]) -> dict[int, _Level]:
    """Return the levels of a list; Word has nine, 0 to 8."""
    found = {int(element.get(f"{W}ilvl", "0")): element for element in elements}
    return {depth: _level(found[depth]) for depth in sorted(found) if 0 <= depth < _MAX_LEVELS}


def _level(level: Any) -> _Level:
    return _Level(
        value_of(level.find(f"{W}numFmt"), "decimal"),
        value_of(level.find(f"{W}lvlText")),
        int(value_of(level.find(f"{W}start"), "1")),
        is_on(level.find(f"{W}isLgl")),
        value_of(level.find(f"{W}pStyle")),
    )


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
    own = levels[level]
    if level in numbering.restarts:
        counter[level] = numbering.restarts.pop(level)
    else:
        counter[level] = counter.get(level, own.first - 1) + 1
    for deeper in [number for number in counter if number > level]:
        del counter[deeper]
    if own.number_format not in _FORMATS:
        return ""

    def number_of(match: re.Match[str]) -> str:
        place = int(match[1]) - 1
        first = levels[place].first if place in levels else 1
        kind = "decimal" if own.is_decimal or place not in levels else levels[place].number_format
        return list_number(counter.setdefault(place, first), kind)

    return re.sub(r"%([1-9])", number_of, own.text)
