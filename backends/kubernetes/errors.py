"""What a Kubernetes API server refuses, as errors with a remedy."""

from __future__ import annotations

import json
import re
from typing import Any

from backends.errors import BackendError, NotConfigured, Overloaded, Rejected, Unreachable
from backends.text import one_line

WAIT = 5.0  # seconds after which a pod may be ready
_HANDSHAKE = re.compile(r"Handshake status (?P<status>\d+) .*-\+-\+- (?P<body>.*)", re.DOTALL)
_DENIED = re.compile(r'cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)"')


def status_of(content: str | bytes) -> dict[str, Any] | None:
    """The API server's own `Status`, or None where something else answered: what stands behind it."""
    try:
        told = json.loads(content)
    except ValueError:
        return None
    return told if isinstance(told, dict) and told.get("kind") == "Status" else None


def said(status: int | None, body: str | None, reason: str | None) -> tuple[int, str]:
    """The status and the content of a refusal; of one that came instead of a WebSocket, they are in its reason."""
    if shaken := _HANDSHAKE.search(reason or ""):
        return int(shaken["status"]), shaken["body"]
    return status or 0, body or reason or ""


def refused(status: int, text: str, namespace: str) -> BackendError:
    """The error for what the API server said."""
    told = status_of(text)
    said = one_line(str((told or {}).get("message") or text))
    look = f"kubectl get services,pods,endpointslices --namespace {namespace}"
    if status == 401:
        return NotConfigured(f"The cluster refused the credentials: “{said}”.", "Sign in again: kubectl auth whoami.")
    if status == 403:
        return Rejected(f"The cluster does not allow it: “{said}”.", _permission(said, namespace), status=403)
    if status == 404:
        return Rejected(f"The cluster has no such thing: “{said}”.", f"See what is there: {look}", status=404)
    if "no endpoints available" in said:
        return Overloaded(f"No pod behind the Service is ready: “{said}”.", f"See why: {look}", retry_after=WAIT)
    if "error trying to reach service" in said or status in (502, 503, 504):
        return Unreachable(f"The cluster could not reach the pod: “{said}”.", f"Ask again; see what is there: {look}")
    if status == 429:
        return Overloaded(f"The cluster's API server is busy: “{said}”.", "Ask again in a moment.", retry_after=WAIT)
    return Rejected(f"The cluster refused the request ({status}): “{said}”.", "Change it as it says.", status=status)


def _permission(said: str, namespace: str) -> str:
    """The rule that is missing, as the role of an operator has it."""
    denied = _DENIED.search(said)
    if denied is None:
        return f"Ask for a role in the namespace {namespace}."
    return f"Ask for a role with the verb {denied['verb']} on {denied['resource']} in the namespace {namespace}."
