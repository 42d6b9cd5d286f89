"""What programs and agents call: an answer, or the best passages, from texts that come with the call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from backends import Backend
from rag.answering import api
from rag.answering.answer import Rag, check_length
from rag.answering.retrieve import retrieve_passages
from rag.answering.turn import Turn
from rag.answering.types import AnswerOptions, passage_json
from rag.library.library import Library
from rag.library.samples import SampleLibrary
from rag.search.embedders import Embedder
from ui.admission.admission import Admission
from ui.admission.fair_queue import Caller

MAX_PASSAGES = 20


class Tools:
    """The calls pass the page's admission, and nothing of them is stored. Without texts they use the samples."""

    def __init__(
        self,
        admission: Admission,
        embedder: Embedder,
        samples: SampleLibrary,
        *,
        connect: Callable[[str], Backend],
        options: Callable[[str, Turn, AnswerOptions], AnswerOptions],
    ) -> None:
        self._admission = admission
        self._embedder = embedder
        self._samples = samples
        self._connect = connect
        self._options = options

    async def ask(self, caller: Caller, question: str, documents: Mapping[str, str], target: str) -> dict[str, Any]:
        """Return one answer as JSON."""
        check_length(question)
        backend = self._connect(target)
        self._admission.take_question(caller)
        async with (
            self._admission.time_limit(),
            self._library(caller, documents) as library,
            self._admission.answers.place(caller),
        ):
            options = self._options(target, Turn(question), AnswerOptions())
            return await api.answer_json(Rag(self._embedder, [library]), question, backend, options=options)

    async def search(
        self, caller: Caller, question: str, documents: Mapping[str, str], limit: int
    ) -> list[dict[str, Any]]:
        """Return the best passages as JSON, best first; no model is asked."""
        check_length(question)
        self._admission.take_question(caller)
        async with self._admission.time_limit(), self._library(caller, documents) as library:
            passages = await self._admission.view(
                caller,
                retrieve_passages,
                [library],
                question,
                self._embedder,
                limit=max(1, min(limit, MAX_PASSAGES)),
            )
        return [passage_json(passage) for passage in passages]

    @asynccontextmanager
    async def _library(self, caller: Caller, documents: Mapping[str, str]) -> AsyncIterator[Library | SampleLibrary]:
        if not documents:
            yield self._samples
            return
        async with AsyncExitStack() as stack:
            async with self._admission.readings.place(caller):  # free again when the texts are read
                reading = api.temporary_library(self._embedder, texts=documents)
                library = await stack.enter_async_context(reading)
            yield library
