"""What SageMaker refuses or breaks off, as errors that say what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from backends.errors import BackendError, Interrupted, NotConfigured, Overloaded, Rejected, TimedOut, Unreachable
from backends.http.endpoint import Endpoint
from backends.http.errors import response_error
from backends.sagemaker import aws
from backends.text import one_line

COLD = ("Creating", "Updating", "SystemUpdating", "RollingBack")
WAIT = 15.0  # seconds after which an endpoint that starts is worth another try
EXPIRED = ("ExpiredTokenException", "ExpiredToken", "RequestExpired")
UNKNOWN = ("UnrecognizedClientException", "InvalidSignatureException", "MissingAuthenticationTokenException")
BUSY = ("ThrottlingException", "ModelNotReadyException", "ServiceUnavailable")
NOT_READY = ("not in service", "no instance", "no capacity", "does not have any")


@dataclass(frozen=True, slots=True)
class Refusals:
    """The errors of one endpoint, or of one component of it."""

    identity: aws.Identity
    name: str
    component: str | None = None

    def invocation(
        self, endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes
    ) -> BackendError:
        """The error for a response that is no success."""
        told = self.identity.parsed_error(status, headers, content)
        code, said = told["Error"].get("Code", ""), endpoint.quote(told["Error"].get("Message") or "")
        if code == "ModelError":
            return _of_the_container(endpoint, told)
        return self._named(endpoint, status, code, said)

    def chat(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes) -> BackendError:
        """The same on the chat route, where a refusal may be SageMaker's or the container's, which speaks otherwise."""
        found = self.invocation(endpoint, status, headers, content)
        return response_error(endpoint, status, headers, content) if type(found) is Rejected else found

    def unknown(self) -> Rejected:
        """There is no such endpoint."""
        component = f", component {self.component}" if self.component else ""
        what = f"There is no SageMaker endpoint {self.name} in {self.identity.region}{component}."
        return Rejected(what, "Deploy it, or correct endpoint and region of the target.", status=404)

    def state(self, state: str, reason: str) -> BackendError:
        """The endpoint is there, but not in service."""
        what = f"The SageMaker endpoint {self.name} is {state}{f': {reason}' if reason else '.'}"
        if state in COLD:
            return Overloaded(what, "Wait until it is InService.", retry_after=WAIT)
        return Unreachable(what, "Look at its log, then deploy it anew.")

    def _named(self, endpoint: Endpoint, status: int, code: str, said: str) -> BackendError:
        if code in EXPIRED:
            return NotConfigured(f"The AWS credentials have expired: “{said}”.", aws.SIGN_IN)
        if code in UNKNOWN:
            return NotConfigured(f"AWS does not know the credentials: “{said}”.", aws.SIGN_IN)
        if status in (401, 403):
            remedy = "Allow sagemaker:InvokeEndpoint and, for the chat route, sagemaker:CallWithBearerToken."
            return Rejected(f"AWS does not allow the call ({code}): “{said}”.", remedy, status=status)
        words = said.lower()
        if "not found" in words or "could not find" in words:
            return self.unknown()
        if any(each in words for each in NOT_READY):
            remedy = "It is starting, being updated or scaled to zero: try again in a minute."
            return Overloaded(f"{endpoint.name} is not ready: “{said}”.", remedy, retry_after=WAIT)
        if code in BUSY or status in (429, 503):
            return Overloaded(f"{endpoint.name} has no room now ({code}): “{said}”.", "Try again in a moment.")
        if status >= 500:
            return Rejected(f"SageMaker failed ({code or status}): “{said}”.", "Ask again.", status=status)
        return Rejected(f"SageMaker refused the request ({code}): “{said}”.", "Change it as it says.", status=status)


def of_frame(headers: Mapping[str, Any], payload: bytes, *, spoke: bool) -> BackendError:
    """The error of an exception frame: the status was good, then something failed."""
    kind = str(headers.get(":exception-type") or headers.get(":error-code") or "an error")
    said, code = str(headers.get(":error-message", "")), ""
    try:
        told = json.loads(payload)
        said, code = str(told.get("Message") or told.get("message") or said), str(told.get("ErrorCode") or "")
    except (ValueError, AttributeError):
        pass  # a frame without a body says all in its headers
    what = one_line(f"{kind}{f', {code}' if code else ''}: {said}")
    if spoke:
        return Interrupted(f"The answer was cut off ({what}).", "Ask again; the text so far is kept.")
    if code == "ModelInvocationTimeExceeded":
        return TimedOut(f"The container took too long ({what}).", "Ask for less, or use a larger instance.")
    return Unreachable(f"SageMaker gave no answer ({what}).", "Look at the endpoint's log, then ask again.")


def _of_the_container(endpoint: Endpoint, told: Mapping[str, Any]) -> BackendError:
    """The container itself refused: its own status and words come inside SageMaker's."""
    status = int(told.get("OriginalStatusCode") or 500)
    said = str(told.get("OriginalMessage") or told["Error"].get("Message") or "")
    where = replace(endpoint, name=f"The container of {endpoint.name[0].lower()}{endpoint.name[1:]}")
    error = response_error(where, status, {}, said.encode())
    if logs := told.get("LogStreamArn"):
        error.remedy = f"{error.remedy} Its log: {logs}"
    return error
