"""HTTP failures as `BackendError`: broken connections, error responses, and servers that aren't model APIs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime

import httpx2

from backends.errors import BackendError, NotConfigured, Overloaded, Rejected, TimedOut, Unreachable
from backends.http.certificates import certificate_error, find_cause
from backends.http.endpoint import Endpoint
from backends.http.error_words import error_words
from backends.http.network import DialFailed
from backends.http.proxies import endpoint_proxy, proxy_error
from backends.stopwatch import wall_clock
from backends.text import one_line, to_json

CHECK_BILLING = "Check the plan and the billing of the account."
# Not "billing": some servers name it for a limit that a minute's wait lifts.
_QUOTA = ("insufficient_quota", "insufficient_balance", "insufficient balance", "billing_hard_limit", "credit balance")
BUSY_STATUSES = (429, 503, 529)  # 529: Anthropic's servers
CHANGE_REQUEST = "Change the request as the message says."
# Both stop at the next tag, so that unfinished tags don't make a response slow to read.
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
# Makes the error for an error response from its endpoint, status, headers and body.
ErrorFactory = Callable[[Endpoint, int, Mapping[str, str], bytes], BackendError]


@contextlib.contextmanager
def translate_errors(endpoint: Endpoint) -> Iterator[None]:
    """Turn what httpx2 raises into a `BackendError`."""
    try:
        yield
    except (httpx2.TransportError, httpx2.DecodingError, httpx2.InvalidURL) as error:
        raise transport_error(endpoint, error) from error


def transport_error(endpoint: Endpoint, error: Exception) -> BackendError:
    """The `BackendError` for what httpx2 raised while it connected or read."""
    label = endpoint.label
    if isinstance(error, (httpx2.InvalidURL, httpx2.UnsupportedProtocol)):
        return NotConfigured(
            f"{endpoint.display_url} is not a URL that can be called.", "Write it like http://host:8000/v1."
        )
    if isinstance(error.__cause__, DialFailed):
        return error.__cause__.reason
    if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)) and (
        failure := connection_failure(endpoint, error)
    ):
        return failure
    if isinstance(error, (httpx2.ConnectTimeout, httpx2.PoolTimeout)):
        return Unreachable(
            f"{label} did not accept the connection within {endpoint.connect_timeout:g} s.",
            "Check the address, the firewall and that the server runs.",
        )
    if isinstance(error, httpx2.TimeoutException):
        return TimedOut(
            f"{label} sent nothing for {endpoint.read_timeout:g} s.",
            "Try again, or raise read_timeout in the catalogue if the model is that slow.",
        )
    return Unreachable(f"{label} is not answering ({_reason(endpoint, error)}).", endpoint.unreachable_remedy)


def connection_failure(endpoint: Endpoint, error: Exception) -> BackendError | None:
    """The error for a connection that failed on its certificate or at a proxy; None if the server itself failed."""
    if failure := certificate_error(endpoint.label, error):
        return failure
    proxy = endpoint_proxy(endpoint)
    if proxy is None or find_cause(error, ssl.SSLError):
        return None
    # httpx2, and the httpx of Ollama's client, name their classes alike.
    answers = type(error).__name__ == "ProxyError"
    return proxy_error(proxy, endpoint.label, _reason(endpoint, error), answers=answers)


def _reason(endpoint: Endpoint, error: Exception) -> str:
    if "Timeout" in type(error).__name__:
        return f"no connection within {endpoint.connect_timeout:g} s"
    return _refusal(error) or endpoint.quote(str(error)) or type(error).__name__


def _refusal(error: BaseException | None) -> str:
    """Return how the other side ended a connection, such as "connection refused"; "" if it's another failure.

    The words of asyncio repeat the address: "[Errno 111] Connect call failed ('127.0.0.1', 9090)".
    """
    while error and not isinstance(error, ConnectionError):
        error = error.__cause__ or error.__context__
    return os.strerror(error.errno).lower() if isinstance(error, ConnectionError) and error.errno else ""


def response_error(endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes) -> BackendError:
    """The `BackendError` for an error response, with the server's own words if it has some."""
    words = _server_words(endpoint, content)
    label = endpoint.label
    if status == 407 and (proxy := endpoint_proxy(endpoint)):
        return proxy_error(proxy, label, str(status), answers=True)
    if status in (401, 403):
        remedy = "Check the API key of this target." if endpoint.api_key else "Set api_key in the catalogue."
        return Rejected(f"{label} refused the key ({status}){words}", remedy, status=status)
    if status == 404:
        remedy = "Check the model's name (`python -m backends check NAME`) and the path in the url."
        if "/v1/v1" in endpoint.url:
            remedy = "The url in the catalogue has /v1 twice: write it once."
        elif "/v1" not in endpoint.url:
            remedy += " The path of most servers ends in /v1."
        return Rejected(f"{label} does not have that model or route (404){words}", remedy, status=status)
    if status == 402 or (status == 429 and is_quota(content.decode("utf-8", "replace").lower())):
        return Rejected(f"{label} has no quota left ({status}){words}", CHECK_BILLING, status=status)
    if status in BUSY_STATUSES:
        wait = _retry_after(headers)
        remedy = f"Try again in {wait:g} s." if wait is not None else "Wait a moment, then try again."
        return Overloaded(f"{label} is busy ({status}){words}", remedy, retry_after=wait)
    if status >= 500:
        return Rejected(f"{label} failed ({status}){words}", "Look at the server's log.", status=status)
    if status < 400:
        remedy = f"Use the address it points to: {endpoint.display_location(headers.get('location'))}."
        return Rejected(f"{label} redirects elsewhere ({status}){words}", remedy, status=status)
    # OpenAI-compatible servers have no code for this error that all of them send.
    too_long = "context" in words.lower()
    remedy = "Send less: fewer passages, a shorter conversation." if too_long else CHANGE_REQUEST
    return Rejected(f"{label} refused the request ({status}){words}", remedy, status=status)


def is_quota(text: str) -> bool:
    """Return whether a refusal, in small letters, is about the account's money, which waiting doesn't change."""
    return any(name in text for name in _QUOTA)


def not_an_api(endpoint: Endpoint, text: str) -> Unreachable:
    """The error for a server that answers, but not in the format of the API."""
    words = _server_words(endpoint, text.encode())
    return Unreachable(
        f"{endpoint.label} answered, but not as a model API{words}",
        "Check the url: it often ends in /v1.",
    )


def _server_words(endpoint: Endpoint, content: bytes) -> str:
    """The server's error text as the end of a sentence: ": “…”.", or "." if there is none."""
    text = endpoint.redact(content.decode("utf-8", "replace")).strip()[:20_000]
    try:
        value = json.loads(text)
        text = error_words(value) or (to_json(value) if value else "")
    except (ValueError, RecursionError):
        if title := _TITLE.search(text):
            text = title[1]
        text = _TAG.sub(" ", text)
    text = one_line(text)
    return f": “{text}”." if text else "."


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from retry-after-ms or either form of Retry-After."""
    milliseconds, value = headers.get("retry-after-ms"), headers.get("retry-after")
    with contextlib.suppress(ValueError):
        if milliseconds:
            return max(0.0, float(milliseconds) / 1000)
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        with contextlib.suppress(ValueError):
            return max(0.0, parsedate_to_datetime(value).timestamp() - wall_clock())
        return None
