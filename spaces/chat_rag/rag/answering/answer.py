"""One question over documents: retrieve, ask, stream, cite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from backends import Backend, BackendError, ChatRequest, Delta, Done, Event, Message, Stopwatch
from backends.streams import closing
from rag.answering import abstain, budget, rewrite
from rag.answering.cite import Citer, plain_marker
from rag.answering.prompt import messages
from rag.answering.repetition import Repetition
from rag.answering.retrieve import number, retrieve
from rag.documents import Passage
from rag.library.library import Library
from rag.search.embedders import Embedder


@dataclass(frozen=True, slots=True)
class Options:
    """How to answer; `passages` is how many are sent to the model where they fit.

    Temperature 0, because an answer from documents is looked up and not made up. `without` allows an answer of the
    model's own where the documents have none.
    """

    passages: int = 3
    max_tokens: int = 512
    temperature: float = 0.0
    system: str = ""
    without: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What the search gave, before the model is asked: the passages that are sent, and what was searched for.

    `abstained` says that the documents do not answer: then the passages are the nearest ones and are not sent.
    `left_out` counts the wanted passages that the model's window of `context` tokens did not hold; `context_known`
    is False where the target does not tell it.
    """

    passages: tuple[Passage, ...]
    searched: str = ""
    abstained: abstain.Evidence | None = None
    left_out: int = 0
    context: int | None = None
    context_known: bool = False


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that the answer rests on; `attributed` if we found it and not the model.

    `spans` are the parts of its text that support the answer, in characters of `passage.text`, one for each marker.
    """

    passage: Passage
    attributed: bool
    spans: tuple[tuple[int, int], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The passage, and as `supports` its spans as characters of the document, as `start` and `end` are."""
        at = self.passage.start
        supports = [{"start": at + start, "end": at + end} for start, end in self.spans]
        return passage_json(self.passage) | {"attributed": self.attributed, "supports": supports}


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer; `removed` counts the model's markers that named no passage."""

    citations: tuple[Citation, ...]
    removed: int
    done: Done


@dataclass(slots=True)
class Rag:
    """Answers over the libraries that one visitor may see."""

    embedder: Embedder
    libraries: Sequence[Library]

    async def answer(
        self,
        question: str,
        backend: Backend,
        *,
        history: Sequence[Message] = (),
        options: Options | None = None,
        watch: Stopwatch | None = None,
        show: Callable[[int, bool], str] = plain_marker,
    ) -> AsyncIterator[Found | Delta | Finished]:
        """Give the passages, then the answer as it streams with settled markers, then its citations.

        A `BackendError` is raised after the citations of what came before it, a `RagError` where the question does
        not fit into the model's window. Where the documents do not answer, the model is not asked unless
        `options.without`. Without any documents it is a plain chat with no passages.
        """
        chosen, watch = options or Options(), watch or Stopwatch()
        found = await self._find(question, history, backend, chosen.passages)
        if found.abstained and not chosen.without:
            for event in (found, Delta(abstain.REFUSAL), Finished((), 0, Done("abstained", None))):
                yield event
            return
        plan = budget.plan(
            question,
            () if found.abstained else found.passages,
            history,
            max_tokens=chosen.max_tokens,
            context=await budget.context_of(backend),
            system=chosen.system,
        )
        shown = found.passages if found.abstained else plan.passages
        yield replace(found, passages=shown, left_out=plan.left_out, context=plan.context, context_known=plan.known)
        if found.abstained:
            yield Delta(f"{abstain.WITHOUT}\n\n")
        stream = watch.watch(backend.stream(_request(question, plan, chosen)))
        answer = _cited(stream, Citer(plan.passages, show))
        async with closing(answer):
            async for event in answer:
                yield event
        rewrite.note(backend, watch.first_token_seconds)

    async def _find(self, question: str, history: Sequence[Message], backend: Backend, wanted: int) -> Found:
        """What the search gives for a question."""
        if not await asyncio.to_thread(self._filled):
            return Found((), question)
        searched = await rewrite.standalone(question, history, backend)
        return await asyncio.to_thread(self._search, question, searched, wanted)

    def _filled(self) -> bool:
        """Whether there is anything to search; the samples are read for it."""
        return any(library.documents for library in self.libraries)

    def _search(self, question: str, searched: str, wanted: int) -> Found:
        """The best passages, and whether they answer, which is judged by as many for everybody."""
        limit = max(wanted, abstain.JUDGED)
        texts = dict.fromkeys((question, searched))
        passages = rewrite.take_turns([retrieve(self.libraries, text, self.embedder, limit=limit) for text in texts])
        lacking = abstain.lacking(searched, passages)
        return Found(tuple(number(passages[:wanted])), searched, lacking)


def _request(question: str, plan: budget.Plan, options: Options) -> ChatRequest:
    return ChatRequest(
        messages(question, plan.passages, plan.history, system=options.system),
        max_tokens=plan.max_tokens,
        temperature=options.temperature,
    )


async def _cited(stream: AsyncIterator[Event], citer: Citer) -> AsyncIterator[Delta | Finished]:
    """The stream with its markers settled, ended early if an answer from passages goes round in circles."""
    repetition = Repetition()
    async with closing(stream):
        try:
            async for event in stream:
                if isinstance(event, Done):
                    for last in _end(citer, event):
                        yield last
                    return
                if event.kind == "thought":
                    yield event
                    continue
                if text := citer.feed(event.text):
                    yield Delta(text)
                if citer.passages and repetition.add(event.text):
                    for last in _end(citer, Done("repetition", None)):
                        yield last
                    return
        except BackendError:
            for last in _end(citer, Done("interrupted", None)):
                yield last
            raise


def _end(citer: Citer, done: Done) -> list[Delta | Finished]:
    rest = citer.flush()
    return [*([Delta(rest)] if rest else []), Finished(citations(citer), citer.removed, done)]


def citations(citer: Citer) -> tuple[Citation, ...]:
    """The passages that were cited, in the order of their numbers."""
    return tuple(
        Citation(passage, citer.cited[passage.number], citer.spans(passage.number))
        for passage in citer.passages
        if passage.number in citer.cited
    )


def passage_json(passage: Passage) -> dict[str, Any]:
    """A passage as JSON, its text as `passage`."""
    fields = asdict(passage)
    fields["passage"] = fields.pop("text")
    return fields
