"""SageMaker's error responses as `BackendError`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from backends.errors import BackendError, NotConfigured, Overloaded, Rejected, Unreachable
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import CHANGE_REQUEST, response_error
from backends.kinds.sagemaker.aws import SIGN_IN, Identity

STARTING = ("Creating", "Updating", "SystemUpdating", "RollingBack")
RETRY_SECONDS = 15.0  # a starting endpoint may be ready after this time
EXPIRED = ("ExpiredTokenException", "ExpiredToken", "RequestExpired")
INVALID_CREDENTIALS = (
    "UnrecognizedClientException", "InvalidSignatureException", "MissingAuthenticationTokenException"
)  # fmt: skip
BUSY = ("ThrottlingException", "ModelNotReadyException", "ServiceUnavailable")
# SageMaker sends these as ValidationError, so only the words tell them apart.
NOT_FOUND = ("not found", "could not find")
NOT_READY = ("not in service", "no instance", "no capacity", "does not have any")


@dataclass(frozen=True, slots=True)
class EndpointErrors:
    """Makes the errors of one endpoint, or of one of its components."""

    identity: Identity
    name: str
    component: str | None = None

    def invocation(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes) -> BackendError:
        """The error for an error response to an invocation."""
        fields = self.identity.parse_error(status, headers, content)
        code, words = fields["Error"].get("Code", ""), endpoint.quote(fields["Error"].get("Message") or "")
        if code == "ModelError":
            return _container_error(endpoint, fields)
        return self._service_error(endpoint, status, code, words)

    def chat_route(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes) -> BackendError:
        """The error for an error response of the chat route, which comes from SageMaker or from the container."""
        error = self.invocation(endpoint, status, headers, content)
        return response_error(endpoint, status, headers, content) if type(error) is Rejected else error

    def not_found(self) -> Rejected:
        """The error for an endpoint or component that doesn't exist."""
        component = f", component {self.component}" if self.component else ""
        message = f"There is no SageMaker endpoint {self.name} in {self.identity.region}{component}."
        return Rejected(message, "Deploy it, or fix the target's `endpoint` and `region`.", status=404)

    def state(self, state: str, reason: str) -> BackendError:
        """The error for an endpoint that isn't in service."""
        message = f"The SageMaker endpoint {self.name} is {state}{f': {reason}' if reason else '.'}"
        if state in STARTING:
            return Overloaded(message, "Wait until it is InService.", retry_after=RETRY_SECONDS)
        return Unreachable(message, "Look at its log, then deploy it again.")

    def _service_error(self, endpoint: Endpoint, status: int, code: str, words: str) -> BackendError:
        if code in EXPIRED:
            return NotConfigured(f"The AWS credentials have expired: “{words}”.", SIGN_IN)
        if code in INVALID_CREDENTIALS:
            return NotConfigured(f"AWS does not accept the credentials: “{words}”.", SIGN_IN)
        if status in (401, 403):
            remedy = "Allow sagemaker:InvokeEndpoint and, for the chat route, sagemaker:CallWithBearerToken."
            return Rejected(f"AWS does not allow the call ({code}): “{words}”.", remedy, status=status)
        if any(each in words.lower() for each in NOT_FOUND):
            return self.not_found()
        if any(each in words.lower() for each in NOT_READY):
            remedy = "It is starting, being updated or scaled to zero: try again in a minute."
            return Overloaded(f"{endpoint.name} is not ready: “{words}”.", remedy, retry_after=RETRY_SECONDS)
        if code in BUSY or status in (429, 503):
            return Overloaded(f"{endpoint.name} has no capacity now ({code}): “{words}”.", "Try again in a moment.")
        if status >= 500:
            return Rejected(f"SageMaker failed ({code or status}): “{words}”.", "Try again.", status=status)
        return Rejected(f"SageMaker refused the request ({code}): “{words}”.", CHANGE_REQUEST, status=status)


def _container_error(endpoint: Endpoint, fields: Mapping[str, Any]) -> BackendError:
    """The error for a container's own error response, which SageMaker's response contains."""
    status = int(fields.get("OriginalStatusCode") or 500)
    words = str(fields.get("OriginalMessage") or fields["Error"].get("Message") or "")
    container = replace(endpoint, name=f"The container of {endpoint.name[0].lower()}{endpoint.name[1:]}")
    error = response_error(container, status, {}, words.encode())
    if log := fields.get("LogStreamArn"):
        error.remedy = f"{error.remedy} Its log: {log}"
    return error
