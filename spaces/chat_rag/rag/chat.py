"""The chat behind the page: targets, documents and visitors, and what the page shows as an answer comes in."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backends import Backend, Catalog, Delta, SpaceportError, Stopwatch
from backends.streams import batches, closing, reporting
from rag import conversation, render
from rag.answer import Finished, Found, Options, Rag
from rag.embed import Embedder
from rag.errors import RagError
from rag.library import Added, Library, Samples
from rag.parse import Limits
from rag.visitors import Sources, Visitor, Visitors

# A page redraws the whole conversation at each update: 20 a second look like a stream and cost little.
UPDATE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows now; None leaves a part of it as it is."""

    messages: list[dict[str, Any]]
    sources: str | None = None
    figures: str | None = None


class Chat:
    """One for each process. Making it is cheap: models are loaded by `warm`, or by the first question."""

    def __init__(self, catalog: Catalog, corpus: Path, *, limits: Limits) -> None:
        self.catalog = catalog
        self._embedder = Embedder()
        self._samples = Samples(corpus, self._embedder)
        self._visitors = Visitors(lambda: Library(self._embedder, limits=limits))
        self._connected: dict[str, Backend] = {}
        self._warming = threading.Lock()

    def visitor(self, session: str | None) -> Visitor:
        return self._visitors.of(session)

    def forget(self, session: str | None) -> None:
        """Delete what belongs to a visitor who has left."""
        self._visitors.forget(session)

    def connect(self, name: str) -> Backend:
        """The backend of a target, connected once for all visitors."""
        if name not in self._connected:
            self._connected[name] = self.catalog.connect(name)
        return self._connected[name]

    async def answer(
        self, visitor: Visitor, history: list[dict[str, Any]], target: str, options: Options, *, samples: bool
    ) -> AsyncIterator[View]:
        """Answer the last question of `history`; an error becomes a part of the conversation."""
        if not history or history[-1]["role"] != "user":
            return
        reply, watch = conversation.Reply(conversation.turn_of(history), status="Searching the documents"), Stopwatch()
        question = conversation.text_of(history[-1])
        visitor.forget_from(reply.turn)
        yield View(history + reply.messages(), figures="")
        try:
            libraries = [visitor.library, *([self._samples] if samples else [])]
            events = Rag(self._embedder, libraries).answer(
                question,
                self.connect(target),
                history=conversation.sendable(history[:-1]),
                options=options,
                watch=watch,
                show=render.marker,
            )
            updates = batches(events, UPDATE_SECONDS)
            async with closing(updates):
                async for batch in updates:
                    shown = [_take(event, reply, visitor, question) for event in batch]
                    yield View(history + reply.messages(), sources=next((new for new in shown[::-1] if new), None))
        except SpaceportError as error:
            reply.error = error
        reply.ended = True
        yield View(history + reply.messages(), figures=render.figures_html(target, watch, reply.finish_reason))

    async def read(self, visitor: Visitor, files: Sequence[Path]) -> AsyncIterator[str]:
        """Read files one by one and delete them; gives the document list with the progress so far."""
        library, notes = visitor.library, []
        for file in files:
            added: list[Added] = []
            try:
                steps = reporting(lambda tell, file=file, added=added: added.append(library.add(file, report=tell)))
                async with closing(steps):
                    async for step, share in steps:
                        progress = render.progress_html(file.name, step, share)
                        yield render.documents_html(library.documents, notes) + progress
                notes.append((added[0].summary, True))
            except RagError as error:
                notes.append((str(error), False))
            finally:
                file.unlink(missing_ok=True)  # Gradio's copy could be fetched by anyone who knows its address
        yield render.documents_html(library.documents, notes)

    async def ask(self, question: str, target: str) -> str:
        """One answer over the sample documents, without a conversation."""
        answer = ""
        async for event in Rag(self._embedder, [self._samples]).answer(question, self.connect(target)):
            if isinstance(event, Delta) and event.kind == "answer":
                answer += event.text
        return answer

    def warm(self, target: str) -> None:
        """Load the models and read the samples in a thread, once: it is called when the first page is open."""
        if self._warming.acquire(blocking=False):
            threading.Thread(target=self._load, args=[target], name="warm", daemon=True).start()

    def _load(self, target: str) -> None:
        # What cannot be loaded is told when somebody asks; without a model the documents can be searched all the same.
        with contextlib.suppress(SpaceportError):
            backend = self.connect(target)
            if getattr(backend, "local", False):
                asyncio.run(backend.check())
        with contextlib.suppress(SpaceportError):
            self._embedder.warm()
            self._samples.documents  # noqa: B018  # reading it fills it


def _take(event: Found | Delta | Finished, reply: conversation.Reply, visitor: Visitor, question: str) -> str | None:
    """Take one event into the reply and the visitor's sources; gives the source panel where it changes."""
    if isinstance(event, Delta):
        reply.add(event)
        return None
    if isinstance(event, Found):
        reply.passages = len(event.passages)
        reply.status = render.reading(len(event.passages))
        visitor.sources[reply.turn] = Sources(reply.turn, question, event.passages)
    else:
        reply.finish_reason = event.done.finish_reason
        known = visitor.sources[reply.turn]
        visitor.sources[reply.turn] = replace(known, citations=event.citations, removed=event.removed)
    return render.sources_html(visitor.sources.values())
