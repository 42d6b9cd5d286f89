"""Fetches a web page or a file into a file that a reader reads."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from email.message import Message
from pathlib import Path, PurePosixPath

from rag.errors import FileError, FileProblem
from rag.reading.archives.sources import Source
from rag.reading.file_names import display_name
from rag.reading.formats.text.decode import known_encoding
from rag.reading.parse import is_supported, suffix_of
from rag.reading.web.addresses import Edge
from rag.reading.web.client import Reply, WebClient, WebLimits
from ui.process.environment import text_setting

SETTING = "SPACEPORT_ALLOW_URLS"
_URL = re.compile(r"https?://", re.IGNORECASE)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def is_url(text: str) -> bool:
    """Return whether a text is meant as the address of a web page."""
    return bool(_URL.match(text.strip()))


def urls_allowed(environment: Mapping[str, str] | None = None) -> bool:
    """Return whether the operator allows this program to fetch pages."""
    return text_setting(SETTING, environment).lower() in ("1", "true", "yes", "on")


def fetch(url: str, *, edge: Edge | None = None, limits: WebLimits | None = None) -> Source:
    """Return a page or file of the web as a new file, which the caller deletes, and its address after all redirects.

    Blocks. Raises `DocumentError`, also if the operator doesn't allow it.
    """
    if not urls_allowed():
        raise FileError(FileProblem.NO_WEB_PAGES, setting=SETTING)
    with WebClient(edge or Edge(), limits or WebLimits()) as client:
        reply = client.get_page(url.strip())
    address = str(reply.url)
    suffix, charset = _kind(reply)
    folder, _, name = address.rstrip("/").rpartition("/")
    path = Path(tempfile.gettempdir(), f"spaceport-{secrets.token_hex(16)}{suffix}")
    with open(path, "xb", opener=_open_for_owner) as file:
        file.write(_with_encoding(reply.content, charset))
    return Source(path, display_name(name), folder)


def _open_for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _kind(reply: Reply) -> tuple[str, str]:
    """Return the suffix of the reader for a reply, and its character set or "".

    Servers send files that they don't know as text/plain or application/octet-stream; then the address decides.
    """
    head = Message()
    head["Content-Type"] = reply.content_type or "application/octet-stream"
    kind, charset = head.get_content_type(), str(head.get_content_charset(""))
    suffix = suffix_of(kind)
    if suffix in ("", ".txt") and is_supported(reply.url.path):
        suffix = PurePosixPath(reply.url.path).suffix.lower() or suffix
    if not suffix:
        raise FileError(FileProblem.PAGE_TYPE, address=str(reply.url), kind=kind)
    return suffix, charset if kind.startswith("text/") else ""


def _with_encoding(content: bytes, charset: str) -> bytes:
    """Return a text as UTF-8 with a byte order mark if its server names its character set, which the file can't."""
    if encoding := known_encoding(charset):
        try:
            return _BYTE_ORDER_MARK + content.decode(encoding).removeprefix("\ufeff").encode()
        except UnicodeError:
            pass
    return content
