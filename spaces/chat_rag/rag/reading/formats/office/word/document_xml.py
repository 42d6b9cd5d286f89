"""The XML of Word files, and its changes for a converter that reads only the main text as it is stored."""

from __future__ import annotations

import re
from typing import Any

from rag.reading.formats.office.archive import parse_xml
from rag.reading.formats.office.relations import RELATIONSHIPS

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_EXTRA = re.compile(r"word/(header|footer|comments)\d*\.xml")
_OFF = ("0", "false", "off")
_WRAPPERS = ("fldSimple", "customXml", "dir", "bdo")  # mammoth drops them with their text
_TINY = 4  # half points
_MAX_HEADING = 6
MAX_CHAIN = 20  # styles that are based on each other


def value_of(element: Any, default: str = "") -> str:
    """Return the value of a property, or the default without it."""
    return default if element is None else str(element.get(f"{W}val", default))


def is_on(element: Any) -> bool:
    """Return whether a property is there and not switched off."""
    return element is not None and element.get(f"{W}val", "1") not in _OFF


def insert_text(paragraph: Any, text: str) -> None:
    """Insert a text at a paragraph's start."""
    from lxml import etree

    run = etree.Element(f"{W}r")
    etree.SubElement(run, f"{W}t").text = text
    properties = paragraph.find(f"{W}pPr")
    paragraph.insert(0, run) if properties is None else properties.addnext(run)


def add_other_parts(body: Any, parts: dict[str, bytes]) -> None:
    """Add the different texts of headers to the body's start, and of footers and comments to its end."""
    seen: set[str] = set()
    first = 0
    for name in sorted(filter(_EXTRA.fullmatch, parts)):
        root = parse_xml(parts[name])
        text = "".join(root.itertext()).strip()
        if not text or text in seen or text.isdecimal():
            continue
        seen.add(text)
        _remove_references(root)
        for block in _outer_blocks(root):
            if "header" in name:
                body.insert(first, block)
                first += 1
                continue
            if "comments" in name:
                insert_text(next(block.iter(f"{W}p"), block), "Comment: ")
            section = body.find(f"{W}sectPr")
            body.append(block) if section is None else section.addprevious(block)


def _remove_references(root: Any) -> None:
    """Remove the references of a part to its own relationships, which the main text doesn't have."""
    for element in root.iter():
        for attribute in [attribute for attribute in element.attrib if attribute.startswith(RELATIONSHIPS)]:
            del element.attrib[attribute]


def _outer_blocks(root: Any) -> list[Any]:
    kinds = (f"{W}p", f"{W}tbl", f"{W}sdt")
    return [block for block in root.iter(*kinds) if next(block.iterancestors(*kinds), None) is None]


def accept_changes(root: Any) -> None:
    """Keep what was inserted, and moved text at its new place; remove what was deleted; unwrap other elements."""
    for name in ("del", "moveFrom"):
        for element in list(root.iter(f"{W}{name}")):
            parent = element.getparent()
            if parent.tag == f"{W}trPr":
                row = parent.getparent()
                if row.getparent() is not None:
                    row.getparent().remove(row)
            elif parent.tag != f"{W}rPr":  # there it marks the end of a paragraph, which mammoth reads
                parent.remove(element)
    for element in root.iter(f"{W}moveTo"):
        if element.getparent().tag != f"{W}rPr":
            element.tag = f"{W}ins"
    for element in root.iter(*(f"{W}{name}" for name in _WRAPPERS)):
        element.tag = f"{W}smartTag"


def remove_hidden(root: Any, styles: Any) -> int:
    """Remove runs that nobody can see, by themselves or by their style; return how many had text."""
    looks = _style_properties(styles)
    hidden = 0
    for run in list(root.iter(f"{W}r")):
        if _is_hidden(run, looks):
            hidden += bool("".join(run.itertext()).strip())
            run.getparent().remove(run)
    return hidden


def _style_properties(styles: Any) -> dict[str, dict[str, Any]]:
    """Return the properties of text by the names of styles, with what each has from the one that it is based on."""
    own: dict[str, dict[str, Any]] = {}
    parents: dict[str, str] = {}
    for style in _styles(styles):
        name = style.get(f"{W}styleId", "")
        parents[name] = value_of(style.find(f"{W}basedOn"))
        found = [*style.iterfind(f"{W}rPr/*"), *style.iterfind(f"{W}pPr/{W}shd")]
        own[name] = {element.tag: element for element in found if isinstance(element.tag, str)}
    inherited: dict[str, dict[str, Any]] = {}
    for name in own:
        chain = [name]
        while parents.get(chain[-1]) in own and len(chain) < MAX_CHAIN:
            chain.append(parents[chain[-1]])
        inherited[name] = {tag: element for each in reversed(chain) for tag, element in own[each].items()}
    return inherited


def _is_hidden(run: Any, looks: dict[str, dict[str, Any]]) -> bool:
    """Return whether a run is hidden, too small to be read, or white without a background of its own or around it."""
    properties = {element.tag: element for element in run.iterfind(f"{W}rPr/*")}
    paragraph = run.getparent()
    for style in (properties.get(f"{W}rStyle"), paragraph.find(f"{W}pPr/{W}pStyle")):
        properties = looks.get(value_of(style), {}) | properties
    if is_on(properties.get(f"{W}vanish")):
        return True
    size = value_of(properties.get(f"{W}sz"))
    if size.isdecimal() and int(size) <= _TINY:
        return True
    if value_of(properties.get(f"{W}color")).upper() != "FFFFFF":
        return False
    has_background = any(f"{W}{name}" in properties for name in ("shd", "highlight"))
    around = run.iterancestors(f"{W}tbl", f"{W}txbxContent")
    return not has_background and next(around, None) is None and paragraph.find(f"{W}pPr/{W}shd") is None


def mark_headings(root: Any, styles: Any) -> None:
    """Give paragraphs with an outline level, of their own or of their style, the style of a heading."""
    levels: dict[str, str] = {}
    parents: dict[str, str] = {}
    for style in _styles(styles):
        name = style.get(f"{W}styleId", "")
        parents[name] = value_of(style.find(f"{W}basedOn"))
        levels[name] = value_of(style.find(f"{W}pPr/{W}outlineLvl"))
    for paragraph in root.iter(f"{W}p"):
        properties = paragraph.find(f"{W}pPr")
        if properties is None:
            continue
        style = properties.find(f"{W}pStyle")
        level = value_of(properties.find(f"{W}outlineLvl")) or _inherited(value_of(style), levels, parents)
        if level.isdecimal() and int(level) < _MAX_HEADING:
            if style is None:
                style = properties.makeelement(f"{W}pStyle")
                properties.insert(0, style)
            style.set(f"{W}val", f"Heading{int(level) + 1}")


def _inherited(name: str, levels: dict[str, str], parents: dict[str, str]) -> str:
    for _ in range(MAX_CHAIN):
        if levels.get(name):
            return levels[name]
        name = parents.get(name, "")
    return ""


def _styles(styles: Any) -> list[Any]:
    """Return the styles with a name; one without can't be used, and isn't what the others are based on."""
    found = styles.iter(f"{W}style") if styles is not None else ()
    return [style for style in found if style.get(f"{W}styleId")]


def unfold_boxes(root: Any) -> None:
    """Put the paragraphs of each text box after the paragraph that has it."""
    for alternatives in list(root.iter(f"{_MC}AlternateContent")):
        choice = alternatives.find(f"{_MC}Choice")
        if choice is not None and next(choice.iter(f"{W}txbxContent"), None) is not None:
            for fallback in alternatives.findall(f"{_MC}Fallback"):
                alternatives.remove(fallback)
    for box in list(root.iter(f"{W}txbxContent")):
        outer = list(box.iterancestors(f"{W}p"))
        if not outer:
            continue
        for block in reversed(box.findall("*")):
            outer[-1].addnext(block)
        box.getparent().remove(box)
