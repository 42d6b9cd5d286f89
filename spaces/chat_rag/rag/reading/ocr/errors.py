"""What can go wrong while the text of a picture is recognized."""

from __future__ import annotations

from rag.errors import DocumentError

REMEDY = "Run it through text recognition (for example: ocrmypdf in.pdf out.pdf) and upload the result."


class PageTooSlow(DocumentError):
    """The text recognition of a page takes longer than it may."""

    def __init__(self, name: str, page: int, seconds: float) -> None:
        super().__init__(
            f"“{name}” is scanned, and the text recognition of page {page} took longer than {seconds:g} s.", REMEDY
        )


class PageFailed(DocumentError):
    """The engine can't read the picture of a page, or it stopped working."""

    def __init__(self, name: str, page: int) -> None:
        super().__init__(f"“{name}” is scanned, and the text of page {page} can't be recognized.", REMEDY)
