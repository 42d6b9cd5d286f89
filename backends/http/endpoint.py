"""A server to talk to, and how it is shown to people without what it holds of secrets."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

import httpx2

from backends.errors import NotConfigured
from backends.http.network import Network
from backends.text import one_line

# A value of a URL's query this short is a version or a flag, no secret.
SHORT = 5
PLAIN_PATHS = ("", "/", "/v1", "/api")  # any other may hold a key


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server to talk to: its base URL without a slash at the end, its secret, its time-outs in seconds.

    `read_timeout` is the longest silence, before the first token or between two.
    """

    url: str
    api_key: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 120.0
    what: str = "The server"
    inside: bool = False  # in this process: its address says nothing to anybody
    plain_path: bool = False  # its path is known to hold no key
    network: Network | None = None  # how it is reached, if not like any other
    if_down: str = "Start it, or correct the url in the catalogue."

    def __post_init__(self) -> None:
        # A key that was pasted with its line end is the same key; one that no header can hold would come back
        # in the HTTP library's error, in full.
        key = (self.api_key or "").strip()
        if not (key.isascii() and key.isprintable()):
            raise NotConfigured("The API key holds characters that no key has.", "Copy it again, without line breaks.")
        object.__setattr__(self, "api_key", key or None)

    @property
    def headers(self) -> dict[str, str]:
        # Compressed events would arrive late, in lumps.
        headers = {"Accept-Encoding": "identity"}
        return headers | ({"Authorization": f"Bearer {self.api_key}"} if self.api_key else {})

    @property
    def timeout(self) -> httpx2.Timeout:
        return httpx2.Timeout(self.read_timeout, connect=self.connect_timeout)

    @property
    def shown(self) -> str:
        """The URL for people: without user name, password or query, and without a path that may hold a key."""
        parts = urlsplit(self.url)
        path = parts.path if self.plain_path or parts.path in PLAIN_PATHS else "/…"
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))

    @property
    def place(self) -> str:
        """What it is and where, to begin a sentence with."""
        return self.what if self.inside else f"{self.what} at {self.shown}"

    def route(self, path: str) -> str:
        """The URL of `path` below the base; a query of the base, such as an API version, stays at the end."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(path=parts.path + path))

    def redact(self, text: str) -> str:
        """`text` without the key and what the URL holds of secrets, for servers that repeat them in their errors."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def quoted(self, text: str) -> str:
        """The server's own words for an error message: redacted, in one line of at most 300 characters."""
        return one_line(self.redact(text[:20_000]))

    @property
    def _secrets(self) -> list[str]:
        """The key, a password (also as a header spells it) and the values of the query, the longest first."""
        parts = urlsplit(self.url)
        found = {self.api_key or "", *(value for _, value in parse_qsl(parts.query) if len(value) > SHORT)}
        if not self.plain_path and parts.path not in PLAIN_PATHS:  # some gateways want a key there
            found |= {parts.path, *(part for part in parts.path.split("/") if len(part) > SHORT)}
        if parts.password:
            user, password = unquote(parts.username or ""), unquote(parts.password)
            found |= {parts.password, password, b64encode(f"{user}:{password}".encode()).decode()}
        return sorted(filter(None, found), key=len, reverse=True)
