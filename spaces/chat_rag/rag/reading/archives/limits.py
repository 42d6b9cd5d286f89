"""Limits for the documents of one folder or archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ui.process.environment import int_setting


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much one archive may contain.

    `documents` and `megabytes` (unpacked) include archives inside the archive; `nesting` is how deep those may be, and
    `folders` how many folders a name may have. `entries` limits the table of contents, in which everything counts.
    """

    documents: int = 200
    megabytes: int = 200
    nesting: int = 2
    folders: int = 10
    entries: int = 20_000

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> ArchiveLimits:
        """Read SPACEPORT_ARCHIVE_FILES and SPACEPORT_ARCHIVE_MB."""
        return cls(
            int_setting("SPACEPORT_ARCHIVE_FILES", cls().documents, environment, least=1),
            int_setting("SPACEPORT_ARCHIVE_MB", cls().megabytes, environment, least=1),
        )
