"""The settings that every backend kind with an HTTP client shares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Time-outs in seconds: to open a connection, and between two reads, which includes the first token."""

    connect_timeout: float = 5.0
    read_timeout: float = 120.0

    @property
    def timeouts(self) -> tuple[float, float]:
        return self.connect_timeout, self.read_timeout
