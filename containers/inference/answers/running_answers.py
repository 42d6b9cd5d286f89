"""The answers that a server is sending, which a shutdown waits for."""

from __future__ import annotations

import asyncio
import logging

logger = logging.getLogger(__name__)


class RunningAnswers:
    """The tasks that send answers; `expired` is true once a shutdown waits for them no longer."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self.expired = False

    async def drain(self, seconds: float) -> None:
        """Wait for the answers for at most `seconds`, then cancel the rest."""
        if self.tasks:
            await asyncio.wait(set(self.tasks), timeout=seconds)
        self.expired = True
        unfinished = {task for task in self.tasks if not task.done()}
        for task in unfinished:
            task.cancel()
        if unfinished:
            logger.warning("the drain period is over", extra={"fields": {"answers_cut": len(unfinished)}})
            await asyncio.wait(unfinished, timeout=1)
