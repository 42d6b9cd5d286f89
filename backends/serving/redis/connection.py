"""A Redis that several processes share. While it doesn't answer, each goes on with its own memory and says so."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError, RedisError
from redis.exceptions import TimeoutError as RedisTimeout
from redis.maint_notifications import MaintNotificationsConfig

from backends import BackendError, NotConfigured
from backends.variables import hide_secrets

logger = logging.getLogger(__name__)

T = TypeVar("T")
MAX_CONNECTIONS = 64
PROBE_KEY = "spaceport:probe"


class RedisAway(BackendError):
    """The shared Redis doesn't answer, or accepts no writes: use what this process has."""


class SharedRedis:
    """Runs commands with a short time-out. After a failure it fails at once, until a probe in the background succeeds.

    `failure` says what is wrong, or is "" while Redis answers. `seconds` is the longest wait for a command, and
    `probe_seconds` the time between two probes. `use` names for the log what is shared.
    """

    def __init__(
        self, url: str, *, seconds: float = 0.25, probe_seconds: float = 1.0, use: str = "limits and cache"
    ) -> None:
        self.address = str(hide_secrets("url", url))
        self.failure = ""
        self._use = use
        self._seconds, self._probe_seconds = seconds, probe_seconds
        self._probing: asyncio.Task[None] | None = None
        try:
            self.pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
                url,
                max_connections=MAX_CONNECTIONS,
                timeout=seconds,
                # A command that counts must not count twice, and a request must not wait for a second time-out.
                retry=Retry(NoBackoff(), 0),
                # With these, the pool doesn't notice that an idle connection was closed.
                maint_notifications_config=MaintNotificationsConfig(enabled=False),
            )
        except ValueError as error:
            message = f"SPACEPORT_REDIS_URL is {self.address!r}, which isn't an address of Redis."
            raise NotConfigured(message, "Write it like redis://HOST:6379.") from error
        self.client: Redis = Redis.from_pool(self.pool)

    @property
    def is_up(self) -> bool:
        return not self.failure

    async def run(self, command: Callable[[], Awaitable[T]]) -> T:
        """Return the command's result; raises `RedisAway` if Redis is away or full."""
        if self.failure:
            raise RedisAway(self.failure)
        try:
            async with asyncio.timeout(self._seconds):
                return await command()
        except (RedisError, OSError, TimeoutError) as error:
            self._leave_out(_describe(error))
            raise RedisAway(self.failure) from error

    async def check(self) -> None:
        """Try it once, so that the log says at the start that it's away."""
        with contextlib.suppress(RedisAway):
            await self.run(self._write)

    async def aclose(self) -> None:
        if self._probing:
            self._probing.cancel()
            await asyncio.wait([self._probing])
        with contextlib.suppress(RedisError, OSError):
            await self.client.aclose(close_connection_pool=True)

    def _leave_out(self, reason: str) -> None:
        if self.failure:  # another request has found it before
            return
        self.failure = reason
        fields = {"redis": self.address, "reason": reason}
        logger.warning("%s use this process' memory", self._use, extra={"fields": fields})
        self._probing = asyncio.create_task(self._probe())

    async def _write(self) -> None:
        """Write a key: a full Redis answers a ping."""
        await self.client.set(PROBE_KEY, b"1", px=60_000)

    async def _probe(self) -> None:
        """Try it until that succeeds."""
        while True:
            await asyncio.sleep(self._probe_seconds)
            try:
                async with asyncio.timeout(self._seconds):
                    await self._write()
                break
            except (RedisError, OSError, TimeoutError) as error:
                self.failure = _describe(error)
        self.failure = ""
        logger.warning("%s are shared again", self._use, extra={"fields": {"redis": self.address}})


def _describe(error: Any) -> str:
    if isinstance(error, (TimeoutError, RedisTimeout)):
        return "Redis didn't answer in time."
    if isinstance(error, OutOfMemoryError):
        return "Redis is full."
    return f"Redis failed ({type(error).__name__})."
