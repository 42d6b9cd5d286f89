"""Google Cloud's error responses as `BackendError`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from backends.errors import BackendError, NotConfigured, Overloaded, Rejected
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import response_error
from backends.kinds.vertex.gcp import SIGN_IN

RETRY_SECONDS = 15.0  # a starting endpoint may be ready after this time


def google_error(endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes) -> BackendError:
    """The error for an error response of Google, or of the container behind the endpoint."""
    code, words = _read_error(endpoint, content)
    if status == 401:
        return NotConfigured(f"Google Cloud refused the token: “{words}”.", SIGN_IN)
    if status == 403:
        remedy = "Give the account the role Vertex AI User (roles/aiplatform.user) in this project."
        return Rejected(f"Google Cloud does not allow the call: “{words}”.", remedy, status=403)
    if status == 404 and code == "NOT_FOUND":
        remedy = "Deploy it, or fix the target's `endpoint`, `project` and `location`."
        return Rejected(f"{endpoint.name} does not exist: “{words}”.", remedy, status=404)
    if code in ("FAILED_PRECONDITION", "UNAVAILABLE"):
        remedy = "It is starting, being updated or scaled to zero: try again in a minute."
        return Overloaded(f"{endpoint.name} is not ready: “{words}”.", remedy, retry_after=RETRY_SECONDS)
    return response_error(endpoint, status, headers, content)


def _read_error(endpoint: Endpoint, content: bytes) -> tuple[str, str]:
    """Google's status code, such as NOT_FOUND, and its message; a stream's error is a list of one."""
    try:
        value = json.loads(content)
        error = (value[0] if isinstance(value, list) else value)["error"]
        return str(error.get("status", "")), endpoint.quote(str(error.get("message", "")))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return "", endpoint.quote(content[:300].decode("utf-8", "replace"))
