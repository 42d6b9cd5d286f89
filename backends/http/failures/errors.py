"""HTTP failures as `BackendError`: broken connections, error responses, and servers that aren't model APIs."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2

from backends.errors import BackendError, NotConfigured, Overloaded, Rejected, TimedOut, Unreachable
from backends.http.certificates import certificate_error, find_cause
from backends.http.endpoint import Endpoint
from backends.http.failures.causes import error_cause
from backends.http.failures.error_words import error_kind, error_words, page_words
from backends.http.failures.waits import describe_wait, requested_wait
from backends.http.network import DialFailed
from backends.http.proxies import endpoint_proxy, proxy_error
from backends.text import one_line, to_json

CHECK_BILLING = "Check the plan and the billing of the account."
CHANGE_REQUEST = "Change the request as the message says."
LOOK_AT_LOG = "Look at the server's log."
OTHER_WORDS = "Ask in other words."
SEND_LESS = "Send less: fewer passages, a shorter conversation."
_ASK_OPERATOR = "A firewall or a sign-in page stands before the server: check the url, or ask its operator."
_FAILED_STATUSES = (408, 424, 425)  # nothing is wrong with the request
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
    text = endpoint.redact(content.decode("utf-8", "replace")).strip()[:20_000]
    document, said = _read_words(text)
    words = _quoted(said)
    label = endpoint.label
    if status == 407 and (proxy := endpoint_proxy(endpoint)):
        return proxy_error(proxy, label, str(status), answers=True)
    if status == 404:
        return Rejected(f"{label} does not have that model or route (404){words}", _route_remedy(endpoint), status=404)
    if status < 400:
        remedy = f"Use the address it points to: {endpoint.display_location(headers.get('location'))}."
        return Rejected(f"{label} redirects elsewhere ({status}){words}", remedy, status=status)
    cause = error_cause(status, error_kind(document), said.lower())
    if cause == "busy":
        return busy(f"{label} is busy ({status}){words}", requested_wait(headers, text))
    if cause == "quota":
        return Rejected(f"{label} has no quota left ({status}){words}", CHECK_BILLING, status=status)
    if status in (401, 403):
        if status == 403 and document is None and text.startswith("<"):  # of a firewall, which knows no keys
            return Rejected(f"{label} refused access ({status}){words}", _ASK_OPERATOR, status=status)
        return Rejected(f"{label} refused the key ({status}){words}", key_remedy(endpoint), status=status)
    if status >= 500 or status in _FAILED_STATUSES:
        return Rejected(f"{label} failed ({status}){words}", LOOK_AT_LOG, status=status)
    remedies = {"too long": SEND_LESS, "filter": OTHER_WORDS, "key": key_remedy(endpoint)}
    remedy = _route_remedy(endpoint) if status == 405 else remedies.get(cause or "", CHANGE_REQUEST)
    error = Rejected(f"{label} refused the request ({status}){words}", remedy, status=status)
    error.is_refusal = cause == "filter"
    return error


def busy(message: str, wait: float | None) -> Overloaded:
    """The error of a busy server; `wait` is how many seconds it asks for, or None."""
    remedy = "Wait a moment, then try again." if wait is None else f"Try again in {describe_wait(wait)}."
    return Overloaded(message, remedy, retry_after=wait)


def key_remedy(endpoint: Endpoint) -> str:
    """What to do about a key that a server refuses."""
    return "Check the API key of this target." if endpoint.api_key else "Set api_key in the catalogue."


def _route_remedy(endpoint: Endpoint) -> str:
    if "/v1/v1" in endpoint.url:
        return "The url in the catalogue has /v1 twice: write it once."
    remedy = "Check the model's name (`python -m backends check NAME`) and the path in the url."
    return remedy if "/v1" in endpoint.url else f"{remedy} The path of most servers ends in /v1."


def not_an_api(endpoint: Endpoint, text: str) -> Unreachable:
    """The error for a server that answers, but not in the format of the API."""
    words = _server_words(endpoint, text.encode())
    return Unreachable(
        f"{endpoint.label} answered, but not as a model API{words}",
        "Check the url: it often ends in /v1.",
    )


def _server_words(endpoint: Endpoint, content: bytes) -> str:
    """The server's error text as the end of a sentence: ": “…”.", or "." if there is none."""
    return _quoted(_read_words(endpoint.redact(content.decode("utf-8", "replace")).strip()[:20_000])[1])


def _read_words(text: str) -> tuple[Any, str]:
    """The JSON of a body, None if it isn't any, and its words."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None, page_words(text)
    return value, error_words(value) or (to_json(value) if value else "")


def _quoted(words: str) -> str:
    line = one_line(words)
    return f": “{line}”." if line else "."
