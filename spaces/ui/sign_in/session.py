"""Who is signed in, by the session in the browser's cookie. Gradio signs the cookie, so a visitor can't change it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping, MutableMapping
from typing import Any

from backends.hub.visitor_token import VisitorToken
from backends.stopwatch import wall_clock

ENTRY = "oauth_info"  # what Gradio calls the account in the session
_PENDING = "_state_huggingface_"  # begins the names of sign-ins that wait for their callback


def account(request: Any) -> str | None:
    """Return the id of the account that is signed in, which never changes; `request` is a `gr.Request`.

    Only a new page looks whether the sign-in has expired (see `end_expired`): what an open page shows stays the
    account's.
    """
    user = _entry(request).get("userinfo")
    subject = user.get("sub") if isinstance(user, Mapping) else None
    return str(subject) if subject else None


def user_name(request: Any) -> str:
    """Return the name of the account that is signed in, or ""."""
    user = _entry(request).get("userinfo")
    return str(user.get("preferred_username") or "") if isinstance(user, Mapping) else ""


def token(request: Any) -> VisitorToken | None:
    """Return the token for calls in the account's name."""
    entry = _entry(request)
    value = entry.get("access_token")
    return VisitorToken(str(value), entry.get("expires_at")) if value else None


def storage_key(account: str) -> str:
    """Return the private key of an account's data: the same in every browser, and unknown to all of them."""
    secret = os.environ.get("OAUTH_CLIENT_SECRET", "")
    digest = hmac.digest(secret.encode(), f"spaceport-account\0{account}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def end_expired(session: MutableMapping[str, Any]) -> None:
    """Sign out if the token has expired."""
    entry = session.get(ENTRY)
    expires_at = entry.get("expires_at") if isinstance(entry, Mapping) else None
    if expires_at is not None and expires_at <= wall_clock():
        del session[ENTRY]


def end_pending(session: MutableMapping[str, Any]) -> None:
    """Forget sign-ins that were begun: each makes the cookie longer, and browsers cut it off at 4 kB."""
    for name in [name for name in session if name.startswith(_PENDING)]:
        del session[name]


def _entry(request: Any) -> Mapping[str, Any]:
    scope = getattr(getattr(request, "request", None), "scope", None)
    entry = scope.get("session", {}).get(ENTRY) if isinstance(scope, dict) else None
    return entry if isinstance(entry, Mapping) else {}
