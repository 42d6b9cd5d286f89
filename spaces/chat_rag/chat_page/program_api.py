"""What programs and agents call: an answer, or the best passages, from texts that come with the call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from backends import Backend
from rag.answering import api
from rag.answering.answer import Rag, check_length
from rag.answering.options import AnswerOptions
from rag.answering.retrieve import retrieve_passages
from rag.answering.turn import Turn
from rag.answering.types import passage_json
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder
from ui.admission.admission import Admission
from ui.admission.fair_queue import Caller

MAX_PASSAGES = 20


class ProgramApi:
    """The calls pass the page's admission, and nothing of them is stored. Without texts they search what all share."""

    def __init__(
        self,
        admission: Admission,
        embedder: Embedder,
        shared: Sequence[Library],
        *,
        connect: Callable[[str], Backend],
        options: Callable[[str, Turn, AnswerOptions], AnswerOptions],
    ) -> None:
        self._admission = admission
        self._embedder = embedder
        self._shared = shared
        self._connect = connect
        self._options = options

    async def ask(self, caller: Caller, question: str, documents: Mapping[str, str], target: str) -> dict[str, Any]:
        """Return one answer as JSON."""
        check_length(question)
        backend = self._connect(target)
        await asyncio.to_thread(self._admission.take_question, caller)
        async with (
            self._admission.time_limit(),
            self._libraries(caller, documents) as libraries,
            self._admission.answers.place(caller),
        ):
            options = self._options(target, Turn(question), AnswerOptions())
            return await api.answer_json(Rag(self._embedder, libraries), question, backend, options=options)

    async def search(
        self, caller: Caller, question: str, documents: Mapping[str, str], limit: int
    ) -> list[dict[str, Any]]:
        """Return the best passages as JSON, best first; no model is asked."""
        check_length(question)
        await asyncio.to_thread(self._admission.take_question, caller)
        async with self._admission.time_limit(), self._libraries(caller, documents) as libraries:
            passages = await self._admission.view(
                caller,
                retrieve_passages,
                libraries,
                question,
                self._embedder,
                limit=max(1, min(limit, MAX_PASSAGES)),
            )
        return [passage_json(passage) for passage in passages]

    @asynccontextmanager
    async def _libraries(self, caller: Caller, documents: Mapping[str, str]) -> AsyncIterator[Sequence[Library]]:
        if not documents:
            yield self._shared
            return
        async with AsyncExitStack() as stack:
            async with self._admission.readings.place(caller):  # free again when the texts are read
                reading = api.temporary_library(self._embedder, texts=documents)
                library = await stack.enter_async_context(reading)
            yield [library]
