"""What one visitor may keep and ask, so that a public page stays usable for the others."""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from backends import NotConfigured, stopwatch
from rag.documents import Document
from rag.errors import DocumentError, RagError

# A text without pages counts as one page for each so many characters: what costs time is its length.
PAGE_CHARACTERS = 3_000
_MINUTE = 60.0


class QuotaExceeded(DocumentError):
    """A visitor's documents would be more than one visitor may keep."""


class TooManyQuestions(RagError):
    """A visitor asks too fast; `retry_after` is the wait in seconds."""

    def __init__(self, message: str, remedy: str = "", *, retry_after: float) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Size:
    """What some documents take up: files, pages (see `page_count`), bytes of the files as they were sent."""

    files: int = 0
    pages: int = 0
    bytes: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.files + other.files, self.pages + other.pages, self.bytes + other.bytes)


@dataclass(frozen=True, slots=True)
class Quota:
    """The most that one visitor may keep and ask; 0 stands for no limit."""

    files: int = 50
    pages: int = 2_000
    megabytes: int = 200
    questions_per_minute: int = 20

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Quota:
        """The quota that SPACEPORT_MAX_FILES, _MAX_PAGES, _MAX_MB and _QUESTIONS_A_MINUTE set."""
        return cls(
            int_setting("SPACEPORT_MAX_FILES", cls().files, environment),
            int_setting("SPACEPORT_MAX_PAGES", cls().pages, environment),
            int_setting("SPACEPORT_MAX_MB", cls().megabytes, environment),
            int_setting("SPACEPORT_QUESTIONS_A_MINUTE", cls().questions_per_minute, environment),
        )

    def check(self, name: str, more: Size, held: Size, largest: str = "") -> None:
        """Raise `QuotaExceeded` if the file `name`, which takes up `more`, does not fit beside what is `held`.

        `largest` is the document that would make most room.
        """
        total = held + more
        if self.files and total.files > self.files:
            are = "is" if held.files == 1 else "are"
            raise QuotaExceeded(
                f"There {are} {amount(held.files, 'document')} already.", f"Remove one before {name} is added."
            )
        for what, new, old, limit in (
            ("pages", more.pages, held.pages, self.pages),
            ("MB", more.bytes / 1e6, held.bytes / 1e6, self.megabytes),
        ):
            if limit and new + old > limit:
                message = f"“{name}” has {_written(new)} {what}; the limit for all documents together is {limit:,}"
                if new > limit or not largest:
                    raise QuotaExceeded(f"{message}.", "Upload only the part of it that you need.")
                raise QuotaExceeded(
                    f"{message}, and {_written(old)} of them are taken.",
                    f"Remove a document first, such as “{largest}”, or upload a part of this one.",
                )


UNLIMITED = Quota(0, 0, 0, 0)


class QuestionLimit:
    """How fast one visitor may ask: so many in any minute; safe across threads. `now` is a clock in seconds."""

    def __init__(self, a_minute: int, now: Callable[[], float] = stopwatch.now) -> None:
        self._limit = a_minute
        self._now = now
        self._asked: deque[float] = deque()
        self._changing = threading.Lock()

    def take(self) -> None:
        """Count one question, or raise `TooManyQuestions` with the wait until the next is welcome."""
        with self._changing:
            now = self._now()
            while self._asked and self._asked[0] <= now - _MINUTE:
                self._asked.popleft()
            if self._limit and len(self._asked) >= self._limit:
                wait = self._asked[0] + _MINUTE - now
                raise TooManyQuestions(
                    f"That is more than {amount(self._limit, 'question')} in a minute.",
                    f"Ask again in {amount(math.ceil(wait), 'second')}.",
                    retry_after=wait,
                )
            self._asked.append(now)


def page_count(document: Document) -> int:
    """A document's pages; a text without any counts by its length."""
    return len(document.pages) or math.ceil(len(document.text) / PAGE_CHARACTERS)


def int_setting(name: str, default: int, environment: Mapping[str, str] | None = None, *, least: int = 0) -> int:
    """The variable `name` as a whole number from `least`; `NotConfigured` names it where it is none."""
    value = (os.environ if environment is None else environment).get(name, "").strip()
    if not value:
        return default
    if not (value.isascii() and value.isdecimal() and int(value) >= least):
        raise NotConfigured(
            f"{name} is {value!r}, which is no whole number from {least}.",
            f"Set it to a number such as {default}, or unset it.",
        )
    return int(value)


def _written(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def amount(number: int, what: str) -> str:
    """`3 pages`, `1 page`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
