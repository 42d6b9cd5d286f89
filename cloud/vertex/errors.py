"""Translates Google's exceptions into errors with a remedy."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from backends import NotConfigured, SpaceportError
from backends.kinds.vertex.gcp import SIGN_IN
from cloud.calls import CloudError

ROLE = "cloud/policies/vertex-deployer-role.yaml"
REMEDIES = {
    400: "Fix the settings.",
    401: SIGN_IN,
    403: f"Grant the account the role of {ROLE}, and enable the API: gcloud services enable aiplatform.googleapis.com.",
    404: "Check project, location and name.",
    409: "It is being changed, or exists already: wait a minute.",
    429: "The quota is used up: wait, choose another machine or location, or request more in the console under Quotas.",
}
DEFAULT_REMEDY = "Google Cloud has a problem: wait a minute."
# Codes of google.rpc.Code, which end an operation, with the equivalent HTTP status.
HTTP_STATUS = {3: 400, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 16: 401}
_PREFIX = re.compile(r"^(\d{3} )?(GET|POST|PATCH|DELETE) https?://\S+: ")


class Refused(CloudError):
    """Vertex AI refused a request; `status` is the HTTP status."""

    def __init__(self, message: str, remedy: str, status: int) -> None:
        super().__init__(message, remedy)
        self.status = status


@contextlib.contextmanager
def translate_errors(subject: str, secrets: Mapping[str, str]) -> Iterator[None]:
    """Turn every exception of the SDK into a `SpaceportError`; values of `secrets` are not repeated."""
    import requests
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth
    from google.protobuf.json_format import ParseError

    try:
        yield
    except auth.DefaultCredentialsError as error:
        raise NotConfigured("There are no Google Cloud credentials.", SIGN_IN) from error
    except auth.GoogleAuthError as error:
        # The token server's response may repeat the request.
        raise NotConfigured(f"Google Cloud returned no token ({type(error).__name__}).", SIGN_IN) from error
    except api.GoogleAPICallError as error:
        raise refusal(subject, int(error.code or 503), str(error.message), secrets) from error
    except api.RetryError as error:
        cause = error.cause
        if isinstance(cause, api.GoogleAPICallError):
            raise refusal(subject, int(cause.code or 503), str(cause.message), secrets) from error
        raise _unreachable(subject, cause or error) from error
    except requests.RequestException as error:
        raise _unreachable(subject, error) from error
    except ParseError as error:
        raise CloudError(f"{subject}: the response isn't from Vertex AI.", "Check api_endpoint.") from error


def refusal(subject: str, status: int, message: str, secrets: Mapping[str, str]) -> Refused:
    """Return the error for a refused request, with Google's message, without the address and secrets."""
    quote = _redact(_PREFIX.sub("", message).strip(), secrets)[:500]
    return Refused(f"{subject} was refused ({status}): “{quote}”.", REMEDIES.get(status, DEFAULT_REMEDY), status)


def invalid_request(subject: str, error: Exception, secrets: Mapping[str, str]) -> CloudError:
    """Return the error for a request that doesn't match the API's message type."""
    reason = _redact(str(error).splitlines()[0], secrets)
    return CloudError(f"{subject}: the request is invalid: {reason}", "Fix the settings.")


def failed_operation(subject: str, error: Any, secrets: Mapping[str, str]) -> Refused:
    """Return the error for an operation that failed."""
    status = HTTP_STATUS.get(error.code, 500)
    quote = _redact(error.message.strip(), secrets)[:500]
    remedy = REMEDIES.get(status, "Check the container's log: its health route must succeed in time.")
    return Refused(f"{subject} failed: “{quote}”.", remedy, status)


def _unreachable(subject: str, error: BaseException) -> SpaceportError:
    message = f"{subject}: Vertex AI can't be reached ({type(error).__name__})."
    return CloudError(message, "Check the network and the location.")


def _redact(text: str, secrets: Mapping[str, str]) -> str:
    for value in sorted(secrets.values(), key=len, reverse=True):
        if len(value) > 3:
            text = text.replace(value, "…")
    return text
