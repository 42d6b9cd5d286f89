"""The event handler that shows questions to go on with, below an answer."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import gradio as gr

from chat_page.chat import Chat
from chat_page.documents.follow_ups import may_go_on
from chat_page.documents.shared_libraries import Choice
from chat_page.handlers.page import PageHandlers
from rag.errors import RagError


class FollowUpHandlers:
    """The handler of what comes after an answer; its click is one of `QuestionHandlers`."""

    def __init__(self, chat: Chat, page: PageHandlers) -> None:
        self._chat, self._page = chat, page

    async def suggest_next(self, key: str, samples: Choice, request: gr.Request) -> Any:
        """Return the conversation with questions that go on from its newest answer."""
        visitor, conversation = await asyncio.to_thread(self._page.find, key, request)
        turn = conversation.turns[-1] if conversation.turns else None
        if turn is None or turn.follow_ups or turn.id in conversation.follow_up_turns or not may_go_on(turn):
            return gr.skip()
        conversation.follow_up_turns.add(turn.id)
        libraries = [visitor.library.without(visitor.left_out), *self._chat.shared.select(samples)]
        questions = await self._chat.next_questions.find(conversation, turn, libraries)
        if not questions or not conversation.ends_with(turn):
            return gr.skip()
        conversation.change(turn.id, follow_ups=questions)
        with contextlib.suppress(RagError):  # it isn't worth a message, and comes again
            await asyncio.to_thread(visitor.conversations.keep, conversation)
        # Meanwhile, the visitor may have asked or removed something, or opened another conversation.
        if not conversation.ends_with(turn) or not visitor.shows(request.session_hash, conversation):
            return gr.skip()
        return await asyncio.to_thread(self._page.messages, visitor, conversation, request)
