"""What Gradio keeps for each session."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradio.queueing import Queue

# A page reads its messages at once, and a program within seconds of its call. Slow readers lose their connection first.
UNREAD_SECONDS = 45.0


def keep_no_configurations() -> None:
    """Keep Gradio from making the configuration of the whole page for each session, with all values it was sent.

    That is for links to stored pages, whose route is closed (see `ui.access.routes`). It took 12 ms of the event loop
    for each new page, and the memory of each conversation that a page shows, for as long as the session is remembered.
    """
    from gradio.blocks import BlocksConfig

    make_config = BlocksConfig.config_for_block

    def config_for_block(block_id: int, rendered_ids: list[int], block: Any, *renderable: Any) -> dict[str, Any]:
        # The page's own configuration has a last argument, a session's hasn't.
        return make_config(block_id, rendered_ids, block, *renderable) if renderable else {}

    BlocksConfig.config_for_block = staticmethod(config_for_block)  # type: ignore[method-assign, assignment]


class UnreadMessages:
    """Drops the messages of sessions that nobody reads, and stops their events, as Gradio does when a reader leaves.

    Gradio keeps the messages of 2,000 sessions until somebody reads them: 60 answers whose clients left before they
    read held 24 MB, 400 events of invented sessions 5 MB. (Measured 2026-11-28.)
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._first: dict[str, tuple[Any, float]] = {}  # each session's first message, and since when it's the first

    async def drop_regularly(self, seconds: float = UNREAD_SECONDS / 3) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self.drop(time.monotonic())

    async def drop(self, now: float) -> None:
        """Drop what was there `UNREAD_SECONDS` before `now`, and what remains of sessions without events."""
        first = {}
        for session, messages in list(self._queue.pending_messages_per_session.items()):
            if messages._queue:
                message, since = self._first.get(session, (None, now))
                first[session] = (messages._queue[0], since if message is messages._queue[0] else now)
            elif not (messages._getters or self._queue.pending_event_ids_session.get(session)):
                # At once: nobody would hear of an event that joins while something is awaited here.
                self._queue.pending_messages_per_session.pop(session, None)
                self._queue.pending_event_ids_session.pop(session, None)
        self._first = first
        for session, (message, since) in first.items():
            if now - since >= UNREAD_SECONDS:
                await self._stop(session, message)

    async def _stop(self, session: str, first: Any) -> None:
        """Drop a session's messages and stop its events, if its first message is still unread."""
        messages = self._queue.pending_messages_per_session.get(session)
        if not messages or not messages._queue or messages._queue[0] is not first:
            return
        del self._queue.pending_messages_per_session[session]
        pending = self._queue.pending_event_ids_session
        stopped = set(pending.get(session, ()))
        await self._queue.clean_events(session_hash=session)
        if left := pending.pop(session, set()) - stopped:
            pending[session] = left
