"""One question about documents: retrieve passages, quote them, build the prompt, stream the answer, cite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from backends import Backend, BackendError, ChatRequest, Delta, Done, Event, Message, Stopwatch, telemetry
from backends.stopwatch import now
from backends.streams import closing
from rag.answering.citations.cite import Citer
from rag.answering.citations.markers import Marker
from rag.answering.citations.placement import passage_of, passages_with_quotes
from rag.answering.evidence.candidates import retrieve_candidates
from rag.answering.evidence.selection import find_quotes
from rag.answering.options import MAX_QUESTION_CHARACTERS, AnswerOptions
from rag.answering.prompts import budget, rewrite
from rag.answering.repetition import RepetitionDetector
from rag.answering.small_talk import find_small_talk, small_talk_reply
from rag.answering.types import AnswerEnd, Citation, Retrieval, Sentence
from rag.answering.verification.verifier import Verifier
from rag.documents import Document
from rag.errors import RagError
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder
from rag.threads import CHECKS, SEARCH

# The quotes come from the same number of passages for everyone, however many a visitor sends to the model.
QUOTED_PASSAGES = 8
AnswerEvent = Retrieval | Delta | Marker | Sentence | AnswerEnd


@dataclass(slots=True)
class Rag:
    """Answers questions from the libraries that one visitor may read."""

    embedder: Embedder
    libraries: Sequence[Library]

    def answer(
        self,
        question: str,
        backend: Backend,
        *,
        history: Sequence[Message] = (),
        options: AnswerOptions | None = None,
        stopwatch: Stopwatch | None = None,
    ) -> AsyncIterator[AnswerEvent]:
        """Yield the `Retrieval`, the text of the answer with each `Marker` before its text, and one `AnswerEnd`.

        A `Sentence` with its verdict comes after its text. The `Retrieval` comes again, with what fits into the prompt,
        if a model is asked. A `BackendError` comes after the `AnswerEnd` of the text so far; `RagError` says that the
        question is too long, for `MAX_QUESTION_CHARACTERS` or for the model's context window. If the documents don't
        answer, the model is called only with `options.general_knowledge`. Without documents this is a plain chat. Small
        talk gets a reply of its own.
        """
        events = self._answer(question, backend, history, options or AnswerOptions(), stopwatch or Stopwatch())
        return telemetry.traced("answer", {}, events)

    def search(self, question: str, query: str, options: AnswerOptions) -> Retrieval:
        """Return the quotes and the best passages, and the abstention if the documents don't answer."""
        texts = dict.fromkeys((question, query))
        count = max(options.passages, QUOTED_PASSAGES)
        results = [retrieve_candidates(self.libraries, text, self.embedder, limit=count) for text in texts]
        candidates = rewrite.interleave(results)
        quoted = candidates[: max(QUOTED_PASSAGES, len(results[0]))]
        selection = find_quotes(query, quoted, self._documents(), self.embedder)
        quotes = selection.nearest if selection.abstention else selection.quotes
        passages = passages_with_quotes(candidates, quotes, limit=options.passages, characters=options.characters)
        return Retrieval(tuple(passages), query, selection.abstention, quotes=quotes, unsure=selection.unsure)

    async def _answer(
        self,
        question: str,
        backend: Backend,
        history: Sequence[Message],
        options: AnswerOptions,
        stopwatch: Stopwatch,
    ) -> AsyncIterator[AnswerEvent]:
        check_length(question)
        start = now()
        if talk := find_small_talk(question):
            names = [document.name for document in (await CHECKS.run(self._documents)).values()]
            yield Retrieval((), question)
            yield Delta(small_talk_reply(talk, names))
            yield AnswerEnd((), 0, Done("small_talk", None))
            return
        retrieval = replace(await self._retrieve(question, history, backend, options), seconds=now() - start)
        yield retrieval
        if retrieval.abstention and not options.general_knowledge:
            yield AnswerEnd((), 0, Done("abstained", None))
            return
        if retrieval.passages and not retrieval.abstention and options.writes == "quotes":
            yield AnswerEnd((), 0, Done("quotes", None))
            return
        retrieval, prompt = await self._plan_prompt(question, retrieval, history, backend, options)
        yield retrieval
        request = ChatRequest(prompt.messages, max_tokens=prompt.max_tokens, temperature=options.temperature)
        verifier = Verifier(prompt.passages, self._documents())
        await SEARCH.run(verifier.prepare)
        answer = _add_citations(stopwatch.record(backend.stream(request)), Citer(prompt.passages, verifier))
        async with closing(answer):
            async for event in answer:
                yield event
        rewrite.record_latency(backend, stopwatch.first_token_seconds)

    async def _retrieve(
        self, question: str, history: Sequence[Message], backend: Backend, options: AnswerOptions
    ) -> Retrieval:
        if not await CHECKS.run(self._has_documents):
            return Retrieval((), question)
        if options.writes == "quotes":
            query = await SEARCH.run(rewrite.expand_by_rule, question, history)
        else:
            query = await rewrite.build_query(question, history, backend)
        with telemetry.span("retrieval", {"gen_ai.operation.name": "retrieval"}):
            return await SEARCH.run(self.search, question, query, options)

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
        passages = () if retrieval.abstention else retrieval.passages
        # An answer from passages needs the conversation only to understand a follow-up: earlier answers mislead.
        needs_history = not passages or rewrite.is_follow_up(question)
        prompt = await SEARCH.run(
            budget.plan_prompt,
            question,
            passages,
            history if needs_history else (),
            max_tokens=options.max_tokens,
            context_window=context_window,
            system=options.system,
        )
        if not retrieval.abstention:  # a quote has its passage in the source panel, whatever the model gets
            sent = {passage.number for passage in prompt.passages}
            quoted = {passage.number for quote in retrieval.quotes if (passage := passage_of(quote, passages))}
            passages = tuple(passage for passage in passages if passage.number in sent | quoted)
            retrieval = replace(retrieval, passages=passages, omitted_passages=prompt.omitted_passages)
        return replace(retrieval, context_window=context_window), prompt

    def _has_documents(self) -> bool:
        """Return whether there is anything to search; this reads the sample documents the first time."""
        return any(library.documents for library in self.libraries)

    def _documents(self) -> dict[str, Document]:
        return {document.id: document for library in self.libraries for document in library.documents}


async def _add_citations(
    stream: AsyncIterator[Event], citer: Citer
) -> AsyncIterator[Delta | Marker | Sentence | AnswerEnd]:
    """Yield the stream with checked markers; an answer from passages ends early if it repeats itself."""
    repetition = RepetitionDetector()
    async with closing(stream):
        try:
            async for event in stream:
                if isinstance(event, Done):
                    for last in _finish(citer, event):
                        yield last
                    return
                if not isinstance(event, Delta):  # a call of a tool that nobody offered
                    continue
                if event.kind == "thought":
                    yield event
                    continue
                # The thread that serves the pages must not compare figures for long. To change threads for each word
                # would take longer than all checks.
                is_slow = bool(citer.passages) and citer.verifier.is_slow and citer.may_check(event.text)
                text = await CHECKS.run(citer.feed, event.text) if is_slow else citer.feed(event.text)
                for part in _parts(citer, text):
                    yield part
                if citer.passages and repetition.add(event.text):
                    for last in _finish(citer, Done("repetition", None)):
                        yield last
                    return
        except BackendError:
            for last in _finish(citer, Done("interrupted", None), finished=False):
                yield last
            raise


def check_length(question: str) -> None:
    """Raise `RagError` if a question is longer than `MAX_QUESTION_CHARACTERS`."""
    if len(question) > MAX_QUESTION_CHARACTERS:
        message = f"A question can have up to {MAX_QUESTION_CHARACTERS:,} characters; this one has {len(question):,}."
        raise RagError(message, "Put a long text into a file, and ask about it.")


def _finish(citer: Citer, done: Done, *, finished: bool = True) -> list[Delta | Marker | Sentence | AnswerEnd]:
    rest = citer.flush(finished=finished)
    return [*_parts(citer, rest), AnswerEnd(_citations(citer), citer.invalid_markers, done)]


def _parts(citer: Citer, text: str) -> list[Delta | Marker | Sentence | AnswerEnd]:
    """Return the next text of the answer between its markers and its verdicts."""
    markers, sentences = citer.new_markers(), citer.new_sentences()
    return [*markers, *([Delta(text)] if text else []), *sentences]


def _citations(citer: Citer) -> tuple[Citation, ...]:
    """Return the cited passages, in the order of their numbers."""
    return tuple(
        Citation(passage, citer.attribution[passage.number], citer.spans(passage.number))
        for passage in citer.passages
        if passage.number in citer.attribution
    )
