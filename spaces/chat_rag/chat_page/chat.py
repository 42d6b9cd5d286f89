"""The chat behind the page: its targets, documents, visitors and answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from backends import Backend, Catalog, NotConfigured, SpaceportError
from backends.stopwatch import wall_clock
from chat_page.answers.answers import Answers
from chat_page.answers.next_questions import NextQuestions
from chat_page.conversations.conversation import Conversation
from chat_page.conversations.feedback import Rating, SharedFeedback, feedback_line
from chat_page.documents.shared_libraries import SharedLibraries
from chat_page.documents.uploads import Uploads
from chat_page.program_api import ProgramApi
from chat_page.rendering.answer_text import iso_time
from chat_page.sources import panel, preview
from chat_page.strings import ENGLISH
from chat_page.visitors.visitor import Visitor
from chat_page.visitors.visitors import Visitors
from rag.answering.turn import Turn
from rag.documents import Limits
from rag.library.library import Library
from rag.library.quota import Quota
from rag.reading.processes.pool import page_renderers
from rag.search.chroma_vectors import chroma_client, sweep
from rag.search.embedding.embedders import Embedder
from ui.admission.admission import Admission
from ui.admission.fair_queue import Caller
from ui.admission.page_redis import PageRedis
from ui.process.memory import keep_loaded

ABANDONED_SECONDS = 86_400


class Chat:
    """One instance per process. Creating it is cheap: `warm` or the first question loads the models."""

    def __init__(
        self, catalog: Catalog, corpus: Path, *, limits: Limits, libraries: Sequence[Path] = (),
        examples: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Load the built `libraries`, which visitors search in the place of the samples in `corpus`.

        `examples` are questions to them.
        """
        self.catalog = catalog
        page_redis = PageRedis.from_environment("chat")
        self.admission = Admission(page_redis=page_redis)
        self.shared_feedback = SharedFeedback.from_environment(page_redis=page_redis)
        self.uploads = Uploads(self.admission.uploads)
        self._embedder = Embedder()
        self.shared = SharedLibraries(libraries, corpus, self._embedder, examples=examples)
        quota = Quota.from_environment()
        self._visitors = Visitors.from_environment(
            lambda store: Library(self._embedder, limits=limits, store=store, quota=quota)
        )
        self.answers = Answers(catalog, self.admission, self._embedder, connect=self.connect)
        self.next_questions = NextQuestions(self.admission, self._embedder)
        self.program_api = ProgramApi(
            self.admission, self._embedder, self.shared.libraries, connect=self.connect, options=self.answers.options
        )
        self._connections: dict[str, Backend] = {}
        self._warming = threading.Lock()

    @property
    def private_folders(self) -> list[str]:
        """The folders that the server must never serve files from."""
        return [str(folder) for folder in (self._visitors.root, *self.shared.folders) if folder]

    def visitor(self, key: object) -> Visitor:
        """Return the visitor of a private key."""
        return self._visitors.get(key)

    def touch(self, key: object) -> bool:
        """Record that a visitor is still there, without loading anything; return whether there is data of theirs."""
        return self._visitors.touch(key)

    def forget(self, key: object) -> None:
        """Delete all data of a visitor."""
        self._visitors.forget(key)

    def close_page(self, session: str | None) -> None:
        """Record that a page was closed."""
        self._visitors.close_page(session)

    def connect(self, name: str) -> Backend:
        """Return the backend of a target, connected once for all visitors."""
        if name not in self.catalog.names:
            raise NotConfigured(ENGLISH.unknown_target, ENGLISH.unknown_target_remedy)
        if name not in self._connections:
            self._connections[name] = self.catalog.connect(name)
        return self._connections[name]

    def reconnect(self) -> None:
        """Connect again at the next question: this machine has another model."""
        self._connections.clear()

    async def preview(self, caller: Caller, visitor: Visitor, source: panel.OpenSource) -> str:
        """Return the place of a passage in its document as HTML."""
        return await self.admission.view(caller, self._preview, visitor, source)

    def warm(self, target: str) -> None:
        """Load the models and read the sample documents in a thread, once; the first page that opens calls this."""
        if self._warming.acquire(blocking=False):
            page_renderers().warm()
            threading.Thread(target=self._load, args=[target], name="warm", daemon=True).start()

    def rate(self, visitor: Visitor, conversation: Conversation, turn: Turn, rating: Rating) -> None:
        """Keep what the visitor thinks of an answer, and send it if the operator shares feedback."""
        line = feedback_line(turn, rating, iso_time(wall_clock()))
        visitor.store.add_feedback(line)
        if self.shared_feedback:
            self.shared_feedback.add(line)
        if not turn.shared:  # a link that is opened again finds its conversation by its turns
            conversation.change(turn.id, rating=rating.rating, reason=rating.reason)
            visitor.conversations.keep(conversation)

    def _preview(self, visitor: Visitor, source: panel.OpenSource) -> str:
        for library in (visitor.library, *self.shared.libraries):
            if document := library.document(source.passage.document_id):
                original = library.original(document.id)
                return preview.preview_html(document, source.passage, source.span, original, page=source.page)
        return preview.missing_html(source.passage)

    def _load(self, target: str) -> None:
        with contextlib.suppress(SpaceportError):
            if os.environ.get("SPACEPORT_CHROMA_URL"):  # collections that killed processes left there
                sweep(chroma_client(), older_than_seconds=ABANDONED_SECONDS)
        # A question reports what can't be loaded here. Documents can be searched without a model.
        with contextlib.suppress(SpaceportError):
            backend = self.connect(target)
            if backend.local:
                asyncio.run(backend.check())
        with contextlib.suppress(SpaceportError):
            self._embedder.warm()
            for library in self.shared.libraries:
                library.documents  # noqa: B018  # the first access reads the samples
        keep_loaded()
