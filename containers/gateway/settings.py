"""The gateway's settings, each an environment variable SPACEPORT_ and its name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from inference.settings import ServerSettings, read

# Other modules read these.
OTHER_VARIABLES = ("SPACEPORT_CATALOG", "SPACEPORT_DATABASE_URL_FILE")


@dataclass(frozen=True, slots=True)
class Settings(ServerSettings):
    """The settings of the gateway; SPACEPORT_DATABASE_URL_FILE names a file with the URL.

    `database_url` is a URL of SQLAlchemy for PostgreSQL or SQLite; without it, the database is a file in `data`, where
    the journal is too. `journal_mb` is how much of the ledger may wait on disk while the database is away.
    `parallel` answers run at once and `queue` requests wait. Keys and what they spent are read again every
    `refresh_seconds`: that is how long a revoked key still works.
    """

    database_url: str | None = field(default=None, repr=False)
    data: str | None = None
    journal_mb: float = 64.0
    parallel: int = 256
    queue: int = 1024
    refresh_seconds: float = 1.0

    @property
    def folder(self) -> Path:
        """The folder of the SQLite file and of the journal."""
        if self.data:
            return Path(self.data).absolute() / "gateway"
        home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        return Path(home) / "spaceport" / "gateway"


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; raises `NotConfigured` with the name of a variable that is wrong."""
    return read(Settings, environment)
