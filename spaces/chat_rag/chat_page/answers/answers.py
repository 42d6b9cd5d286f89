"""The answers that are being written, for all pages: each goes into its conversation, and pages follow its updates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from backends import Backend, Catalog, SpaceportError, Stopwatch
from backends.stopwatch import wall_clock
from backends.streams import batches, closing
from chat_page.answers import pacing
from chat_page.answers.reply import Reply
from chat_page.answers.saving import AnswerSaving
from chat_page.conversations.conversation import Conversation
from chat_page.conversations.remote_answer import Absence, FollowedAnswer, Followers, RemoteAnswer
from chat_page.conversations.running_answer import PageUpdate, RunningAnswer
from chat_page.rendering.answer_text import iso_time
from chat_page.rendering.messages import reply_messages
from chat_page.rendering.quotes import ShownQuotes
from chat_page.sources import panel
from chat_page.visitors.visitor import Visitor
from rag.answering.answer import Rag
from rag.answering.measurements import measurements
from rag.answering.options import AnswerOptions
from rag.answering.turn import Turn, model_messages, turns_before
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder
from ui.admission.admission import Admission
from ui.admission.fair_queue import Caller
from ui.process.environment import int_setting

# An answer goes on for so long without a page that shows it: a reload or a lost connection takes less.
ABSENCE_SECONDS = 60
# More passages make a small model slower, and its answers no better.
SMALL_MODEL_PASSAGES = 3


class Answers:
    """The answers of one process, by their turns."""

    def __init__(
        self,
        catalog: Catalog,
        admission: Admission,
        embedder: Embedder,
        *,
        connect: Callable[[str], Backend],
    ) -> None:
        self._catalog = catalog
        self._admission = admission
        self._embedder = embedder
        self._connect = connect
        self._absence_seconds = int_setting("SPACEPORT_ABSENCE_SECONDS", ABSENCE_SECONDS, least=1)
        self._by_turn: dict[str, RunningAnswer] = {}
        self._followers: Followers = {}  # of answers that other processes write
        self._pace = pacing.Pace()

    def start(
        self,
        caller: Caller,
        visitor: Visitor,
        conversation: Conversation,
        turn_id: str,
        target: str,
        options: AnswerOptions,
        *,
        shared: Sequence[Library],
    ) -> RunningAnswer | None:
        """Start to answer a question, the last one if there's none with this id; return its answer if it's running."""
        index = conversation.index(turn_id)
        turns = conversation.turns if index is None else conversation.turns[index : index + 1]
        # The question of a link wasn't counted, so nobody may have it answered.
        if not turns or turns[-1].target or turns[-1].shared or turns[-1].finish_reason:
            return self._by_turn.get(turns[-1].id) if turns else None
        process = visitor.conversations.process
        title = self._catalog.title(target) if target in self._catalog.names else ""
        turn = replace(
            turns[-1], target=target, target_title=title, asked_at=iso_time(wall_clock()), written_by=process
        )
        conversation.update(turn)
        updates = self._write_answer(caller, visitor, conversation, turn, options, shared=shared)
        answer = RunningAnswer(
            turn.id,
            updates,
            on_end=lambda: self._by_turn.pop(turn.id, None),
            has_left=Absence(visitor.store, lambda: visitor.present).has_left,
            absence_seconds=self._absence_seconds,
        )
        self._by_turn[turn.id] = answer
        return answer

    def is_running(self, turn_id: str) -> bool:
        """Return whether the answer of a turn is being written."""
        return turn_id in self._by_turn and not self._by_turn[turn_id].ended

    def running(self, visitor: Visitor, conversation: Conversation) -> FollowedAnswer | None:
        """Return the answer that is being written to a conversation, here or elsewhere; of several, the last one."""
        for turn in reversed(conversation.turns):
            if self.is_running(turn.id):
                return self._by_turn[turn.id]
            if visitor.conversations.is_written_elsewhere(turn):
                return RemoteAnswer(visitor.conversations, conversation.id, turn.id, self._followers)
        return None

    def leave(self, conversation: Conversation, session: str) -> None:
        """End what a page follows in a conversation, from any thread; the answers go on."""
        for turn in conversation.turns:
            self._followers.pop((turn.id, session), None)
            if answer := self._by_turn.get(turn.id):
                answer.leave(session)

    async def stop(self, conversation: Conversation) -> None:
        """Stop the answers that are being written to a conversation; their text so far stays."""
        for turn in conversation.turns:
            if answer := self._by_turn.get(turn.id):
                await answer.stop()

    def stop_soon(self, conversation: Conversation) -> None:
        """Stop them from any thread."""
        for turn in conversation.turns:
            if answer := self._by_turn.get(turn.id):
                answer.stop_soon()

    def options(self, target: str, turn: Turn, options: AnswerOptions) -> AnswerOptions:
        """Return the options for a target: one that writes only quotes gets few passages when it's asked to write."""
        if target not in self._catalog.names or self._catalog.writes(target) == "answer":
            return options
        passages = min(options.passages, SMALL_MODEL_PASSAGES)
        return replace(options, passages=passages, writes=turn.writes or "quotes")

    async def _write_answer(
        self,
        caller: Caller,
        visitor: Visitor,
        conversation: Conversation,
        question: Turn,
        options: AnswerOptions,
        *,
        shared: Sequence[Library],
    ) -> AsyncIterator[PageUpdate]:
        """Write the answer of a turn into the conversation; an error becomes part of the turn."""
        index = conversation.index(question.id) or 0
        earlier, number, target = turns_before(question, conversation.turns[:index]), index + 1, question.target
        reply = Reply(question, loads_search=not self._embedder.is_loaded)
        saving = AnswerSaving(visitor, conversation)
        options = self.options(target, reply.question, options)
        reply.writer = self._catalog.title(target) if options.writes == "quotes" else ""
        stopwatch, growth, place, shown = Stopwatch(), pacing.GrowthFilter(), None, None
        yield PageUpdate(reply_messages(reply.turn(), number, reply.status))
        try:
            await saving.save_if_due()
            place = self._admission.answers.join(caller)
            async for reply.ahead in place.wait():
                yield PageUpdate(reply_messages(reply.turn(), number, reply.status))
            reply.ahead = None
            updates = self._updates(caller, visitor, reply, earlier, options, stopwatch, shared=shared)
            async with closing(updates):
                async for sources_changed in updates:
                    turn = reply.turn()
                    if conversation.deleted or _is_stopped_elsewhere(conversation, turn):
                        break
                    conversation.update(turn)
                    await saving.save_if_due()
                    if not growth.is_due(turn.thought, turn.answer, urgent=sources_changed):
                        continue
                    sources = None
                    if sources_changed:
                        sources = await asyncio.to_thread(panel.sources_html, conversation.turns)
                        shown = ShownQuotes.of(turn, number)
                    yield PageUpdate(reply_messages(turn, number, reply.status, shown=shown), sources)
        except SpaceportError as error:
            reply.error = error
        finally:
            # This runs even if the answer is stopped: the text so far stays.
            if place:
                place.release()
            turn = replace(reply.turn(ended=True), measurements=measurements(stopwatch, reply.retrieval))
            conversation.update(turn, ended=True)
            await asyncio.to_thread(visitor.save, conversation)
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
        shared: Sequence[Library],
    ) -> AsyncIterator[bool]:
        """Add the events of the answer to `reply`; yield after each batch whether the sources changed."""
        libraries = [visitor.library.without(visitor.left_out), *shared]
        answer = Rag(self._embedder, libraries).answer(
            reply.question.question,
            self._connect(reply.question.target),
            history=model_messages(earlier),
            options=options,
            stopwatch=stopwatch,
        )
        events = self._admission.in_time(answer)

        characters = sum(turn.characters for turn in earlier)

        def interval() -> float:
            return self._pace.seconds(self._admission.answers.queue.running(caller), characters)

        updates = batches(events, interval, at_once=reply.starts_section, pause_between_batches=True)
        async with closing(updates):
            async for batch in updates:
                before = reply.retrieval, reply.end
                for event in batch:
                    reply.add(event)
                yield (reply.retrieval, reply.end) != before


def _is_stopped_elsewhere(conversation: Conversation, turn: Turn) -> bool:
    """Whether a page of another process has stopped the answer, as the last saving found out."""
    index = conversation.index(turn.id)
    return index is not None and conversation.turns[index].finish_reason == "stopped"
