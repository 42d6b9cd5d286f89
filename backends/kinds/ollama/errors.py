"""What Ollama's client raises, as `BackendError`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx2

from backends.chat.failures import cut_off
from backends.errors import BackendError, Rejected, Unreachable
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import connection_failure, response_error, transport_error
from backends.http.proxies import NO_SOCKS
from backends.kinds.ollama.package import import_package
from backends.kinds.ollama.reader import OllamaReader

if TYPE_CHECKING:
    import ollama


@contextlib.contextmanager
def translate_errors(endpoint: Endpoint, model: str, reader: OllamaReader) -> Iterator[None]:
    """Turn what Ollama's client raises into a `BackendError`; `reader` says whether the answer has begun."""
    import_package()
    import httpx
    import ollama
    import socksio

    try:
        yield
    except ollama.ResponseError as error:
        raise _response_error(endpoint, error, model, interrupted=reader.has_output) from error
    except (httpx.HTTPError, httpx.InvalidURL, ConnectionError) as error:
        raise _connection_error(endpoint, error, interrupted=reader.has_output) from error
    except socksio.SOCKSError as error:
        raise transport_error(endpoint, httpx2.ProxyError(NO_SOCKS)) from error
    except (ValueError, TypeError, AttributeError) as error:  # the client's errors for unexpected or invalid JSON
        if reader.has_output:
            raise cut_off("it sent a line that is not a chat item") from error
        raise Unreachable(
            f"{endpoint.label} answered, but not as Ollama does.", "Check the url in the catalogue."
        ) from error


def _response_error(endpoint: Endpoint, error: ollama.ResponseError, model: str, *, interrupted: bool) -> BackendError:
    # A server that isn't Ollama may send an object here, contrary to the annotation.
    text = error.error if isinstance(error.error, str) else json.dumps(error.error)
    if interrupted:
        return cut_off(f"the server reports “{endpoint.redact(text)[:300]}”")
    if error.status_code == 404 and "model" in text:
        return Rejected(
            f"{endpoint.label} has no model {model!r}.",
            f"Fetch it: ollama pull {model}, or python -m backends pull with this target's name.",
            status=404,
        )
    # An error after the headers has no status of its own: the client sets -1.
    status = error.status_code if error.status_code > 0 else 500
    return response_error(endpoint, status, {}, text.encode())


def _connection_error(endpoint: Endpoint, error: Exception, *, interrupted: bool) -> BackendError:
    import httpx

    if interrupted and not isinstance(error, httpx.TimeoutException):
        return cut_off(str(error) or type(error).__name__)
    if isinstance(error, (httpx.ConnectError, ConnectionError)):
        if failure := connection_failure(endpoint, error):
            return failure
        return Unreachable(f"{endpoint.label} is not answering.", "Start it: ollama serve, or fix the url.")
    # Ollama's client uses httpx; httpx2 has the same exceptions under the same names.
    same_error = getattr(httpx2, type(error).__name__, httpx2.ConnectError)
    return transport_error(endpoint, same_error(str(error)))
