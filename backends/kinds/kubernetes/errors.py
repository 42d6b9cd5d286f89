"""Error responses of a Kubernetes API server, as `BackendError`."""

from __future__ import annotations

import json
import re
from typing import Any

from backends.errors import BackendError, NotConfigured, Overloaded, Rejected, Unreachable
from backends.http.failures.errors import CHANGE_REQUEST
from backends.text import one_line

RETRY_SECONDS = 5.0  # a pod may be ready after this time
_HANDSHAKE_STATUS = re.compile(r"Handshake status (\d{1,3}) ")
_BODY_SEPARATOR = "-+-+- "
_DENIED = re.compile(r'cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)"')


def read_status(content: str | bytes) -> dict[str, Any] | None:
    """The API server's `Status` object, or None if the content comes from a pod behind it."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value.get("kind") == "Status" else None


def unwrap_handshake(status: int | None, body: str | None, reason: str | None) -> tuple[int, str]:
    """The status and content of an error; after a failed WebSocket handshake the client has both in `reason`."""
    head, separator, content = (reason or "").rpartition(_BODY_SEPARATOR)
    if separator and (match := _HANDSHAKE_STATUS.search(head)):
        return int(match[1]), content
    return status or 0, body or reason or ""


def api_server_error(status: int, content: str, namespace: str) -> BackendError:
    """The error for a response of the API server; `Status` has no code for two cases, so the message decides."""
    words = one_line(str((read_status(content) or {}).get("message") or content))
    command = f"kubectl get services,pods,endpointslices --namespace {namespace}"
    if status == 401:
        return NotConfigured(f"The cluster refused the credentials: “{words}”.", "Sign in again: kubectl auth whoami.")
    if status == 403:
        return Rejected(f"The cluster does not allow it: “{words}”.", _missing_role(words, namespace), status=403)
    if status == 404:
        return Rejected(f"The cluster has no such object: “{words}”.", f"See what exists: {command}", status=404)
    if "no endpoints available" in words:
        return Overloaded(
            f"No pod behind the Service is ready: “{words}”.", f"See why: {command}", retry_after=RETRY_SECONDS
        )
    if "error trying to reach service" in words or status in (502, 503, 504):
        return Unreachable(
            f"The cluster could not reach the pod: “{words}”.", f"Try again, or see what exists: {command}"
        )
    if status == 429:
        return Overloaded(
            f"The cluster's API server is busy: “{words}”.", "Try again in a moment.", retry_after=RETRY_SECONDS
        )
    return Rejected(f"The cluster refused the request ({status}): “{words}”.", CHANGE_REQUEST, status=status)


def no_ready_pod(service: str, namespace: str, total: int) -> Overloaded:
    """The error for a Service without a ready pod."""
    message = (
        f"None of the {total} pods of the Service {service} is ready."
        if total
        else f"The Service {service} has no pods."
    )
    remedy = f"See why: kubectl get pods,endpointslices --namespace {namespace}"
    return Overloaded(message, remedy, retry_after=RETRY_SECONDS)


def _missing_role(words: str, namespace: str) -> str:
    """The missing rule in the words of a Role."""
    match = _DENIED.search(words)
    if match is None:
        return f"Ask for a role in the namespace {namespace}."
    return f"Ask for a role with the verb {match['verb']} on {match['resource']} in the namespace {namespace}."
