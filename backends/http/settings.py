"""The settings that every backend kind with an HTTP client shares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backends.http.certificates import trusting
from backends.http.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Time-outs in seconds: to open a connection, and between two reads, which includes the first token.

    `ca` is a PEM file with the certificate of the server's authority, instead of those that this machine trusts.
    """

    connect_timeout: float = 5.0
    read_timeout: float = 120.0
    ca: str | None = None

    @property
    def timeouts(self) -> tuple[float, float]:
        return self.connect_timeout, self.read_timeout

    @property
    def ca_path(self) -> str | None:
        """The path of `ca`, without a `~`."""
        return str(Path(self.ca).expanduser()) if self.ca else None

    @property
    def network(self) -> Network | None:
        """The network of a server with a `ca`; raises `NotConfigured` if that can't be read."""
        return trusting(self.ca_path) if self.ca_path else None
