"""A sample of the GPUs or of a server, and the protocol of the sources that are sampled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from compare.runs.records import GpuRecord, ServerRecord

Sample = GpuRecord | ServerRecord  # `at` is seconds since 1970 until it's joined to a run


class Source(Protocol):
    """Something that reports its load; `check` raises `PlanError` if it can't be reached."""

    def check(self) -> None: ...

    def sample(self) -> Iterator[Sample]:
        """Yield what it reports now; raise `OSError` or `ValueError` if that can't be read."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SourceName:
    """A source as the command line names it: [TARGET=]SOURCE."""

    target: str
    text: str

    @classmethod
    def parse(cls, text: str) -> SourceName:
        target, equals, rest = text.partition("=")
        is_named = bool(equals) and "/" not in target and ":" not in target  # an address can have a =
        return cls(target.strip(), rest.strip()) if is_named else cls("", text.strip())
