"""Google's exceptions become ours here, with what to do about them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from backends import NotConfigured, SpaceportError
from backends.vertex.gcp import SIGN_IN
from cloud.calls import CloudError

ROLE = "cloud/policies/vertex-deployer-role.yaml"
REMEDIES = {
    400: "Correct the settings.",
    401: SIGN_IN,
    403: f"Give the account the role of {ROLE}, and enable the API: gcloud services enable aiplatform.googleapis.com.",
    404: "Check project, location and name.",
    409: "It is being changed, or is there already: wait a minute.",
    429: "The quota is used up: wait, choose another machine or location, or ask for more in the console under Quotas.",
}
LATER = "Google Cloud does not answer as it should: wait a minute."
# Of google.rpc.Code, what an operation ends with, as the HTTP status of the same meaning.
STATUS = {3: 400, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 16: 401}
_PREFIX = re.compile(r"^(\d{3} )?(GET|POST|PATCH|DELETE) https?://\S+: ")


class Refused(CloudError):
    """Vertex AI said no; `status` is that of HTTP."""

    def __init__(self, message: str, remedy: str, status: int) -> None:
        super().__init__(message, remedy)
        self.status = status


@contextlib.contextmanager
def translated(what: str, secrets: Mapping[str, str]) -> Iterator[None]:
    """Raise `SpaceportError` for whatever the SDK raises; values of `secrets` are not repeated."""
    import requests
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth
    from google.protobuf.json_format import ParseError

    try:
        yield
    except auth.DefaultCredentialsError as error:
        raise NotConfigured("There are no Google Cloud credentials.", SIGN_IN) from error
    except auth.GoogleAuthError as error:
        # What the token server answers may repeat what it was sent.
        raise NotConfigured(f"Google Cloud gave no token ({type(error).__name__}).", SIGN_IN) from error
    except api.GoogleAPICallError as error:
        raise refused(what, int(error.code or 503), str(error.message), secrets) from error
    except api.RetryError as error:
        cause = error.cause
        if isinstance(cause, api.GoogleAPICallError):
            raise refused(what, int(cause.code or 503), str(cause.message), secrets) from error
        raise _unreachable(what, cause or error) from error
    except requests.RequestException as error:
        raise _unreachable(what, error) from error
    except ParseError as error:
        raise CloudError(f"{what}: what came back is no answer of Vertex AI.", "Check api_endpoint.") from error


def refused(what: str, status: int, message: str, secrets: Mapping[str, str]) -> Refused:
    """The error for a refusal, in Google's words without the address and without secrets."""
    said = _without(_PREFIX.sub("", message).strip(), secrets)[:500]
    return Refused(f"{what} was refused ({status}): “{said}”.", REMEDIES.get(status, LATER), status)


def unknown(what: str, error: Exception, secrets: Mapping[str, str]) -> CloudError:
    """The error for a request that Google's own message does not know."""
    said = _without(str(error).splitlines()[0], secrets)
    return CloudError(f"{what}: the request is not as the API wants it: {said}", "Correct the settings.")


def failed(what: str, error: Any, secrets: Mapping[str, str]) -> Refused:
    """The error for an operation that ended with one."""
    status = STATUS.get(error.code, 500)
    said = _without(error.message.strip(), secrets)[:500]
    remedy = REMEDIES.get(status, "Look at the container's log: it has to become ready on its health route in time.")
    return Refused(f"{what} ended with an error: “{said}”.", remedy, status)


def _unreachable(what: str, error: BaseException) -> SpaceportError:
    why = f"{what}: Vertex AI cannot be reached ({type(error).__name__})."
    return CloudError(why, "Check the network and the location.")


def _without(text: str, secrets: Mapping[str, str]) -> str:
    for value in sorted(secrets.values(), key=len, reverse=True):
        if len(value) > 3:
            text = text.replace(value, "…")
    return text
