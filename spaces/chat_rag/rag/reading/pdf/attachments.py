"""Names of the files inside of a PDF, which aren't read."""

from __future__ import annotations

from typing import Any

_MOST = 1_000


def attachment_names(document: Any) -> list[str]:
    """Return the names of the files that are attached to a document as a whole. The caller holds PDFium's lock."""
    count = min(document.count_attachments(), _MOST)
    return [" ".join(document.get_attachment(index).get_name().split()) for index in range(count)]
