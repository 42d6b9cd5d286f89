"""Prepares a Word file's XML for a converter that reads only the main text, without its revisions and numbers."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from rag.reading.office.open_document import parse

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_RELATIONSHIPS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_DOCUMENT, _NUMBERING, _STYLES = "word/document.xml", "word/numbering.xml", "word/styles.xml"
_EXTRA = re.compile(r"word/(header|footer|comments)\d*\.xml")
_OFF = ("0", "false", "off")
_FORMATS = ("decimal", "decimalZero", "lowerLetter", "upperLetter", "lowerRoman", "upperRoman")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"))
_ROMAN_ONES = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
Levels = dict[int, tuple[str, str, int]]  # by level: format, text such as "%1.%2.", first number


def prepare(parts: dict[str, bytes]) -> tuple[dict[str, bytes], int]:
    """Return the parts with one text as its reader sees it, and how many hidden texts were left out.

    Insertions and moved text stand at their new place, deletions are gone, numbers of clauses are text, headers come
    first, footers and comments last, and the text of boxes follows its paragraph.
    """
    if _DOCUMENT not in parts:
        return parts, 0
    root = parse(parts[_DOCUMENT])
    body = root.find(f"{_W}body")
    if body is None:
        return parts, 0
    _add_other_parts(body, parts)
    _accept_changes(root)
    hidden = _remove_hidden(root, parts)
    _number_paragraphs(root, parts)
    _unfold_boxes(root)
    from lxml import etree

    return parts | {_DOCUMENT: etree.tostring(root, xml_declaration=True, encoding="UTF-8")}, hidden


def _add_other_parts(body: Any, parts: dict[str, bytes]) -> None:
    """Add the different texts of headers, footers and comments to the body."""
    seen: set[str] = set()
    first = 0
    for name in sorted(filter(_EXTRA.fullmatch, parts)):
        root = parse(parts[name])
        text = "".join(root.itertext()).strip()
        if not text or text in seen or text.isdecimal():
            continue
        seen.add(text)
        for element in root.iter():
            # They refer to this part's own relationships.
            for attribute in [attribute for attribute in element.attrib if attribute.startswith(_RELATIONSHIPS)]:
                del element.attrib[attribute]
        blocks = [
            block
            for block in root.iter(f"{_W}p", f"{_W}tbl")
            if next(block.iterancestors(f"{_W}p", f"{_W}tbl"), None) is None
        ]
        if "header" in name:
            for block in blocks:
                body.insert(first, block)
                first += 1
        else:
            for block in blocks:
                if "comments" in name:
                    _insert_text(block, "Comment: ")
                _append(body, block)


def _append(body: Any, block: Any) -> None:
    section = body.find(f"{_W}sectPr")
    body.append(block) if section is None else section.addprevious(block)


def _accept_changes(root: Any) -> None:
    for name in ("del", "moveFrom"):
        for element in list(root.iter(f"{_W}{name}")):
            parent = element.getparent()
            if parent.tag == f"{_W}trPr":
                row = parent.getparent()
                if row.getparent() is not None:
                    row.getparent().remove(row)
            elif parent.tag != f"{_W}rPr":  # there it marks the end of a paragraph, which mammoth reads
                parent.remove(element)
    for element in root.iter(f"{_W}moveTo"):
        if element.getparent().tag != f"{_W}rPr":
            element.tag = f"{_W}ins"


def _remove_hidden(root: Any, parts: dict[str, bytes]) -> int:
    """Remove runs that are hidden by themselves or by their style."""
    styles = {
        style.get(f"{_W}styleId")
        for style in (parse(parts[_STYLES]).iter(f"{_W}style") if parts.get(_STYLES) else ())
        if _is_on(style.find(f"{_W}rPr/{_W}vanish"))
    }
    hidden = 0
    for run in list(root.iter(f"{_W}r")):
        vanish = run.find(f"{_W}rPr/{_W}vanish")
        style = run.find(f"{_W}rPr/{_W}rStyle")
        by_style = style is not None and style.get(f"{_W}val") in styles
        if _is_on(vanish) or (by_style and vanish is None):
            hidden += bool("".join(run.itertext()).strip())
            run.getparent().remove(run)
    return hidden


def _is_on(element: Any) -> bool:
    return element is not None and element.get(f"{_W}val", "1") not in _OFF


def _number_paragraphs(root: Any, parts: dict[str, bytes]) -> None:
    """Write the number of each numbered paragraph into its text; bullets stay lists."""
    if not parts.get(_NUMBERING):
        return
    numbering, style_numbers = _numbering(parse(parts[_NUMBERING])), _style_numbers(parts)
    counters: dict[str, dict[int, int]] = defaultdict(dict)
    for paragraph in root.iter(f"{_W}p"):
        own = paragraph.find(f"{_W}pPr/{_W}numPr")
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        style_name = style.get(f"{_W}val") if style is not None else ""
        properties = own if own is not None else style_numbers.get(style_name)
        if properties is None:
            continue
        number, level = _value(properties.find(f"{_W}numId"), ""), _value(properties.find(f"{_W}ilvl"), "0")
        abstract, levels = numbering.get(number, ("", {}))
        if not level.isdecimal() or int(level) not in levels:
            continue
        label = _label(counters[abstract], levels, int(level))
        if label:
            _insert_text(paragraph, f"{label} ")
            if own is not None:
                own.getparent().remove(own)


def _style_numbers(parts: dict[str, bytes]) -> dict[str, Any]:
    """Return the numbering of each paragraph style that has one."""
    if not parts.get(_STYLES):
        return {}
    return {
        style.get(f"{_W}styleId"): properties
        for style in parse(parts[_STYLES]).iter(f"{_W}style")
        if (properties := style.find(f"{_W}pPr/{_W}numPr")) is not None
        # Word's own lists stay lists.
        and not style.get(f"{_W}styleId", "").startswith("List")
    }


def _numbering(root: Any) -> dict[str, tuple[str, Levels]]:
    abstracts: dict[str, Levels] = {}
    for abstract in root.iter(f"{_W}abstractNum"):
        abstracts[abstract.get(f"{_W}abstractNumId")] = {
            int(level.get(f"{_W}ilvl", "0")): (
                _value(level.find(f"{_W}numFmt"), "decimal"),
                _value(level.find(f"{_W}lvlText"), ""),
                int(_value(level.find(f"{_W}start"), "1")),
            )
            for level in abstract.iter(f"{_W}lvl")
        }
    return {
        number.get(f"{_W}numId"): (reference, abstracts.get(reference, {}))
        for number in root.iter(f"{_W}num")
        if (reference := _value(number.find(f"{_W}abstractNumId"), ""))
    }


def _label(counter: dict[int, int], levels: Levels, level: int) -> str:
    """Count a paragraph and return its number, such as "2.2"; "" for bullets."""
    number_format, text, start = levels[level]
    counter[level] = counter.get(level, start - 1) + 1
    for deeper in [number for number in counter if number > level]:
        del counter[deeper]
    if number_format not in _FORMATS:
        return ""

    def number_of(match: re.Match[str]) -> str:
        place = int(match[1]) - 1
        kind, _, first = levels.get(place, ("decimal", "", 1))
        return _number(counter.setdefault(place, first), kind)

    return re.sub(r"%([1-9])", number_of, text)


def _number(value: int, number_format: str) -> str:
    if number_format.endswith("Letter"):
        text = chr(ord("a") + (value - 1) % 26) * min((value - 1) // 26 + 1, 10)
    elif number_format.endswith("Roman"):
        text, rest = "", min(value, 5000)
        for amount, letters in (*_ROMAN, *_ROMAN_ONES):
            text += letters * (rest // amount)
            rest %= amount
    else:
        return str(value).zfill(2) if number_format == "decimalZero" else str(value)
    return text.upper() if number_format.startswith("upper") else text


def _value(element: Any, default: str) -> str:
    return default if element is None else str(element.get(f"{_W}val", default))


def _insert_text(paragraph: Any, text: str) -> None:
    """Insert a text at a paragraph's start."""
    from lxml import etree

    run = etree.Element(f"{_W}r")
    etree.SubElement(run, f"{_W}t").text = text
    properties = paragraph.find(f"{_W}pPr")
    paragraph.insert(0, run) if properties is None else properties.addnext(run)


def _unfold_boxes(root: Any) -> None:
    """Put the paragraphs of each text box after the paragraph that has it."""
    for alternatives in list(root.iter(f"{_MC}AlternateContent")):
        choice = alternatives.find(f"{_MC}Choice")
        if choice is not None and next(choice.iter(f"{_W}txbxContent"), None) is not None:
            for fallback in alternatives.findall(f"{_MC}Fallback"):
                alternatives.remove(fallback)
    for box in list(root.iter(f"{_W}txbxContent")):
        outer = list(box.iterancestors(f"{_W}p"))
        if not outer:
            continue
        place = outer[-1]
        for block in reversed(box.findall("*")):
            place.addnext(block)
        box.getparent().remove(box)
