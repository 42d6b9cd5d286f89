"""The relations between the parts of an office file: which picture, chart or comments belong to a page."""

from __future__ import annotations

import posixpath
from typing import NamedTuple
from urllib.parse import unquote

from rag.reading.office.archive import parse_xml

RELATIONSHIPS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


class Relation(NamedTuple):
    """What a part refers to: the last word of the relation's type, such as "image", and the other part's name."""

    kind: str
    part: str


def relations(parts: dict[str, bytes], part: str) -> dict[str, Relation]:
    """Return the relations of a part by their ids."""
    folder, name = posixpath.split(part)
    content = parts.get(f"{folder}/_rels/{name}.rels")
    return {
        element.get("Id", ""): Relation(
            element.get("Type", "").rpartition("/")[2], part_name(folder, element.get("Target", ""))
        )
        for element in (parse_xml(content) if content else ())
    }


def part_name(folder: str, link: str) -> str:
    """Return the name of the part that a link inside a folder points to."""
    return posixpath.normpath(posixpath.join("/", folder, unquote(link.partition("#")[0])))[1:]
