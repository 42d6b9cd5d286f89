"""One question over documents: retrieve, ask, stream, cite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from backends import Backend, BackendError, ChatRequest, Delta, Done, Event, Message, Stopwatch
from backends.streams import closing
from rag.cite import Citer, plain_marker
from rag.embed import Embedder
from rag.library import Library
from rag.prompt import messages
from rag.repetition import Repetition
from rag.retrieve import Passage, retrieve


@dataclass(frozen=True, slots=True)
class Options:
    """How to answer; `passages` is how many are sent to the model.

    Temperature 0, because an answer from documents is looked up and not made up.
    """

    passages: int = 3
    max_tokens: int = 512
    temperature: float = 0.0
    system: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that are sent, before the model is asked."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that the answer rests on; `attributed` if we found it and not the model."""

    passage: Passage
    attributed: bool

    def as_json(self) -> dict[str, Any]:
        passage = asdict(self.passage)
        passage["passage"] = passage.pop("text")
        return passage | {"attributed": self.attributed}


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

        A `BackendError` is raised after the citations of what came before it. Without documents it is a plain
        chat with no passages.
        """
        chosen = options or Options()
        passages = await asyncio.to_thread(retrieve, self.libraries, question, self.embedder, limit=chosen.passages)
        yield Found(tuple(passages))
        request = ChatRequest(
            messages(question, passages, history, system=chosen.system),
            max_tokens=chosen.max_tokens,
            temperature=chosen.temperature,
        )
        stream = (watch or Stopwatch()).watch(backend.stream(request))
        answer = _cited(stream, Citer(passages, show))
        async with closing(answer):
            async for event in answer:
                yield event


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
        Citation(passage, citer.cited[passage.number]) for passage in citer.passages if passage.number in citer.cited
    )
