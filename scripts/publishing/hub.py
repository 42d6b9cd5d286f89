"""The Hub as publishing sees it: huggingface_hub's client, whose errors become ours here, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import httpx2
from huggingface_hub import HfApi, is_offline_mode, set_client_factory
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

from publishing.errors import HubError

REMEDIES = {
    401: "Log in: hf auth login, or set HF_TOKEN to a token that may write.",
    402: "A free account cannot have such a Space: choose --hardware zero-a10g, or a plan that includes it.",
    403: "The token may not do this: give it write access to this Space, or name another owner with --repo.",
    404: "Check the name, and that the token may see it.",
    409: "Somebody else is changing it: wait a moment, then plan again.",
    412: "The Space changed since it was planned: plan again.",
    429: "Too many requests: wait some minutes, then try again.",
}
_SECRET = re.compile(r"\bhf_\w+|(?<=Bearer )[\w.-]+")


class _Impatient(httpx2.Client):
    """Gives up on a Hub that says nothing, also where huggingface_hub asks for no time-out at all."""

    seconds: ClassVar[float] = 60.0

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        waits = dict.fromkeys(("connect", "read", "write", "pool")) | dict(request.extensions.get("timeout", {}))
        request.extensions["timeout"] = {
            kind: self.seconds if seconds is None else seconds for kind, seconds in waits.items()
        }
        return super().send(request, **options)


# Once: whoever sets it closes the client that others are using.
set_client_factory(lambda: _Impatient(follow_redirects=True))


class Hub:
    """One endpoint and whoever is logged in there; the token comes from the environment or the token file."""

    def __init__(self, api: HfApi | None = None, *, silence_seconds: float = 60.0) -> None:
        """`silence_seconds` is the longest wait for the Hub's next byte; by itself the client waits for ever."""
        _Impatient.seconds = silence_seconds
        self.api = api or HfApi()

    def owner(self) -> str:
        """The name of whoever the token belongs to."""
        with translated("who you are"):
            try:
                return str(self.api.whoami()["name"])
            except ValueError as error:
                raise HubError("You are not logged in to the Hub.", REMEDIES[401], status=401) from error


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn what huggingface_hub raises about `what` into a `HubError` without any secret in it."""
    if is_offline_mode():
        raise HubError("HF_HUB_OFFLINE is set.", "Unset it to publish.")
    try:
        yield
    except HubError:
        raise
    except LocalTokenNotFoundError as error:
        raise HubError("You are not logged in to the Hub.", REMEDIES[401], status=401) from error
    except HfHubHTTPError as error:
        raise refusal(what, error) from None
    except (httpx2.TransportError, OSError) as error:
        raise HubError(
            f"The Hub does not answer about {what} ({type(error).__name__}).", "Check the network and HF_ENDPOINT."
        ) from None


def refusal(what: str, error: HfHubHTTPError) -> HubError:
    """The error for a response that is no success."""
    status = error.response.status_code if error.response is not None else None
    said = redact(str(error.server_message or "")).strip()
    words = f": “{' '.join(said.split())[:300]}”." if said else "."
    remedy = REMEDIES.get(status or 0, "Look at status.huggingface.co, then try again.")
    return HubError(f"The Hub refused {what} ({status}){words}", remedy, status=status)


def redact(text: str) -> str:
    """`text` without anything that looks like a token."""
    return _SECRET.sub("***", text)


def unclear(error: HubError) -> bool:
    """Whether a failed write may have happened all the same."""
    return error.status is None or error.status >= 500


def raw(runtime: Any) -> dict[str, Any]:
    """What the server said of a runtime."""
    return dict(getattr(runtime, "raw", None) or {})
