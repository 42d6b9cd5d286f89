"""The gateway's lifecycle: opens the database, reloads the keys regularly, and drains before shutdown."""

from __future__ import annotations

import asyncio
import enum
import logging
from datetime import UTC, datetime

from sqlalchemy.exc import DBAPIError

from backends import Catalog, Overloaded, Unreachable
from backends.serving.redis.connection import SharedRedis
from backends.serving.redis.windows import RedisCounter
from backends.stopwatch import wall_clock
from gateway.billing.budgets import Budgets, month_of
from gateway.cache.answers import Answers
from gateway.cache.stores import MemoryStore, RedisStore
from gateway.database.connect import AWAY, away, migrate, open_database
from gateway.database.store import Store
from gateway.ledger.journal import Journal
from gateway.ledger.ledger import Ledger
from gateway.limits.quota import Limits
from gateway.metrics import GatewayMetrics
from gateway.parts import Parts
from gateway.routing.router import Router
from gateway.routing.target_states import TargetStates
from gateway.settings import Settings
from gateway.targets import Targets
from inference.answers.admission_queue import AdmissionQueue
from inference.answers.running_answers import RunningAnswers

logger = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
LAST_FLUSH_SECONDS = 4.0  # what is not written by then waits on disk for the next start


class Phase(enum.Enum):
    """Where the gateway is in its lifecycle; `/ready` returns the value."""

    LOADING = "loading"
    NO_DATABASE = "waiting for the database"
    READY = "ready"
    DRAINING = "draining"


class Gateway:
    """The parts of one gateway, and what keeps them up to date."""

    def __init__(self, settings: Settings, catalog: Catalog | None = None) -> None:
        self.settings = settings
        self._catalog = catalog
        self.metrics = GatewayMetrics()
        self.answers = RunningAnswers()
        self.phase = Phase.LOADING
        self.loaded = False
        self._store = Store(open_database(settings))
        self._known_keys = (-1, -1)
        self._is_reading = True  # whether the last refresh worked
        self._refreshing = asyncio.Lock()
        self._is_over = False
        queue = AdmissionQueue(settings.parallel, settings.queue)
        journal = Journal(settings.folder / "journal", int(settings.journal_mb * 1e6))
        budgets = Budgets()
        ledger = Ledger(
            journal,
            self._store,
            settings.refresh_seconds,
            on_close=budgets.begin_writing,
            on_written=budgets.end_writing,
        )
        self.redis = SharedRedis(settings.redis_url, seconds=settings.redis_seconds) if settings.redis_url else None
        self.parts = Parts(Targets([]), ledger, queue, self.metrics, budgets=budgets)
        self._share()
        self.metrics.track_load(slots=queue.slots, in_flight=lambda: queue.in_use, queue_length=lambda: queue.length)
        self.metrics.track_ledger(ledger)

    def ready(self) -> Parts:
        """Return the parts; raises `Overloaded` before the keys are read, and while the gateway drains."""
        if self.phase is not Phase.READY:
            message = f"The gateway is not ready: {self.phase.value}."
            raise Overloaded(message, "Try again in a moment.", retry_after=2)
        return self.parts

    @property
    def redis_failure(self) -> str:
        """Why limits and cache aren't shared at the moment; "" if they are, or need not be."""
        return self.redis.failure if self.redis else ""

    async def run(self) -> None:
        """Load everything, then write the ledger and read the keys until cancelled."""
        catalog = self._catalog or Catalog.load()
        self.parts.targets = await asyncio.to_thread(Targets.load, catalog)
        self.parts.router = Router(catalog, TargetStates())
        self.metrics.track_targets(self.parts.router)
        self._log_targets(catalog)
        while not await self._open():
            self._enter(Phase.NO_DATABASE)
            await asyncio.sleep(RETRY_SECONDS)
        if self.redis:
            await self.redis.check()
        self.loaded = True
        self._enter(Phase.READY)
        if not len(self.parts.keys):
            logger.warning("there are no keys yet: add one with python -m gateway keys add OWNER")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.parts.ledger.run())
            tasks.create_task(self._refresh_for_ever())

    async def drain(self) -> None:
        """Refuse new requests, wait for running ones, and write what is left of the ledger and of the limits."""
        self._enter(Phase.DRAINING)
        await self.answers.drain(self.settings.drain_seconds)
        try:
            async with asyncio.timeout(LAST_FLUSH_SECONDS):
                await self.parts.ledger.flush()
                async with self._refreshing:  # the end must not cut a refresh
                    self._is_over = True
        except TimeoutError:
            pass
        if self.redis:
            await asyncio.gather(*self.parts.settling)
            await self.redis.aclose()
        if waiting := self.parts.ledger.journal.waiting_bytes:
            logger.warning("bills wait on disk for the next start", extra={"fields": {"bytes": waiting}})

    def close(self) -> None:
        """Close the files and the connections to the database."""
        self.parts.ledger.journal.close()
        self._store.engine.dispose()

    def _share(self) -> None:
        """Set up limits and cache: of this process, or with a Redis shared with other gateways."""
        settings, metrics, redis = self.settings, self.metrics, self.redis
        memory = MemoryStore(int(settings.cache_mb * 1e6), settings.cache_seconds)
        store = RedisStore(redis, memory, settings.cache_seconds) if redis else memory
        counter = RedisCounter(redis) if redis else None
        self.parts.limits = Limits(counter, refused=lambda kind: metrics.limited.labels(kind).inc())
        self.parts.answers = Answers(store, original_pace=settings.cache_pace == "original")
        self.parts.caches = settings.cache_mb > 0
        self.parts.most_request_bytes = settings.requests_mb * 1e6
        if redis:
            metrics.track_redis(redis)

    async def _open(self) -> bool:
        """Bring the schema up to date, write what an earlier gateway left, and read the keys."""
        try:
            await asyncio.to_thread(migrate, self._store.engine)
            await self.parts.ledger.flush()
            await self._refresh()
        except (*AWAY, Unreachable) as error:
            reason = away(error) if isinstance(error, DBAPIError) else error
            logger.warning("waiting for the database", extra={"fields": {"error": str(reason)}})
            return False
        return self.parts.ledger.is_empty  # or budgets would miss what an earlier gateway spent

    async def _refresh_for_ever(self) -> None:
        while not self._is_over:
            async with self._refreshing:
                await self._try_refresh()
            await asyncio.sleep(self.settings.refresh_seconds)

    async def _try_refresh(self) -> None:
        try:
            await self._refresh()
        except DBAPIError as error:
            if self._is_reading:
                fields = {"error": str(away(error))}
                logger.error("the keys can't be read again: the last ones stay valid", extra={"fields": fields})
            self._is_reading = False
        else:
            if not self._is_reading:
                logger.warning("the keys are read again")
            self._is_reading = True

    async def _refresh(self) -> None:
        """Read the keys if there are other ones, and what they spent elsewhere; end answers whose key is revoked."""
        month = month_of(datetime.fromtimestamp(wall_clock(), UTC))
        reserved = self.parts.budgets.outstanding()
        news = await asyncio.to_thread(self._store.exchange, self._known_keys, month, self.parts.id, reserved)
        if news.keys is not None:
            self.parts.keys.replace(news.keys)
        self._known_keys = news.counts
        self.parts.budgets.read_others(month, news.spent, news.reserved)
        self.parts.end_revoked()

    def _log_targets(self, catalog: Catalog) -> None:
        for target in self.parts.targets.by_name.values():
            fields = {"target": target.name}
            if target.unavailable:
                logger.info("target unavailable", extra={"fields": fields | {"reason": str(target.unavailable)}})
            elif target.unpriced:
                is_mistake = catalog.settings(target.name).get("price") is not None
                level = logging.WARNING if is_mistake else logging.INFO
                logger.log(level, "target without a price", extra={"fields": fields | {"reason": target.unpriced}})

    def _enter(self, phase: Phase) -> None:
        if phase is self.phase or self.phase is Phase.DRAINING:
            return
        self.phase = phase
        self.metrics.ready.set(phase is Phase.READY)
        logger.info(phase.value, extra={"fields": {"keys": len(self.parts.keys)}})
