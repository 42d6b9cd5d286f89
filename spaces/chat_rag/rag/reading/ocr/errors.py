"""What can go wrong while the text of a picture is recognized."""

from __future__ import annotations

from rag.errors import FileError, FileProblem


class PageTooSlow(FileError):
    """The text recognition of a page takes longer than it may."""

    def __init__(self, name: str, page: int, seconds: float) -> None:
        super().__init__(FileProblem.SLOW_RECOGNITION, name=name, page=page, seconds=seconds)


class PageFailed(FileError):
    """The engine can't read the picture of a page, or it stopped working."""

    def __init__(self, name: str, page: int) -> None:
        super().__init__(FileProblem.FAILED_RECOGNITION, name=name, page=page)
