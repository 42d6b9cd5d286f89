"""Who calls Google Cloud: an access token from google-auth, renewed ahead of time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from backends.errors import NotConfigured
from backends.stopwatch import wall_clock

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# A token that ends within the first is renewed while it is still used, within the second before it is. Google's
# machines give the same token out again until five minutes before its end: to ask earlier would be to ask in vain.
RENEW_SECONDS, LAST_SECONDS = 225.0, 20.0
FOR_EVER = 1e9
SIGN_IN = "Run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS to a key file."


class Tokens:
    """Access tokens of the machine's own Google identity."""

    def __init__(self) -> None:
        self._credentials: Any = None
        self._project: str | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def token(self) -> str:
        """A token that is valid for a while yet; only the first one, or one that came too late, is waited for."""
        left = self._seconds_left()
        if left < RENEW_SECONDS and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.create_task(asyncio.to_thread(self._renew))
            self._renewing.add_done_callback(_look_at)
        if left < LAST_SECONDS and self._renewing:
            await asyncio.shield(self._renewing)  # whoever else waits for it must not lose it with this one
        return str(self._credentials.token)

    def forget(self) -> None:
        """The token was refused: the next one is made anew."""
        if self._credentials:
            self._credentials.token = None

    async def project(self) -> str | None:
        """The project that the credentials name, if they do."""
        await self.token()
        return self._project

    def _seconds_left(self) -> float:
        found = self._credentials
        if found is None or not found.token:
            return 0.0
        # google-auth keeps the time without its zone, which is UTC.
        return found.expiry.replace(tzinfo=UTC).timestamp() - wall_clock() if found.expiry else FOR_EVER

    def _renew(self) -> None:
        import google.auth
        from google.auth.transport.requests import Request

        with _translated():
            if self._credentials is None:
                self._credentials, self._project = google.auth.default(scopes=[SCOPE])
            self._credentials.refresh(Request())


def _look_at(task: asyncio.Task[None]) -> None:
    """An error of a renewal that nobody waited for is told by the next one."""
    if not task.cancelled():
        task.exception()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    from google.auth import exceptions

    try:
        yield
    except exceptions.DefaultCredentialsError as error:
        raise NotConfigured("There are no Google Cloud credentials.", SIGN_IN) from error
    except (exceptions.RefreshError, exceptions.TransportError) as error:
        # What the token server answers may repeat what it was sent.
        raise NotConfigured(f"Google Cloud gave no token ({type(error).__name__}).", SIGN_IN) from error
    except (exceptions.GoogleAuthError, ValueError) as error:
        raise NotConfigured(
            f"The Google Cloud credentials cannot be used ({type(error).__name__}).", SIGN_IN
        ) from error
