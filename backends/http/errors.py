"""What goes wrong over HTTP, in our errors: broken connections, refusals, and servers that are no model API."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime

import httpx2

from backends.errors import BackendError, NotConfigured, Overloaded, Rejected, TimedOut, Unreachable
from backends.http.endpoint import Endpoint
from backends.http.network import DialFailed
from backends.stopwatch import wall_clock
from backends.text import one_line

# Makes the error for a response that is no success: of whom, its status, headers and body.
Refuse = Callable[[Endpoint, int, Mapping[str, str], bytes], BackendError]


@contextlib.contextmanager
def translated(endpoint: Endpoint) -> Iterator[None]:
    """Turn what httpx2 raises into a `BackendError`."""
    try:
        yield
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        raise translate(endpoint, error) from error


def translate(endpoint: Endpoint, error: Exception) -> BackendError:
    """The `BackendError` for what httpx2 raised while a connection was made or read."""
    where = endpoint.place
    if isinstance(error, (httpx2.InvalidURL, httpx2.UnsupportedProtocol)):
        return NotConfigured(f"{endpoint.shown} is not a URL that can be called.", "Write it like http://host:8000/v1.")
    if isinstance(error.__cause__, DialFailed):
        return error.__cause__.reason
    if isinstance(error, (httpx2.ConnectTimeout, httpx2.PoolTimeout)):
        return Unreachable(
            f"{where} did not take the connection within {endpoint.connect_timeout:g} s.",
            "Check the address, the firewall and that the server runs.",
        )
    if isinstance(error, httpx2.TimeoutException):
        return TimedOut(
            f"{where} was silent for {endpoint.read_timeout:g} s.",
            "Ask again, or raise read_timeout in the catalogue if the model is that slow.",
        )
    reason = endpoint.quoted(str(error)) or type(error).__name__
    return Unreachable(f"{where} is not answering ({reason}).", endpoint.if_down)


def refusal(endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes) -> BackendError:
    """The error for a response that is no success, with the server's own words where it has some."""
    said = _server_words(endpoint, content)
    where = endpoint.place
    if status in (401, 403):
        remedy = "Check the API key of this target." if endpoint.api_key else "Set api_key in the catalogue."
        return Rejected(f"{where} refused the key ({status}){said}", remedy, status=status)
    if status == 404:
        remedy = "Check the model's name (`python -m backends check NAME`) and the path in the url."
        return Rejected(f"{where} does not have what was asked for (404){said}", remedy, status=status)
    if status in (429, 503, 529):
        wait = _retry_after(headers.get("retry-after"))
        remedy = f"Try again in {wait:g} s." if wait is not None else "Wait a moment, then try again."
        return Overloaded(f"{where} is busy ({status}){said}", remedy, retry_after=wait)
    if status >= 500:
        return Rejected(f"{where} failed ({status}){said}", "Look at the server's log.", status=status)
    if status < 400:
        remedy = f"Use the address it points to: {headers.get('location', 'unknown')}."
        return Rejected(f"{where} sends elsewhere ({status}){said}", remedy, status=status)
    too_long = "context" in said.lower()
    remedy = "Send less: fewer passages, a shorter conversation." if too_long else "Change the request as it says."
    return Rejected(f"{where} refused the request ({status}){said}", remedy, status=status)


def not_an_api(endpoint: Endpoint, text: str) -> Unreachable:
    """The error for a server that answers with something else than the API."""
    said = _server_words(endpoint, text.encode())
    return Unreachable(
        f"{endpoint.place} answered, but not as a model API{said}",
        "Check the url: it often ends in /v1.",
    )


def _server_words(endpoint: Endpoint, content: bytes) -> str:
    """What the server says of the error, in one short line that starts with a colon; or a full stop."""
    text = endpoint.redact(content.decode("utf-8", "replace")).strip()[:20_000]
    try:
        found = json.loads(text)
        while isinstance(found, dict):
            found = found.get("error") or found.get("message") or found.get("detail") or ""
        text = str(found)
    except ValueError:
        if title := re.search(r"<title[^>]*>(.*?)</title>", text, re.S | re.I):
            text = title[1]
        text = re.sub(r"<[^>]*>", " ", text)
    text = one_line(text)
    return f": “{text}”." if text else "."


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait, from a Retry-After header in either of its two forms."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        with contextlib.suppress(ValueError):
            return max(0.0, parsedate_to_datetime(value).timestamp() - wall_clock())
        return None
