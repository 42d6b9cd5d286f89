"""A server's address, credentials and time-outs, and the form of its URL that is safe to display."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

import httpx2

from backends.errors import NotConfigured
from backends.http.network import Network
from backends.text import one_line

# A query value of at most this many characters is a version or a flag, not a secret.
MAX_PUBLIC_CHARACTERS = 5
PUBLIC_PATHS = ("", "/", "/v1", "/api")  # any other path may contain a key
# What the clients add to the path of a url.
CALLS = ("/chat/completions", "/embeddings", "/rerank", "/models", "/chat", "/tags")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server: its base URL without a slash at the end, its API key, its time-outs in seconds.

    `read_timeout` is the longest wait for the first token, or between two. `name` starts error messages.
    `in_process` servers run in this process, so their address means nothing to a reader. `public_path` says that the
    URL's path contains no key. `network` is for servers that can't be reached directly.
    """

    url: str
    api_key: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 120.0
    name: str = "The server"
    in_process: bool = False
    public_path: bool = False
    network: Network | None = None
    unreachable_remedy: str = "Start it, or fix the url in the catalogue."

    def __post_init__(self) -> None:
        # A key pasted with its line end is still valid. The HTTP library would repeat an invalid key in its error.
        key = (self.api_key or "").strip()
        if key.lower().startswith("bearer "):  # copied with the word before it
            key = key[len("bearer ") :].strip()
        if not (key.isascii() and key.isprintable()):
            raise NotConfigured("The API key contains invalid characters.", "Copy it again, without line breaks.")
        object.__setattr__(self, "api_key", key or None)

    @property
    def headers(self) -> dict[str, str]:
        # Compression would buffer events, so they would arrive late and in groups.
        headers = {"Accept-Encoding": "identity"}
        return headers | ({"Authorization": f"Bearer {self.api_key}"} if self.api_key else {})

    @property
    def timeout(self) -> httpx2.Timeout:
        return httpx2.Timeout(self.read_timeout, connect=self.connect_timeout)

    @property
    def display_url(self) -> str:
        """The URL without user name, password or query, and without a path that may contain a key."""
        return display_url(self.url, public_path=self.public_path)

    @property
    def label(self) -> str:
        """The name and address, to start a sentence with."""
        return self.name if self.in_process else f"{self.name} at {self.display_url}"

    def url_for(self, path: str) -> str:
        """The URL of `path` below the base; a query of the base, such as an API version, stays at the end."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(path=parts.path + path))

    def redact(self, text: str) -> str:
        """`text` without the key and the URL's secrets, because servers may repeat them in their errors."""
        for secret in self._secrets:
            text = _spellings(secret).sub("***", text)
        return text

    def quote(self, text: str) -> str:
        """The server's words for an error message: redacted, on one line of at most 300 characters."""
        return one_line(self.redact(text[:20_000]))

    def display_location(self, location: str | None) -> str:
        """The address of a redirect as the catalogue would name it; a server may repeat the key in it."""
        try:
            parts = urlsplit(location or "")
            base = next((parts.path.removesuffix(call) for call in CALLS if parts.path.endswith(call)), parts.path)
            address = display_url(urlunsplit(parts._replace(path=base)))
        except ValueError:
            address = ""
        return one_line(self.redact(address)) or "unknown"

    @property
    def _path_is_public(self) -> bool:
        return self.public_path or urlsplit(self.url).path in PUBLIC_PATHS

    @property
    def _secrets(self) -> list[str]:
        """The key, the password (also in its header encoding), query values and path segments; the longest first."""
        parts = urlsplit(self.url)
        secrets = {self.api_key or ""}
        secrets |= {value for _, value in parse_qsl(parts.query) if len(value) > MAX_PUBLIC_CHARACTERS}
        if not self._path_is_public:  # some gateways take the key in the path
            path = unquote(parts.path)
            secrets |= {parts.path, path, *(part for part in path.split("/") if len(part) > MAX_PUBLIC_CHARACTERS)}
        if parts.password:
            user, password = unquote(parts.username or ""), unquote(parts.password)
            secrets |= {parts.password, password, b64encode(f"{user}:{password}".encode()).decode()}
        return sorted(filter(None, secrets), key=len, reverse=True)


def display_url(url: str, *, public_path: bool = False) -> str:
    """`url` without user name, password, query and fragment; the path is shown only if it can't contain a key."""
    parts = urlsplit(url)
    is_public = public_path or parts.path in PUBLIC_PATHS
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path if is_public else "/…", "", ""))


def _spellings(secret: str) -> re.Pattern[str]:
    """Return a pattern for a secret in which any character can be percent-encoded: libraries differ in that."""
    return re.compile("".join(map(_character_pattern, secret)))


def _character_pattern(character: str) -> str:
    encoded = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "replace"))
    plus = r"|\+" if character == " " else ""
    return f"(?:{re.escape(character)}|(?i:{encoded}){plus})"
