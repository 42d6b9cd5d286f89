"""Answers that are being written: they go on while their page is reloaded or has lost its connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from backends.streams import closing
from chat_page.rendering.messages import ChatMessage


@dataclass(frozen=True, slots=True)
class PageUpdate:
    """An update of the page: the reply to a question; None leaves a part as it is."""

    reply: list[ChatMessage]
    sources: str | None = None


class RunningAnswer:
    """An answer that is being written by a task of its own, and the pages that follow it.

    Create it in an event loop. Its `updates` end with the answer; cancelling them keeps the text so far. `on_end` is
    called then. When no page has followed the answer for `absence_seconds` and the visitor `has_left`, which is asked
    in a thread, it's stopped.
    """

    def __init__(
        self,
        turn_id: str,
        updates: AsyncIterator[PageUpdate],
        *,
        on_end: Callable[[], object],
        has_left: Callable[[], bool],
        absence_seconds: float,
    ) -> None:
        self.turn_id = turn_id
        self._loop = asyncio.get_running_loop()
        self._has_left, self._absence_seconds = has_left, absence_seconds
        self._followers: dict[str, object] = {}
        self._absence: asyncio.Task[None] | None = None
        self._latest = PageUpdate([])
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._run(updates))
        self._task.add_done_callback(lambda task: self._end(on_end))

    async def follow(self, session: str) -> AsyncIterator[PageUpdate]:
        """Yield the latest update and those that come, without the ones that a slow page misses.

        A page follows an answer once: what it started before a lost connection ends.
        """
        me = self._followers[session] = object()
        self._end_absence()
        sources: str | None = None
        try:
            while True:
                changed, update = self._changed, self._latest
                if update.reply:
                    yield replace(update, sources=None if update.sources == sources else update.sources)
                    sources = update.sources
                if self._task.done():
                    self._raise_failure()
                    return
                if changed is self._changed:
                    await changed.wait()
                if self._followers.get(session) is not me:
                    return
        finally:
            if self._followers.get(session) is me:
                del self._followers[session]
            self._wait_for_followers()

    @property
    def ended(self) -> bool:
        """Whether nothing more comes."""
        return self._task.done()

    def is_followed_by(self, session: str) -> bool:
        """Return whether a page follows the answer."""
        return session in self._followers

    def leave(self, session: str) -> None:
        """End what a page follows, from any thread: the visitor opened another conversation there."""
        if self._followers.pop(session, None) is not None:
            with contextlib.suppress(RuntimeError):  # the event loop has ended
                self._loop.call_soon_threadsafe(self._wake)

    async def stop(self) -> None:
        """End the answer; its text so far is stored when this returns."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):  # the followers report what failed
            await asyncio.shield(asyncio.gather(self._task, return_exceptions=True))

    def stop_soon(self) -> None:
        """End the answer, from any thread."""
        with contextlib.suppress(RuntimeError):  # the event loop has ended, and the answer with it
            self._loop.call_soon_threadsafe(self._task.cancel)

    def _wait_for_followers(self) -> None:
        if not self._followers and not self._task.done():
            self._end_absence()
            self._absence = self._loop.create_task(self._stop_if_abandoned())

    async def _stop_if_abandoned(self) -> None:
        while True:
            await asyncio.sleep(self._absence_seconds)
            if await asyncio.to_thread(self._has_left):  # it may read from the disk
                self._task.cancel()
                return

    def _end_absence(self) -> None:
        if self._absence:
            self._absence.cancel()

    def _end(self, on_end: Callable[[], object]) -> None:
        self._end_absence()
        on_end()

    async def _run(self, updates: AsyncIterator[PageUpdate]) -> None:
        try:
            async with closing(updates):
                async for update in updates:
                    sources = self._latest.sources if update.sources is None else update.sources
                    self._latest = replace(update, sources=sources)
                    self._wake()
        finally:
            # The task isn't done yet: the followers look again when it is.
            self._loop.call_soon(self._wake)

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _raise_failure(self) -> None:
        if not self._task.cancelled() and (error := self._task.exception()):
            raise error
