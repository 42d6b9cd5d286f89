"""Rewrites what mammoth drops from Word files: chosen values, drawn letters, those with a reading, indented rows."""

from __future__ import annotations

from typing import Any

from rag.reading.formats.office.word.document_xml import W, value_of

_MAX_SPAN = 100


def rewrite_dropped(root: Any) -> None:
    """Change a Word file's main text so that nothing of it is dropped."""
    _write_choices(root)
    _write_art(root)
    _keep_letters(root)
    _fill_rows(root)
    _strike_once(root)
    for name, known in (("ptab", "tab"), ("cr", "br")):
        for space in root.iter(f"{W}{name}"):
            space.tag = f"{W}{known}"


def repair_styles(styles: Any) -> None:
    """Give styles the kind that they may leave out, and remove those without a name: mammoth drops or refuses them."""
    for style in styles.findall(f"{W}style"):
        if style.get(f"{W}styleId") is None:
            styles.remove(style)
        elif style.get(f"{W}type") is None:
            style.set(f"{W}type", "paragraph")
    _strike_once(styles)


def _strike_once(root: Any) -> None:
    """Turn double lines through text into single ones, which mammoth knows."""
    for strike in root.iter(f"{W}dstrike"):
        strike.tag = f"{W}strike"


def _write_choices(root: Any) -> None:
    """Write the chosen value of each drop-down field before it."""
    from lxml import etree

    for choices in root.iter(f"{W}ddList"):
        entries = [value_of(entry) for entry in choices.iter(f"{W}listEntry")]
        number = value_of(choices.find(f"{W}result"), value_of(choices.find(f"{W}default"), "0"))
        run = next(choices.iterancestors(f"{W}r"), None)
        if run is not None and number.isdecimal() and int(number) < len(entries):
            chosen = etree.Element(f"{W}r")
            etree.SubElement(chosen, f"{W}t").text = entries[int(number)]
            run.addprevious(chosen)


def _write_art(root: Any) -> None:
    """Write the words of drawn letters (WordArt) before them."""
    from lxml import etree

    for art in root.iter("{urn:schemas-microsoft-com:vml}textpath"):
        run = next(art.iterancestors(f"{W}r"), None)
        if run is not None and art.get("string", "").strip():
            words = etree.Element(f"{W}r")
            etree.SubElement(words, f"{W}t").text = art.get("string")
            run.addprevious(words)


def _keep_letters(root: Any) -> None:
    """Keep the letters below a reading (ruby); the reading itself repeats them."""
    for ruby in root.iter(f"{W}ruby"):
        for part in list(ruby):
            if part.tag == f"{W}rubyBase":
                part.tag = f"{W}smartTag"
            else:
                ruby.remove(part)
        ruby.tag = f"{W}smartTag"


def _fill_rows(root: Any) -> None:
    """Add a cell for the columns that a row leaves out at its start."""
    from lxml import etree

    for before in root.iter(f"{W}gridBefore"):
        row = next(before.iterancestors(f"{W}tr"), None)
        count = value_of(before)
        first = row.find(f"{W}tc") if row is not None else None
        if first is not None and count.isdecimal():
            cell = etree.Element(f"{W}tc")
            properties = etree.SubElement(cell, f"{W}tcPr")
            etree.SubElement(properties, f"{W}gridSpan").set(f"{W}val", str(min(int(count), _MAX_SPAN)))
            etree.SubElement(cell, f"{W}p")
            first.addprevious(cell)
