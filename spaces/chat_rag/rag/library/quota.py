"""Limits for one visitor's documents, so that a public page stays usable for the others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rag.documents import Document
from rag.errors import DocumentError
from ui.process.environment import int_setting

# A text without pages counts as one page per 3,000 characters: its length decides the cost.
PAGE_CHARACTERS = 3_000


class QuotaExceeded(DocumentError):
    """The document doesn't fit into the visitor's quota."""


@dataclass(frozen=True, slots=True)
class Size:
    """The size of some documents: files, pages (see `page_count`), and bytes of the uploaded files."""

    files: int = 0
    pages: int = 0
    bytes: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.files + other.files, self.pages + other.pages, self.bytes + other.bytes)


@dataclass(frozen=True, slots=True)
class Quota:
    """The limits for one visitor; 0 means no limit."""

    files: int = 50
    pages: int = 2_000
    megabytes: int = 200

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Quota:
        """Read SPACEPORT_MAX_FILES, _MAX_PAGES and _MAX_MB."""
        return cls(
            int_setting("SPACEPORT_MAX_FILES", cls().files, environment),
            int_setting("SPACEPORT_MAX_PAGES", cls().pages, environment),
            int_setting("SPACEPORT_MAX_MB", cls().megabytes, environment),
        )

    def check(self, name: str, addition: Size, current: Size, largest: str = "") -> None:
        """Raise `QuotaExceeded` if the file `name` of the size `addition` doesn't fit beside the `current` documents.

        `largest` names the document whose removal frees the most pages.
        """
        if self.files and current.files + addition.files > self.files:
            raise QuotaExceeded(
                f"You already have {_count(current.files, 'document')}.", f"Remove one before you add {name}."
            )
        for unit, new, old, limit in (
            ("pages", addition.pages, current.pages, self.pages),
            ("MB", addition.bytes / 1e6, current.bytes / 1e6, self.megabytes),
        ):
            if limit and new + old > limit:
                message = f"“{name}” has {_format(new)} {unit}; the limit for all documents together is {limit:,}"
                if new > limit or not largest:
                    raise QuotaExceeded(f"{message}.", "Upload only the part that you need.")
                raise QuotaExceeded(
                    f"{message}, of which {_format(old)} are used.",
                    f"Remove a document first, such as “{largest}”, or upload a part of this one.",
                )


UNLIMITED = Quota(0, 0, 0)


def page_count(document: Document) -> int:
    """Return the number of pages; a text without pages counts by its length."""
    return len(document.pages) or math.ceil(len(document.text) / PAGE_CHARACTERS)


def _format(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _count(number: int, noun: str) -> str:
    """Return `3 pages` or `1 page`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
