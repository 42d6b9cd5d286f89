"""What belongs to a sheet of an XLSX workbook beside its cells: comments and pictures."""

from __future__ import annotations

from collections.abc import Iterator

from rag.reading.office.archive import parse_xml
from rag.reading.office.relations import relations
from rag.reading.tables import ContentWriter

# Excel writes this before a comment that belongs to a thread, for older programs.
_THREAD, _COMMENT = "[Threaded comment]", "Comment:"


def add_comments(writer: ContentWriter, parts: dict[str, bytes], sheet: str) -> None:
    """Add the comments on a sheet's cells; `sheet` is the name of its part."""
    for kind, part in relations(parts, sheet).values():
        content = parts.get(part) if kind == "comments" else None
        for comment in parse_xml(content).iter("{*}comment") if content else ():
            text = " ".join("".join(run.text or "" for run in comment.iter("{*}t")).split())
            if text.startswith(_THREAD):
                text = text.partition(_COMMENT)[2].strip()
            if text:
                writer.add_block(f"Comment on {comment.get('ref', '')}: {text}")


def picture_parts(parts: dict[str, bytes], sheet: str) -> Iterator[str]:
    """Yield the parts with a sheet's pictures."""
    drawings = [part for kind, part in relations(parts, sheet).values() if kind == "drawing"]
    for drawing in drawings:
        yield from (part for kind, part in relations(parts, drawing).values() if kind == "image")
