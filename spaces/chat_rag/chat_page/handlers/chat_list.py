"""The event handlers of the list of conversations."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import gradio as gr

from chat_page.chat import Chat
from chat_page.conversations.chat_list import chat_list_html
from chat_page.conversations.conversation import MAX_NAME_CHARACTERS, Conversation
from chat_page.conversations.feedback import Rating
from chat_page.handlers.notices import warn
from chat_page.handlers.page import BUSY, READY, PageHandlers
from chat_page.rendering.messages import turn_index
from chat_page.sharing import export
from chat_page.sources import panel
from chat_page.translations.languages import strings
from chat_page.visitors.visitor import Visitor
from rag.errors import RagError
from ui.admission.errors import Refused
from ui.middleware.event_data import event_number, event_text

MAX_SEARCH_CHARACTERS = 200
MAX_EXPORT_BYTES = 20_000_000  # the page gets it as the value of an event


class ConversationHandlers:
    """The handlers of the list; `search` is the text of its search box.

    Those that change the page return the question's buttons, the conversation, its sources and the list.
    """

    def __init__(self, chat: Chat, page: PageHandlers) -> None:
        self._chat, self._page = chat, page

    async def list_chats(self, key: str, search: str, request: gr.Request) -> Any:
        """Return the list, or those with the text of the search."""
        visitor, conversation = await asyncio.to_thread(self._page.find, key, request)
        if not search:
            return await asyncio.to_thread(self._list, visitor, conversation, search, request)
        try:  # it reads all conversations
            caller = self._page.caller(key, request)
            return await self._chat.admission.view(caller, self._list, visitor, conversation, search, request)
        except Refused as refusal:
            warn(refusal)
            return gr.skip()

    def new_chat(self, key: str, search: str, request: gr.Request) -> tuple[Any, ...]:
        """Begin a conversation; the others and the documents stay."""
        visitor, _ = self._page.find(key, request)
        return self._show(visitor, visitor.conversations.new(), search, request)

    def select(self, key: str, search: str, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Show the conversation that was clicked."""
        visitor, _ = self._page.find(key, request)
        return self._show(visitor, self._page.open(visitor, _id(event)), search, request)

    def rename(self, key: str, search: str, event: gr.EventData, request: gr.Request) -> str:
        """Name a conversation."""
        words = strings()
        visitor, conversation = self._page.find(key, request)
        name = " ".join(event_text(event, "name")[: 10 * MAX_NAME_CHARACTERS].split())
        if len(name) > MAX_NAME_CHARACTERS:
            warn(words.fill(words.name_too_long, limit=MAX_NAME_CHARACTERS))
        try:
            visitor.conversations.rename(_id(event), name[:MAX_NAME_CHARACTERS])
        except RagError as error:
            warn(error)
        return self._list(visitor, conversation, search, request)

    async def delete(self, key: str, search: str, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Delete a conversation; if it was on the page, a new one is."""
        visitor, conversation = await asyncio.to_thread(self._page.find, key, request)
        deleted = await asyncio.to_thread(self._page.open, visitor, _id(event))
        await self._chat.answers.stop(deleted)
        try:
            await asyncio.to_thread(visitor.conversations.delete, deleted.id)
        except RagError as error:
            warn(error)
        if deleted.id != conversation.id:
            chats = await asyncio.to_thread(self._list, visitor, conversation, search, request)
            return (*(gr.skip() for _ in range(3)), chats)
        return await asyncio.to_thread(self._show, visitor, visitor.conversations.new(), search, request)

    async def export_all(self, key: str, request: gr.Request) -> str:
        """Return all conversations as JSON, or "" with a warning."""
        words = strings()
        visitor, _ = await asyncio.to_thread(self._page.find, key, request)
        if await asyncio.to_thread(lambda: visitor.conversations.size) > MAX_EXPORT_BYTES:
            warn(words.fill(words.too_large_to_export, limit=MAX_EXPORT_BYTES // 1_000_000))
            return ""
        try:
            write = partial(export.all_as_json, visitor.conversations.all())
            return await self._chat.admission.view(self._page.caller(key, request), write)
        except (RagError, Refused) as refusal:
            warn(refusal)
            return ""

    async def rate(self, key: str, event: gr.LikeData, request: gr.Request) -> Any:
        """Keep a thumb, or the reason for one; return the ratings that the page shows."""
        words = strings()
        visitor, conversation = await asyncio.to_thread(self._page.find, key, request)
        index = turn_index(conversation, event_number(event, "index"))
        if index is None:
            return gr.skip()
        rating = Rating.from_event(event.liked)
        try:
            caller, turn = self._page.caller(key, request), conversation.turns[index]
            await self._chat.admission.view(caller, self._chat.rate, visitor, conversation, turn, rating)
        except (RagError, Refused) as error:
            warn(error)
            return gr.skip()
        shared = self._chat.shared_feedback
        if rating.rating:
            gr.Info(words.fill(words.feedback_shared, dataset=shared.dataset) if shared else words.feedback_kept)
        return gr.update(feedback_value=await asyncio.to_thread(self._page.ratings, conversation))

    def _show(self, visitor: Visitor, conversation: Conversation, search: str, request: gr.Request) -> tuple[Any, ...]:
        before = visitor.conversation(request.session_hash)
        visitor.show(request.session_hash, conversation)
        if before is not conversation:
            self._chat.answers.leave(before, request.session_hash or "")
        messages = self._page.view(visitor, conversation, request)
        buttons = gr.Textbox(**(BUSY if self._chat.answers.running(visitor, conversation) else READY))
        chats = self._list(visitor, conversation, search, request)
        return buttons, messages, panel.sources_html(conversation.turns), chats

    def _list(self, visitor: Visitor, conversation: Conversation, search: str, request: gr.Request) -> str:
        search = str(search or "")[:MAX_SEARCH_CHARACTERS]
        answer = self._chat.answers.running(visitor, conversation)
        # The page's own question has an event that follows its answer.
        unfollowed = answer is not None and answer.turn_id != visitor.page(request.session_hash).turn_id
        chats = visitor.conversations.listed(search)
        return chat_list_html(chats, conversation.id, search=search, unfollowed=unfollowed)


def _id(event: gr.EventData) -> str:
    return event_text(event, "conversation")
