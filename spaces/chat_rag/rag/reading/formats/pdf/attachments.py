"""Names of the files inside of a PDF, which aren't read."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from rag.documents import Note, NoteKind

_MOST = 1_000
_MOST_NAMES, _MOST_CHARACTERS = 50, 200  # of a note
_UNKNOWN = "?"  # a file without a name, or a damaged one


def attachment_names(document: Any) -> list[str]:
    """Return the names of the files that are attached to a document as a whole. The caller holds PDFium's lock."""
    return [_name(document, index) for index in range(min(document.count_attachments(), _MOST))]


def attachments_note(names: Iterable[str]) -> Note:
    """Return the note on files that aren't read; it names the first ones, and counts all."""
    distinct = dict.fromkeys(names)
    shown = tuple(name[:_MOST_CHARACTERS] for name in islice(distinct, _MOST_NAMES))
    more = ("…",) if len(distinct) > _MOST_NAMES else ()
    return Note(NoteKind.UNREAD_ATTACHMENTS, len(distinct), (*shown, *more))


def _name(document: Any, index: int) -> str:
    import pypdfium2

    try:
        name = document.get_attachment(index).get_name()
    except UnicodeDecodeError as error:
        name = error.object.decode(error.encoding, "replace")
    except pypdfium2.PdfiumError:
        name = ""
    return " ".join(name.split()) or _UNKNOWN
