"""The relations between the parts of an office file: which picture, chart or comments belong to a page."""

from __future__ import annotations

import posixpath
from typing import NamedTuple
from urllib.parse import unquote

from rag.reading.formats.office.archive import parse_xml

RELATIONSHIPS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_EMBEDDED = ("package", "oleObject")


class Relation(NamedTuple):
    """What a part refers to: the last word of the relation's type, such as "image", and the other part's name."""

    kind: str
    part: str


def relations(parts: dict[str, bytes], part: str) -> dict[str, Relation]:
    """Return the relations of a part by their ids; "" stands for the file as a whole."""
    folder = posixpath.dirname(part)
    content = parts.get(relations_part(part))
    return {
        element.get("Id", ""): Relation(
            element.get("Type", "").rpartition("/")[2], part_name(folder, element.get("Target", ""))
        )
        for element in (parse_xml(content) if content else ())
    }


def embedded_names(parts: dict[str, bytes], part: str) -> list[str]:
    """Return the names of the files of other programs, such as workbooks, that a part shows as a picture."""
    return [posixpath.basename(file) for kind, file in relations(parts, part).values() if kind in _EMBEDDED]


def relations_part(part: str) -> str:
    """Return the name of the part with the relations of another part."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def part_name(folder: str, link: str) -> str:
    """Return the name of the part that a link inside a folder points to."""
    return posixpath.normpath(posixpath.join("/", folder, unquote(link.partition("#")[0])))[1:]
