"""The words of a drawing in an office file: of a diagram (SmartArt), a text box, or a chart's title."""

from __future__ import annotations

from typing import Any


def diagram_text(root: Any) -> str:
    """Return the texts of a diagram's points in the order in which they are stored, a line for each paragraph."""
    lines = (drawn_text(paragraph) for point in root.iter("{*}pt") for paragraph in point.iterfind("{*}t/{*}p"))
    return "\n".join(filter(None, lines))


def drawn_text(element: Any) -> str:
    """Return the words of an element on one line, with a space between paragraphs and for a line break."""
    from lxml import etree

    parts = (
        part.text or "" if etree.QName(part).localname == "t" else " " for part in element.iter("{*}t", "{*}p", "{*}br")
    )
    return " ".join("".join(parts).split())
