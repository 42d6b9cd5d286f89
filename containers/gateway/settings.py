"""The gateway's settings, each an environment variable SPACEPORT_ and its name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from inference.settings import ChatServerSettings, read

# Other modules read these.
OTHER_VARIABLES = ("SPACEPORT_CATALOG", "SPACEPORT_DATABASE_URL_FILE", "SPACEPORT_REDIS_URL_FILE")


@dataclass(frozen=True, slots=True)
class Settings(ChatServerSettings):
    """The settings of the gateway; SPACEPORT_DATABASE_URL_FILE and SPACEPORT_REDIS_URL_FILE name files with the URLs.

    `database_url` is a URL of SQLAlchemy for PostgreSQL or SQLite; without it, the database is a file in `data`, where
    the journal is too. `journal_mb` is how much of the ledger may wait on disk while the database is away.
    `parallel` answers run at once and `queue` requests wait, together with at most `requests_mb` of text and pictures.
    Keys and what they spent are read again every `refresh_seconds`: that is how long a revoked key still works.

    Gateways with the same `redis_url` share limits and cached answers; one that waits longer than `redis_seconds` for
    it goes on alone. Complete answers with temperature 0 are kept for `cache_seconds`, in memory at most `cache_mb`;
    with 0 none is. A stored answer comes at once, or at its `original` pace.
    """

    database_url: str | None = field(default=None, repr=False)
    data: str | None = None
    journal_mb: float = 64.0
    parallel: int = 256
    queue: int = 1024
    requests_mb: float = 100.0
    refresh_seconds: float = 1.0
    redis_url: str | None = field(default=None, repr=False)
    redis_seconds: float = 0.25
    cache_mb: float = 64.0
    cache_seconds: float = 3600.0
    cache_pace: str = "at_once"

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
