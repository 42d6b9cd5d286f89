"""Names of the files inside of a PDF, which aren't read."""

from __future__ import annotations

from typing import Any

_MOST = 1_000
_UNKNOWN = "?"  # a file without a name, or a damaged one


def attachment_names(document: Any) -> list[str]:
    """Return the names of the files that are attached to a document as a whole. The caller holds PDFium's lock."""
    return [_name(document, index) for index in range(min(document.count_attachments(), _MOST))]


def _name(document: Any, index: int) -> str:
    import pypdfium2

    try:
        name = document.get_attachment(index).get_name()
    except UnicodeDecodeError as error:
        name = error.object.decode(error.encoding, "replace")
    except pypdfium2.PdfiumError:
        name = ""
    return " ".join(name.split()) or _UNKNOWN
