"""Google Cloud access tokens from google-auth, renewed before they expire."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from backends.errors import NotConfigured
from backends.stopwatch import wall_clock

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# A token with less than RENEW_SECONDS left is renewed in the background; with less than MIN_SECONDS, the caller waits
# for the new one. Google's metadata server returns the same token until five minutes before it expires, so asking
# earlier has no effect.
RENEW_SECONDS, MIN_SECONDS = 225.0, 20.0
NO_EXPIRY_SECONDS = 1e9
SIGN_IN = "Run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS to a key file."


class TokenSource:
    """Access tokens of the machine's Google identity."""

    def __init__(self) -> None:
        self._credentials: Any = None
        self._project: str | None = None
        self._renewal: asyncio.Task[None] | None = None

    async def token(self) -> str:
        """A valid token; waits only for the first one, or if the renewal came too late."""
        remaining = self._remaining_seconds()
        if remaining < RENEW_SECONDS and (self._renewal is None or self._renewal.done()):
            self._renewal = asyncio.create_task(asyncio.to_thread(self._renew))
            self._renewal.add_done_callback(_retrieve_error)
        if remaining < MIN_SECONDS and self._renewal:
            await asyncio.shield(self._renewal)  # cancelling this caller must not cancel it for the others
        return str(self._credentials.token)

    def invalidate(self) -> None:
        """Drop the token after the service refused it; the next call gets a new one."""
        if self._credentials:
            self._credentials.token = None

    async def project(self) -> str | None:
        """The project of the credentials, or None if they name none."""
        await self.token()
        return self._project

    def _remaining_seconds(self) -> float:
        credentials = self._credentials
        if credentials is None or not credentials.token:
            return 0.0
        if not credentials.expiry:
            return NO_EXPIRY_SECONDS
        # google-auth stores the time in UTC, without a time zone.
        return float(credentials.expiry.replace(tzinfo=UTC).timestamp() - wall_clock())

    def _renew(self) -> None:
        import google.auth
        from google.auth.transport.requests import Request

        with _translate_errors():
            if self._credentials is None:
                self._credentials, self._project = google.auth.default(scopes=[SCOPE])
            self._credentials.refresh(Request())


def _retrieve_error(task: asyncio.Task[None]) -> None:
    """Mark the error of a background renewal as seen; if it persists, the next renewal raises it."""
    if not task.cancelled():
        task.exception()


@contextlib.contextmanager
def _translate_errors() -> Iterator[None]:
    """Turn what google-auth raises into `NotConfigured`."""
    from google.auth import exceptions

    try:
        yield
    except exceptions.DefaultCredentialsError as error:
        raise NotConfigured("There are no Google Cloud credentials.", SIGN_IN) from error
    except (exceptions.RefreshError, exceptions.TransportError) as error:
        # The token server's response may repeat the request.
        raise NotConfigured(f"Google Cloud returned no token ({type(error).__name__}).", SIGN_IN) from error
    except (exceptions.GoogleAuthError, ValueError) as error:
        raise NotConfigured(
            f"The Google Cloud credentials cannot be used ({type(error).__name__}).", SIGN_IN
        ) from error
