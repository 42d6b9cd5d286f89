"""The chat behind the page: targets, documents and visitors, and what the page shows as an answer comes in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backends import Backend, Catalog, Delta, NotConfigured, SpaceportError, Stopwatch
from backends.stopwatch import wall_clock
from backends.streams import batches, closing
from chat_page import conversation, pacing, panel, preview, render
from chat_page.memory import Conversation, Sources
from chat_page.strings import ENGLISH
from chat_page.visitors import Visitor, Visitors
from rag.answering import api as tool
from rag.answering.answer import Finished, Found, Options, Rag
from rag.documents import Limits
from rag.errors import RagError
from rag.library.library import Library, SampleLibrary
from rag.library.quota import Quota
from rag.search.embedders import Embedder
from rag.search.vectors import chroma_client, sweep

logger = logging.getLogger(__name__)
ABANDONED_SECONDS = 86_400
MOST_CHARACTERS = 20_000  # of a question


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
        self._samples = SampleLibrary(corpus, self._embedder)
        quota = Quota.from_environment()
        self._visitors = Visitors.from_environment(
            lambda store: Library(self._embedder, limits=limits, store=store, quota=quota)
        )
        self._connected: dict[str, Backend] = {}
        self._warming = threading.Lock()
        self._pace = pacing.Pace()

    @property
    def private(self) -> list[str]:
        """The folders that nobody may be served from."""
        return [str(self._visitors.root)] if self._visitors.root else []

    def visitor(self, key: str | None) -> Visitor:
        return self._visitors.of(key)

    def forget(self, key: str | None) -> None:
        """Delete everything that belongs to a visitor."""
        self._visitors.forget(key)

    def closed(self, session: str | None) -> None:
        """A page was closed: what only that page showed is let go."""
        self._visitors.closed(session)

    def connect(self, name: str) -> Backend:
        """The backend of a target, connected once for all visitors."""
        if name not in self.catalog.names:
            raise NotConfigured("There is no such target.", "Choose one from the menu.")
        if name not in self._connected:
            self._connected[name] = self.catalog.connect(name)
        return self._connected[name]

    async def answer(
        self,
        visitor: Visitor,
        talk: Conversation,
        target: str,
        options: Options,
        *,
        samples: bool,
    ) -> AsyncIterator[View]:
        """Answer the last question of the conversation; an error becomes a part of it."""
        history = talk.history
        if not history or history[-1]["role"] != "user":
            return
        reply, watch = conversation.Reply(conversation.turn_of(history), status=ENGLISH.searching), Stopwatch()
        question = conversation.text_of(history[-1])
        talk.forget_from(reply.turn)
        visitor.latest, talk.history = talk, history + reply.messages()
        yield View(talk.history, figures="")
        try:
            visitor.questions.take()
            events = Rag(self._embedder, [visitor.library, *([self._samples] if samples else [])]).answer(
                question,
                self.connect(target),
                history=conversation.sendable(history[:-1]),
                options=options,
                watch=watch,
                show=render.marker,
            )
            updates = batches(events, self._pace.seconds, at_once=reply.begins, rest=True)
            async with closing(updates):
                async for batch in updates:
                    shown = [_take(event, reply, talk, question) for event in batch]
                    talk.history = history + reply.messages()
                    yield View(talk.history, sources=next((new for new in shown[::-1] if new), None))
        except SpaceportError as error:
            reply.error = error
        finally:
            # Also when the page was closed or loaded anew in the middle: it is shown what there was.
            reply.ended = True
            talk.history = history + reply.messages()
            talk.answered[reply.turn] = target, _time()
            await asyncio.to_thread(self._keep, visitor, talk)
        yield View(talk.history, figures=render.figures_html(target, watch, reply.found, reply.finish_reason))

    async def progress(self, visitor: Visitor) -> AsyncIterator[str]:
        """The document list with how far each file is, until all are done."""
        snapshots = visitor.ingestion.watch()
        async with closing(snapshots):
            async for snapshot in snapshots:
                yield render.documents_html(visitor.library.documents, snapshot)

    async def preview(self, visitor: Visitor, opened: panel.Opened) -> str:
        """The place in the document that a passage stands in."""
        return await asyncio.to_thread(self._preview, visitor, opened)

    async def ask(self, question: str, documents: Mapping[str, str], target: str) -> dict[str, Any]:
        """One answer over some texts, or over the sample documents, as JSON; nothing is kept."""
        if len(question) > MOST_CHARACTERS:
            raise RagError(ENGLISH.question_too_long.format(most=MOST_CHARACTERS), ENGLISH.question_too_long_remedy)
        libraries = [] if documents else [self._samples]
        backend = self.connect(target)
        return await tool.answer_over(question, backend, self._embedder, texts=documents, libraries=libraries)

    def warm(self, target: str) -> None:
        """Load the models and read the samples in a thread, once: it is called when the first page is open."""
        if self._warming.acquire(blocking=False):
            threading.Thread(target=self._load, args=[target], name="warm", daemon=True).start()

    def _preview(self, visitor: Visitor, opened: panel.Opened) -> str:
        for library in (visitor.library, self._samples):
            if document := library.document(opened.passage.document_id):
                original = library.original(document.id)
                return preview.preview_html(document, opened.passage, opened.mark, original)
        return preview.missing_html(opened.passage)

    def _keep(self, visitor: Visitor, talk: Conversation) -> None:
        try:
            visitor.keep(talk)
        except RagError:
            logger.exception("A conversation could not be kept.")

    def _load(self, target: str) -> None:
        with contextlib.suppress(SpaceportError):
            if os.environ.get("SPACEPORT_CHROMA_URL"):  # what processes left there that were killed
                sweep(chroma_client(), older_than_seconds=ABANDONED_SECONDS)
        # What cannot be loaded is told when somebody asks; without a model the documents can be searched all the same.
        with contextlib.suppress(SpaceportError):
            backend = self.connect(target)
            if getattr(backend, "local", False):
                asyncio.run(backend.check())
        with contextlib.suppress(SpaceportError):
            self._embedder.warm()
            self._samples.documents  # noqa: B018  # reading it fills it


def _take(event: Found | Delta | Finished, reply: conversation.Reply, talk: Conversation, question: str) -> str | None:
    """Take one event into the reply and the conversation's sources; gives the source panel where it changes."""
    if isinstance(event, Delta):
        reply.add(event)
        return None
    if isinstance(event, Found):
        reply.found = event
        reply.status = render.reading(len(event.passages))
        talk.sources[reply.turn] = Sources(reply.turn, question, event.passages)
    else:
        reply.finish_reason = event.done.finish_reason
        known = talk.sources[reply.turn]
        talk.sources[reply.turn] = replace(known, citations=event.citations, removed=event.removed)
    return panel.sources_html(talk.sources.values())


def _time() -> str:
    return datetime.fromtimestamp(wall_clock(), UTC).isoformat(timespec="seconds")
