"""Reduces HTML to its text and structure, in a form that a converter to Markdown reads in linear time.

The time of markdownify 1.2 grows with the square of a run of white space, of the number of items in a numbered list and
of the number of rows in a table's head, and deep nesting makes Beautiful Soup slow. (80,000 spaces in a paragraph took
10 s, and 40,000 line breaks in <pre> 6 s.)
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from rag.reading.formats.html.descriptions import name_terms
from rag.reading.formats.html.formulas import write_formulas
from rag.reading.formats.html.tables import MARKS, HtmlTable, take_tables
from rag.reading.formats.html.visible import add_fallback, keep_visible, show_frames
from rag.reading.markdown.cells import INNER
from rag.reading.markdown.list_numbers import list_number
from rag.reading.markdown.superscripts import mark_superscript

_NO_TEXT = (
    *("script", "style", "template", "noscript", "iframe", "object", "embed", "canvas", "audio", "video"),
    *("progress", "meter", "datalist"),
    *("rt", "rp"),  # how letters are read, which repeats them
)
_SPACE = re.compile(r"[\t \r\n]+")  # what HTML displays as one space, line ends of its source too
_LONG_GAP = re.compile(r" {100,}")
_EMPTY_LINES = re.compile(r"\n{3,}")
# The converter's recursion ends earlier than this.
_MAX_DEPTH = 400
_MAX_LIST_ITEMS, _MAX_HEAD_ROWS, _MAX_COLUMNS = 100, 20, 100
_LETTERS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = ("address", "article", "blockquote", "dd", "div", "dl", "dt", "li", "ol", "p", "pre", "section", "tr", "ul")
_ADDRESSES = ("http://", "https://", "mailto:")
# Blocks that the converter takes for parts of a line.
_MORE_BLOCKS = (
    *("aside", "center", "details", "dialog", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup"),
    *("legend", "main", "nav", "search", "summary"),
)
_TABLE_ROLES = {
    "table": "table",
    "grid": "table",
    "rowgroup": "tbody",
    "row": "tr",
    "columnheader": "th",
    "rowheader": "th",
    "cell": "td",
    "gridcell": "td",
}
# The converter keeps only a plain space at the edges of these.
_INLINE = ("b", "strong", "i", "em", "code", "kbd", "samp", "del", "s", "sub", "sup", "a")
_OWN_LINE = {*_HEADINGS, *_BLOCKS, "br", "hr"}
_NOT_INLINE = {*_OWN_LINE, *_MORE_BLOCKS, "table"}


class NormalizedPage(NamedTuple):
    """A page's HTML, with a mark in the place of each table, and how many hidden texts were left out."""

    html: str
    tables: list[HtmlTable]
    hidden: int


def normalized_html(source: str) -> NormalizedPage:
    """Return a page without scripts, styles, comments and images, with closed tags and short runs of white space.

    Raises `RecursionError` if it's nested more deeply than the converter can read.
    """
    from lxml import etree, html

    if not source.strip():
        return NormalizedPage("", [], 0)
    # Python's own parser nests each unclosed <p> in the previous one; old pages have thousands of them.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    root = html.document_fromstring(
        source.translate(dict.fromkeys(map(ord, MARKS + INNER))).encode(), parser=parser, ensure_head_body=True
    )
    show_frames(root)
    _check_depth(root)
    hidden = keep_visible(root)
    write_formulas(root)
    add_fallback(root)
    etree.strip_elements(root, *_NO_TEXT, with_tail=False)
    _simplify(root)
    _limit_tables(root)
    tables = take_tables(root)
    return NormalizedPage(str(html.tostring(root, encoding="unicode")), tables, hidden)


def _apart_from_words(image: Any, alternative: str) -> str:
    """Return a picture's text with a space on each side where a word touches the picture."""
    previous, following = image.getprevious(), image.getnext()
    before = (previous.tail or _last_text(previous)) if previous is not None else image.getparent().text
    after = image.tail or (following.text if following is not None and following.tag not in _NOT_INLINE else "")
    spaces = [" " if character.isalnum() else "" for character in ((before or "")[-1:], (after or "")[:1])]
    return f"{spaces[0]}{alternative}{spaces[1]}"


def _last_text(element: Any) -> str:
    """Return the text at the end of an element that is part of a line."""
    while element.tag not in _NOT_INLINE and len(element):
        last = element[-1]
        if last.tail:
            return str(last.tail)
        element = last
    return "" if element.tag in _NOT_INLINE else element.text or ""


def _simplify(root: Any) -> None:
    """Replace what a text can't show, or what a converter to Markdown reads slowly."""
    from lxml import etree

    for image in list(root.iter("img")):
        # A client that displays the text could load the image, and its server would learn who reads the document.
        alternative = image.get("alt", "")
        image.attrib.clear()
        image.tag, image.text = "span", _apart_from_words(image, alternative) if alternative.strip() else ""
    for block in list(root.iter(*_MORE_BLOCKS)):
        block.tag = "div"
    for drawing in list(root.iter("svg")):
        _keep_labels(drawing)
    for element in list(root.xpath("//*[@role]")):
        element.tag = _TABLE_ROLES.get(element.get("role"), element.tag)
    for raised in list(root.iter("sup")):
        _mark_superscript(raised)
    for link in root.iter("a"):
        _limit_link(link)
    for button in root.iter("button"):  # it has an edge, which keeps its words apart from others
        button.text, button.tail = f" {button.text or ''}", f" {button.tail or ''}"
    for block in list(root.iter("pre")):
        _flatten(block)
    name_terms(root)
    for inline in root.iter(*_INLINE):
        _free_space(inline)
    for element in root.iter(etree.Element):
        _normalize_space(element)
    for numbered in list(root.iter("ol")):
        _number_list(numbered)


def _keep_labels(drawing: Any) -> None:
    """Replace a drawing by its texts, such as the labels of a chart."""
    from lxml import etree

    labels = [" ".join("".join(text.itertext()).split()) for text in drawing.iter("text")]
    drawing.clear(keep_tail=True)
    drawing.tag = "div" if labels else "span"
    for label in labels:
        etree.SubElement(drawing, "p").text = label


def _mark_superscript(raised: Any) -> None:
    """Mark an exponent with ^, and put the number of a note, which is a link, in brackets."""
    text = "".join(raised.itertext()).strip()
    marked = mark_superscript(text)
    if marked != text:
        is_note = next(raised.iter("a"), None) is not None or next(raised.iterancestors("a"), None) is not None
        for child in list(raised):
            raised.remove(child)
        raised.text = f"[{text}]" if is_note else marked


def _limit_link(link: Any) -> None:
    """Remove an address that leads nowhere outside of the page, and the arrow from a note back to its mark."""
    if not link.get("href", "").strip().lower().startswith(_ADDRESSES):
        link.attrib.pop("href", None)
        if link.text == "↑":
            link.text = ""


def _check_depth(root: Any) -> None:
    from lxml import etree

    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > _MAX_DEPTH:
            raise RecursionError(f"HTML elements are nested more than {_MAX_DEPTH} deep")


def _flatten(block: Any) -> None:
    """Replace the content of <pre> by its text, with short gaps; a converter to Markdown drops the tags anyway."""
    from lxml import etree

    parts: list[str] = []
    for event, element in etree.iterwalk(block, events=("start", "end")):
        if element is not block and element.tag in _OWN_LINE and (event == "start" or element.tag not in ("br", "hr")):
            parts.append("\n")
        parts.append((element.text if event == "start" else element.tail if element is not block else "") or "")
    lines = (_LONG_GAP.sub(lambda gap: gap[0][:100], line.rstrip()) for line in "".join(parts).splitlines())
    text = _EMPTY_LINES.sub("\n\n", "\n".join(lines))
    for child in list(block):
        block.remove(child)
    block.text = text.strip("\n")


def _free_space(inline: Any) -> None:
    """Make white space at the edges of an element a plain space, such as a space that doesn't break."""
    if inline.text and inline.text[0].isspace():
        inline.text = " " + inline.text.lstrip()
    if len(inline) and inline[-1].tail and inline[-1].tail[-1].isspace():
        inline[-1].tail = inline[-1].tail.rstrip() + " "
    elif not len(inline) and inline.text and inline.text[-1].isspace():
        inline.text = inline.text.rstrip() + " "


def _normalize_space(element: Any) -> None:
    if element.tag != "pre" and element.text:
        element.text = _SPACE.sub(" ", element.text)
    if element.tail:
        element.tail = _SPACE.sub(" ", element.tail)


def _number_list(numbered: Any) -> None:
    """Write the letters or Roman numerals of a list as text; the converter knows only 1, 2, 3.

    It counts all items before an item, so that a long list, or one with a number of its own, goes on in further lists.
    """
    from lxml import etree

    letters = _LETTERS.get(numbered.get("type", ""))
    count = _whole(numbered.get("start"), 1)
    current, length = numbered, 0
    for child in list(numbered):
        is_item = child.tag == "li"
        number = _whole(child.get("value"), count) if is_item else count
        if is_item and letters:
            label = list_number(number, letters) if number > 0 else str(number)
            child.tag, child.text = "div", f"{label}. {child.text or ''}"
        elif is_item and (number != count or length == _MAX_LIST_ITEMS):
            following = etree.Element("ol", start=str(number))
            following.tail, current.tail = current.tail, None
            current.addnext(following)
            current, length = following, 0
        count, length = number + is_item, length + is_item
        if current is not numbered:
            current.append(child)
    if letters:
        numbered.tag = "div"


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and len(text) < 9 and text.isascii() and text.isdigit() else default


def _limit_tables(root: Any) -> None:
    """Turn a table's head of many rows into a body, and limit the columns that one cell can fill."""
    for head in list(root.iter("thead")):
        if len(head.findall("tr")) > _MAX_HEAD_ROWS:
            head.tag = "tbody"
    for cell in root.iter("td", "th"):
        if len(cell.get("colspan", "")) > 2:
            cell.set("colspan", str(_MAX_COLUMNS - 1))
