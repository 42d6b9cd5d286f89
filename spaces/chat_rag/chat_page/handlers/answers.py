"""The event handlers that stream an answer to the page and end it there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from backends.hub.visitor_token import visitor_context
from backends.streams import closing
from chat_page.answers import pacing
from chat_page.chat import Chat
from chat_page.conversations.conversation import Conversation
from chat_page.conversations.remote_answer import FollowedAnswer
from chat_page.documents.shared_libraries import Choice
from chat_page.handlers.notices import warn
from chat_page.handlers.page import BUSY, READY, PageHandlers
from chat_page.rendering.messages import ChatMessage, conversation_messages
from chat_page.sources import panel
from chat_page.translations.languages import strings
from chat_page.visitors.visitor import Visitor
from rag.answering.options import MAX_QUESTION_CHARACTERS, AnswerOptions
from ui.middleware.event_data import event_text
from ui.sign_in import session


class AnswerHandlers:
    """The handlers of answers: they go on while no page shows them, and a page follows them again."""

    def __init__(self, chat: Chat, page: PageHandlers) -> None:
        self._chat, self._page = chat, page

    async def respond(
        self,
        key: str,
        target: str,
        passages: float,
        max_tokens: float,
        temperature: float,
        system: str,
        general_knowledge: bool,
        samples: Choice,
        request: gr.Request,
    ) -> AsyncIterator[tuple[Any, Any]]:
        """Stream the answer to the last question: the conversation and the source panel."""
        if len(system) > MAX_QUESTION_CHARACTERS:
            words = strings()
            warn(words.fill(words.system_too_long, limit=MAX_QUESTION_CHARACTERS))
        system = system[:MAX_QUESTION_CHARACTERS]
        options = AnswerOptions(int(passages), int(max_tokens), float(temperature), system, general_knowledge)
        visitor, conversation = await asyncio.to_thread(self._page.find, key, request)
        caller = self._page.caller(key, request)
        turn_id = visitor.page(request.session_hash).turn_id
        start = partial(
            self._chat.answers.start,
            caller,
            visitor,
            conversation,
            turn_id,
            target,
            options,
            shared=self._chat.shared.select(samples),
        )
        answer = visitor_context(session.token(request)).run(start)
        async for update in self._follow(visitor, conversation, answer, request):
            yield update
        if conversation.problem:
            warn(conversation.problem)

    async def follow(self, key: str, request: gr.Request) -> AsyncIterator[tuple[Any, Any]]:
        """Stream the answer that is being written to the page's conversation, if there is one."""
        visitor, conversation = await asyncio.to_thread(self._page.find, key, request)
        answer = await asyncio.to_thread(self._chat.answers.running, visitor, conversation)
        if answer is None or answer.is_followed_by(request.session_hash or ""):
            yield gr.skip(), gr.skip()
            return
        async for update in self._follow(visitor, conversation, answer, request):
            yield update

    async def _follow(
        self,
        visitor: Visitor,
        conversation: Conversation,
        answer: FollowedAnswer | None,
        request: gr.Request,
    ) -> AsyncIterator[tuple[Any, Any]]:
        updates = self._updates(visitor, conversation, answer, request)
        async with closing(updates):
            async for update in updates:
                yield update
        if not visitor.shows(request.session_hash, conversation):
            # Gradio repeats the last values when an event ends, maybe after the other conversation is on the page.
            other = await asyncio.to_thread(visitor.conversation, request.session_hash)
            messages = await asyncio.to_thread(self._page.messages, visitor, other, request)
            yield pacing.Updates(messages).next(messages, panel.sources_html(other.turns))

    async def _updates(
        self,
        visitor: Visitor,
        conversation: Conversation,
        answer: FollowedAnswer | None,
        request: gr.Request,
    ) -> AsyncIterator[tuple[Any, Any]]:
        index = conversation.index(answer.turn_id) if answer else None
        messages = await asyncio.to_thread(conversation_messages, conversation, index)
        updates = pacing.Updates(messages)
        yield updates.next(messages, None)  # without any update Gradio would show an empty page
        if answer is None or not visitor.shows(request.session_hash, conversation):
            return
        page = visitor.page(request.session_hash)
        page.turn_id = answer.turn_id
        followed = answer.follow(request.session_hash or "")
        async with closing(followed):
            async for update in followed:
                if not visitor.shows(request.session_hash, conversation):  # another one was opened there
                    return
                yield updates.next([*messages, *update.reply], update.sources)
        if conversation.turns and conversation.turns[-1].id == answer.turn_id:
            page.shown_changes = conversation.changes

    def resume(self, key: str, event: gr.EventData, request: gr.Request) -> tuple[Any, Any, Any]:
        """Bring a page up to date that had lost its connection, was in the background, or came back from the history.

        The event says which conversation is on it. Return the question's buttons, the conversation and its sources.
        """
        visitor, conversation = self._page.find(key, request)
        tab = event_text(event, "conversation")
        if tab and tab != conversation.id:
            conversation = self._page.open(visitor, tab)
            visitor.show(request.session_hash, conversation)
        answer = self._chat.answers.running(visitor, conversation)
        if answer and not answer.is_followed_by(request.session_hash or ""):
            return gr.Textbox(**BUSY), gr.skip(), gr.skip()
        if answer or visitor.page(request.session_hash).shown_changes == conversation.changes:
            return gr.skip(), gr.skip(), gr.skip()
        messages = self._page.view(visitor, conversation, request)
        return gr.Textbox(**READY), messages, panel.sources_html(conversation.turns)

    async def stop(self, key: str, request: gr.Request) -> tuple[Any, list[ChatMessage]]:
        """Stop the answers that are being written to the page's conversation."""
        visitor, conversation = await asyncio.to_thread(self._page.find, key, request)
        await self._chat.answers.stop(conversation)
        for turn in conversation.turns:
            if turn.finish_reason is None and not turn.shared:  # its answer hadn't begun, or another process writes it
                conversation.update(replace(turn, finish_reason="stopped", written_by=""), ended=True)
                if turn.written_by:
                    await asyncio.to_thread(visitor.save, conversation)
        messages = await asyncio.to_thread(self._page.messages, visitor, conversation, request)
        # An update that is still under way can take the place of these; `finish`, after the stream, sends them again.
        visitor.page(request.session_hash).shown_changes = None
        return gr.Textbox(**READY), messages

    def finish(self, key: str, request: gr.Request) -> tuple[Any, Any]:
        """Restore the send button after an answer or Stop, with nothing pending in the conversation."""
        visitor, conversation = self._page.find(key, request)
        # The page has lost its connection to an answer that goes on.
        if self._chat.answers.is_running(visitor.page(request.session_hash).turn_id):
            return gr.skip(), gr.skip()
        if visitor.page(request.session_hash).shown_changes == conversation.changes:
            return gr.Textbox(**READY), gr.skip()
        return gr.Textbox(**READY), self._page.messages(visitor, conversation, request)
