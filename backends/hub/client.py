"""Wraps huggingface_hub's client: one place for its time-outs and for the translation of its errors."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import httpx2
from huggingface_hub import HfApi, is_offline_mode, set_client_factory
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError
from huggingface_hub.utils import validate_repo_id

from backends.hub.errors import HubError

REMEDIES = {
    401: "Log in: hf auth login, or set HF_TOKEN to a token with write access.",
    402: "A free account can't have this: choose --hardware zero-a10g, or a plan that includes it.",
    403: "The token isn't allowed to do this: give it write access here, or name another owner with --repo.",
    404: "Check the name, and that the token has access to it.",
    409: "Another client is changing it: wait a moment, then plan again.",
    412: "It changed after it was planned: plan again.",
    429: "Too many requests: wait a few minutes, then try again.",
}
_TOKEN = re.compile(r"\bhf_\w+|(?<=Bearer )[\w.-]+")


class _TimeoutClient(httpx2.Client):
    """Sets a time-out on every request, even on those for which huggingface_hub asks for none."""

    seconds: ClassVar[float] = 60.0

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        timeouts = dict.fromkeys(("connect", "read", "write", "pool")) | dict(request.extensions.get("timeout", {}))
        request.extensions["timeout"] = {
            kind: self.seconds if seconds is None else seconds for kind, seconds in timeouts.items()
        }
        return super().send(request, **options)


# Once per process: each call closes the client that other threads are using.
set_client_factory(lambda: _TimeoutClient(follow_redirects=True))


class Hub:
    """One Hub endpoint and one account; the token comes from the environment or the token file."""

    def __init__(self, api: HfApi | None = None, *, silence_seconds: float = 60.0) -> None:
        """`silence_seconds` is the longest wait for the next byte; huggingface_hub sets no limit on some requests."""
        _TimeoutClient.seconds = silence_seconds
        self.api = api or HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
        self._account: dict[str, Any] | None = None

    def owner(self) -> str:
        """Return the account name of the token."""
        return str(self.whoami()["name"])

    def whoami(self) -> dict[str, Any]:
        """Return what the Hub says about the token's account; it is asked once."""
        if self._account is None:
            with translate_errors("your account"):
                try:
                    self._account = dict(self.api.whoami())
                except ValueError as error:
                    raise HubError("You are not logged in to the Hub.", REMEDIES[401], status=401) from error
        return self._account


@contextmanager
def translate_errors(subject: str) -> Iterator[None]:
    """Turn what huggingface_hub raises about `subject` into a `HubError` without any secret in it."""
    if is_offline_mode():
        raise HubError("HF_HUB_OFFLINE is set.", "Unset it to publish.")
    try:
        yield
    except HubError:
        raise
    except LocalTokenNotFoundError as error:
        raise HubError("You are not logged in to the Hub.", REMEDIES[401], status=401) from error
    except HfHubHTTPError as error:
        raise _refusal(subject, error) from None
    except (httpx2.TransportError, OSError) as error:
        raise HubError(
            f"The Hub does not answer a request for {subject} ({type(error).__name__}).",
            "Check the network and HF_ENDPOINT.",
        ) from None
    except RuntimeError as error:  # what the client raises when a large file's upload fails
        reason = redact(str(error)).split("\n")[0]
        raise HubError(f"{reason} ({type(error.__cause__ or error).__name__})", "Try again in a few minutes.") from None
    except ValueError as error:
        raise _unusable(subject, error) from None


def check_name(repo: str) -> None:
    """Raise `HubError` if this can't be the name of a repository."""
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        reason = str(error).splitlines()[0]
        raise HubError(reason, "Write OWNER/NAME with letters, digits, and single -, _ or . between them.") from None


def redact(text: str) -> str:
    """Return `text` with tokens replaced by ***."""
    return _TOKEN.sub("***", text)


def refused_metadata(problems: Sequence[str]) -> HubError:
    """Return the error for front matter that the Hub refuses, with its own words."""
    lines = "".join(f"\n  {problem}" for problem in problems)
    return HubError(f"The Hub refuses the front matter of README.md:{lines}", "Correct it there.", status=400)


def may_have_succeeded(error: HubError) -> bool:
    """Return whether a failed write may have taken effect on the Hub."""
    return error.status is None or error.status >= 500


def runtime_values(runtime: Any) -> dict[str, Any]:
    """Return a Space runtime as the server sent it."""
    return dict(getattr(runtime, "raw", None) or {})


def _unusable(subject: str, error: ValueError) -> HubError:
    """Translate a ValueError, which the client raises for refused metadata and for an answer that isn't JSON."""
    first, _, problems = redact(str(error)).partition("\n")
    if not first.startswith("Invalid metadata"):
        reason = f"The Hub's answer to a request for {subject} can't be read ({first[:200]})."
        return HubError(reason, "Try again in a few minutes.")
    return refused_metadata([problem.removeprefix("- ") for problem in problems.splitlines()])


def _refusal(subject: str, error: HfHubHTTPError) -> HubError:
    status = error.response.status_code if error.response is not None else None
    reason = redact(str(error.server_message or "")).strip()
    quote = f": “{' '.join(reason.split())[:300]}”." if reason else "."
    remedy = REMEDIES.get(status or 0, "See status.huggingface.co, then try again.")
    return HubError(f"The Hub refused a request for {subject} ({status}){quote}", remedy, status=status)
