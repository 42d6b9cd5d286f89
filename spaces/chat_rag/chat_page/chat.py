"""The chat behind the page: targets, documents and visitors, and the updates of the page while an answer streams in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from backends import Backend, Catalog, NotConfigured, SpaceportError, Stopwatch
from backends.stopwatch import wall_clock
from backends.streams import batches, closing
from chat_page import pacing
from chat_page.conversation import Conversation
from chat_page.conversations.feedback import Rating, SharedFeedback, feedback_line
from chat_page.conversations.running import PageUpdate, RunningAnswer
from chat_page.messages import reply_messages
from chat_page.reply import Reply
from chat_page.sources import panel, preview
from chat_page.strings import ENGLISH
from chat_page.tools import Tools
from chat_page.uploads import Uploads
from chat_page.visitors.visitor import Visitor
from chat_page.visitors.visitors import Visitors
from rag.answering.answer import Rag
from rag.answering.measurements import measurements
from rag.answering.turn import Turn, model_messages, turns_before
from rag.answering.types import AnswerOptions
from rag.documents import Limits
from rag.errors import RagError
from rag.library.library import Library
from rag.library.quota import Quota
from rag.library.samples import SampleLibrary
from rag.reading.processes.pool import page_renderers
from rag.search.embedders import Embedder
from rag.search.vectors import chroma_client, sweep
from ui.admission.admission import Admission
from ui.admission.fair_queue import Caller
from ui.settings import int_setting

logger = logging.getLogger(__name__)
ABANDONED_SECONDS = 86_400
# An answer goes on for so long without a page that shows it: a reload or a lost connection takes less.
ABSENCE_SECONDS = 60
# More passages make a small model slower, and its answers no better.
SMALL_MODEL_PASSAGES = 3


class Chat:
    """One instance per process. Creating it is cheap: `warm` or the first question loads the models."""

    def __init__(self, catalog: Catalog, corpus: Path, *, limits: Limits) -> None:
        self.catalog = catalog
        self.admission = Admission()
        self._absence_seconds = int_setting("SPACEPORT_ABSENCE_SECONDS", ABSENCE_SECONDS, least=1)
        self.shared_feedback = SharedFeedback.from_environment()
        self._answers: dict[str, RunningAnswer] = {}  # by the turn
        self.uploads = Uploads(self.admission.uploads)
        self._embedder = Embedder()
        self._samples = SampleLibrary(corpus, self._embedder)
        quota = Quota.from_environment()
        self._visitors = Visitors.from_environment(
            lambda store: Library(self._embedder, limits=limits, store=store, quota=quota)
        )
        self.tools = Tools(self.admission, self._embedder, self._samples, connect=self.connect, options=self._options)
        self._connections: dict[str, Backend] = {}
        self._warming = threading.Lock()
        self._pace = pacing.Pace()

    @property
    def private_folders(self) -> list[str]:
        """The folders that the server must never serve files from."""
        return [str(self._visitors.root)] if self._visitors.root else []

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

    def start_answer(
        self,
        caller: Caller,
        visitor: Visitor,
        conversation: Conversation,
        turn_id: str,
        target: str,
        options: AnswerOptions,
        *,
        samples: bool,
    ) -> RunningAnswer | None:
        """Start to answer a question, the last one if there's none with this id; return its answer if it's running."""
        index = conversation.index(turn_id)
        turns = conversation.turns if index is None else conversation.turns[index : index + 1]
        # The question of a link wasn't counted, so nobody may have it answered.
        if not turns or turns[-1].target or turns[-1].shared or turns[-1].finish_reason:
            return self._answers.get(turns[-1].id) if turns else None
        turn = turns[-1]
        turn = replace(turn, target=target, asked_at=_utc_now())
        conversation.update(turn)
        updates = self._write_answer(caller, visitor, conversation, turn, options, samples=samples)
        answer = RunningAnswer(
            turn.id,
            updates,
            on_end=lambda: self._answers.pop(turn.id, None),
            has_left=lambda: not visitor.present,
            absence_seconds=self._absence_seconds,
        )
        self._answers[turn.id] = answer
        return answer

    def is_running(self, turn_id: str) -> bool:
        """Return whether the answer of a turn is being written."""
        return turn_id in self._answers and not self._answers[turn_id].ended

    def running(self, conversation: Conversation) -> RunningAnswer | None:
        """Return the answer that is being written to a conversation; of several, the last one."""
        ids = [turn.id for turn in conversation.turns if self.is_running(turn.id)]
        return self._answers[ids[-1]] if ids else None

    def leave(self, conversation: Conversation, session: str) -> None:
        """End what a page follows in a conversation, from any thread; the answers go on."""
        for turn in conversation.turns:
            if answer := self._answers.get(turn.id):
                answer.leave(session)

    async def stop(self, conversation: Conversation) -> None:
        """Stop the answers that are being written to a conversation; their text so far stays."""
        for turn in conversation.turns:
            if answer := self._answers.get(turn.id):
                await answer.stop()

    def stop_soon(self, conversation: Conversation) -> None:
        """Stop them from any thread."""
        for turn in conversation.turns:
            if answer := self._answers.get(turn.id):
                answer.stop_soon()

    async def _write_answer(
        self,
        caller: Caller,
        visitor: Visitor,
        conversation: Conversation,
        question: Turn,
        options: AnswerOptions,
        *,
        samples: bool,
    ) -> AsyncIterator[PageUpdate]:
        """Write the answer of a turn into the conversation; an error becomes part of the turn."""
        index = conversation.index(question.id) or 0
        earlier, number, target = turns_before(question, conversation.turns[:index]), index + 1, question.target
        reply = Reply(question)
        options = self._options(target, reply.question, options)
        reply.writer = self.catalog.title(target) if options.writes == "quotes" else ""
        stopwatch, growth, place = Stopwatch(), pacing.GrowthFilter(), None
        yield PageUpdate(reply_messages(reply.turn(), number, reply.status))
        try:
            await asyncio.to_thread(self.save, visitor, conversation)
            conversation.saved = False  # it stays in memory until the answer ends
            place = self.admission.answers.join(caller)
            async for reply.ahead in place.wait():
                yield PageUpdate(reply_messages(reply.turn(), number, reply.status))
            reply.ahead = None
            updates = self._updates(caller, visitor, reply, earlier, options, stopwatch, samples=samples)
            async with closing(updates):
                async for sources_changed in updates:
                    turn = reply.turn()
                    conversation.update(turn)
                    if conversation.deleted:
                        break
                    if not growth.is_due(turn.thought, turn.answer, urgent=sources_changed):
                        continue
                    sources = None
                    if sources_changed:
                        sources = await asyncio.to_thread(panel.sources_html, conversation.turns)
                    yield PageUpdate(reply_messages(turn, number, reply.status), sources)
        except SpaceportError as error:
            reply.error = error
        finally:
            # This runs even if the answer is stopped: the text so far stays.
            if place:
                place.release()
            turn = replace(reply.turn(ended=True), measurements=measurements(stopwatch, reply.retrieval))
            conversation.update(turn, ended=True)
            await asyncio.to_thread(self.save, visitor, conversation)
        yield PageUpdate(reply_messages(turn, number))

    async def _updates(
        self,
        caller: Caller,
        visitor: Visitor,
        reply: Reply,
        earlier: Sequence[Turn],
        options: AnswerOptions,
        stopwatch: Stopwatch,
        *,
        samples: bool,
    ) -> AsyncIterator[bool]:
        """Add the events of the answer to `reply`; yield after each batch whether the sources changed."""
        libraries = [visitor.library.without(visitor.left_out), *([self._samples] if samples else [])]
        answer = Rag(self._embedder, libraries).answer(
            reply.question.question,
            self.connect(reply.question.target),
            history=model_messages(earlier),
            options=options,
            stopwatch=stopwatch,
        )
        events = self.admission.in_time(answer)

        def interval() -> float:
            return self._pace.seconds(self.admission.answers.queue.running(caller))

        updates = batches(events, interval, at_once=reply.starts_section, pause_between_batches=True)
        async with closing(updates):
            async for batch in updates:
                before = reply.retrieval, reply.end
                for event in batch:
                    reply.add(event)
                yield (reply.retrieval, reply.end) != before

    def _options(self, target: str, turn: Turn, options: AnswerOptions) -> AnswerOptions:
        """Return the options for a target: one that writes only quotes gets few passages when it's asked to write."""
        if target not in self.catalog.names or self.catalog.writes(target) == "answer":
            return options
        passages = min(options.passages, SMALL_MODEL_PASSAGES)
        return replace(options, passages=passages, writes=turn.writes or "quotes")

    async def preview(self, caller: Caller, visitor: Visitor, source: panel.OpenSource) -> str:
        """Return the place of a passage in its document as HTML."""
        return await self.admission.view(caller, self._preview, visitor, source)

    def warm(self, target: str) -> None:
        """Load the models and read the sample documents in a thread, once; the first page that opens calls this."""
        if self._warming.acquire(blocking=False):
            page_renderers().warm()
            threading.Thread(target=self._load, args=[target], name="warm", daemon=True).start()

    def rate(self, visitor: Visitor, turn: Turn, rating: Rating) -> None:
        """Keep what the visitor thinks of an answer, and send it if the operator shares feedback."""
        line = feedback_line(turn, rating, _utc_now())
        visitor.store.add_feedback(line)
        if self.shared_feedback:
            self.shared_feedback.add(line)

    def _preview(self, visitor: Visitor, source: panel.OpenSource) -> str:
        for library in (visitor.library, self._samples):
            if document := library.document(source.passage.document_id):
                original = library.original(document.id)
                return preview.preview_html(document, source.passage, source.span, original, page=source.page)
        return preview.missing_html(source.passage)

    def save(self, visitor: Visitor, conversation: Conversation) -> None:
        """Store a conversation; its `problem` says why it couldn't be."""
        try:
            visitor.conversations.save(conversation)
            conversation.problem = ""
        except RagError as error:
            conversation.problem = ENGLISH.not_saved.format(reason=str(error))

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
            self._samples.documents  # noqa: B018  # the first access reads them


def _utc_now() -> str:
    return datetime.fromtimestamp(wall_clock(), UTC).isoformat(timespec="seconds")
