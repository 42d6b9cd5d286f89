"""One question about documents: retrieve passages, build the prompt, stream the answer, cite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from backends import Backend, BackendError, ChatRequest, Delta, Done, Event, Message, Stopwatch
from backends.streams import closing
from rag.answering import budget, rewrite
from rag.answering.abstain import CHECKED_PASSAGES, missing_evidence
from rag.answering.cite import Citer
from rag.answering.markers import Marker
from rag.answering.repetition import RepetitionDetector
from rag.answering.retrieve import number_passages, retrieve_passages
from rag.answering.types import AnswerEnd, AnswerOptions, Citation, Retrieval
from rag.library.library import Library
from rag.search.embedders import Embedder
from rag.threads import SEARCH


@dataclass(slots=True)
class Rag:
    """Answers questions from the libraries that one visitor may read."""

    embedder: Embedder
    libraries: Sequence[Library]

    async def answer(
        self,
        question: str,
        backend: Backend,
        *,
        history: Sequence[Message] = (),
        options: AnswerOptions | None = None,
        stopwatch: Stopwatch | None = None,
    ) -> AsyncIterator[Retrieval | Delta | Marker | AnswerEnd]:
        """Yield one `Retrieval`, the text of the answer with each `Marker` before its text, and one `AnswerEnd`.

        A `BackendError` comes after the `AnswerEnd` of the text so far; `RagError` says that the question doesn't fit
        into the model's context window. If the documents don't answer, the model is called only with
        `options.general_knowledge`. Without documents this is a plain chat.
        """
        options, stopwatch = options or AnswerOptions(), stopwatch or Stopwatch()
        retrieval = await self._retrieve(question, history, backend, options.passages)
        if retrieval.abstention and not options.general_knowledge:
            yield retrieval
            yield AnswerEnd((), 0, Done("abstained", None))
            return
        retrieval, prompt = await self._plan_prompt(question, retrieval, history, backend, options)
        yield retrieval
        request = ChatRequest(prompt.messages, max_tokens=prompt.max_tokens, temperature=options.temperature)
        answer = _add_citations(stopwatch.record(backend.stream(request)), Citer(prompt.passages))
        async with closing(answer):
            async for event in answer:
                yield event
        rewrite.record_latency(backend, stopwatch.first_token_seconds)

    async def _retrieve(self, question: str, history: Sequence[Message], backend: Backend, limit: int) -> Retrieval:
        if not await SEARCH.run(self._has_documents):
            return Retrieval((), question)
        query = await rewrite.build_query(question, history, backend)
        return await SEARCH.run(self._search, question, query, limit)

    async def _plan_prompt(
        self,
        question: str,
        retrieval: Retrieval,
        history: Sequence[Message],
        backend: Backend,
        options: AnswerOptions,
    ) -> tuple[Retrieval, budget.PromptPlan]:
        """Return the retrieval with the passages that fit into the prompt, and the prompt."""
        context_window = await budget.find_context_window(backend)
        prompt = await SEARCH.run(
            budget.plan_prompt,
            question,
            () if retrieval.abstention else retrieval.passages,
            history,
            max_tokens=options.max_tokens,
            context_window=context_window,
            system=options.system,
        )
        passages = retrieval.passages if retrieval.abstention else prompt.passages
        omitted = prompt.omitted_passages
        planned = replace(retrieval, passages=passages, omitted_passages=omitted, context_window=context_window)
        return planned, prompt

    def _has_documents(self) -> bool:
        """Return whether there is anything to search; this reads the sample documents the first time."""
        return any(library.documents for library in self.libraries)

    def _search(self, question: str, query: str, limit: int) -> Retrieval:
        """Return the best `limit` passages, and the abstention if the passages checked for everyone are too weak."""
        texts = dict.fromkeys((question, query))
        count = max(limit, CHECKED_PASSAGES)
        results = [retrieve_passages(self.libraries, text, self.embedder, limit=count) for text in texts]
        passages = rewrite.interleave(results)
        abstention = missing_evidence(query, passages)
        return Retrieval(tuple(number_passages(passages[:limit])), query, abstention)


async def _add_citations(stream: AsyncIterator[Event], citer: Citer) -> AsyncIterator[Delta | Marker | AnswerEnd]:
    """Yield the stream with checked markers; an answer from passages ends early if it repeats itself."""
    repetition = RepetitionDetector()
    async with closing(stream):
        try:
            async for event in stream:
                if isinstance(event, Done):
                    for last in _finish(citer, event):
                        yield last
                    return
                if event.kind == "thought":
                    yield event
                    continue
                text = citer.feed(event.text)
                for marker in citer.new_markers():
                    yield marker
                if text:
                    yield Delta(text)
                if citer.passages and repetition.add(event.text):
                    for last in _finish(citer, Done("repetition", None)):
                        yield last
                    return
        except BackendError:
            for last in _finish(citer, Done("interrupted", None)):
                yield last
            raise


def _finish(citer: Citer, done: Done) -> list[Delta | Marker | AnswerEnd]:
    rest = citer.flush()
    end = AnswerEnd(_citations(citer), citer.invalid_markers, done)
    return [*citer.new_markers(), *([Delta(rest)] if rest else []), end]


def _citations(citer: Citer) -> tuple[Citation, ...]:
    """Return the cited passages, in the order of their numbers."""
    return tuple(
        Citation(passage, citer.attribution[passage.number], citer.spans(passage.number))
        for passage in citer.passages
        if passage.number in citer.attribution
    )
