"""The event handlers that download and share a conversation, and open a shared one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from chat_page.chat import Chat
from chat_page.handlers.notices import warn
from chat_page.handlers.page import PageHandlers
from chat_page.sharing import export, share, web_page
from chat_page.sources import panel
from rag.answering.turn import Turn
from ui.admission.errors import Refused


class ExportHandlers:
    """The handlers of the buttons below the list of conversations, and of links to conversations."""

    def __init__(self, chat: Chat, page: PageHandlers) -> None:
        self._chat, self._page = chat, page

    async def export_markdown(self, key: str, request: gr.Request) -> str:
        """Return the conversation as Markdown."""
        return await self._export(export.as_markdown, key, request)

    async def export_json(self, key: str, request: gr.Request) -> str:
        """Return the conversation as JSON."""
        return await self._export(export.as_json, key, request)

    async def export_html(self, key: str, request: gr.Request) -> str:
        """Return the conversation as an HTML page."""
        return await self._export(web_page.as_html, key, request)

    async def share_link(self, key: str, request: gr.Request) -> tuple[str, Any]:
        """Return the part of the link after `#c=`, and the box that shows the link."""
        try:
            link = await self._export(share.link_fragment, key, request)
            return link, gr.Textbox(visible=True) if link else gr.skip()
        except share.ShareError as error:
            warn(error)
            return "", gr.skip()

    async def open_link(self, fragment: str, key: str, request: gr.Request) -> tuple[Any, Any]:
        """Show the conversation in a link, beside the visitor's own ones, and its sources."""
        if not fragment:
            return gr.skip(), gr.skip()
        caller = self._page.caller(key, request)
        try:
            turns = await self._chat.admission.view(caller, share.open_turns, fragment)
            visitor, _ = await asyncio.to_thread(self._page.find, key, request)
            # A reload opens the link again.
            same = (each for each in visitor.conversations.loaded if each.turns == turns)
            conversation = next(same, None) or visitor.conversations.new()
            conversation.replace_turns(turns)
            visitor.show(request.session_hash, conversation)
            # A link can have a megabyte: in the threads of all events, a few such links would delay everybody.
            messages = await self._chat.admission.view(caller, self._page.view, visitor, conversation, request)
        except (share.ShareError, Refused) as error:
            warn(error)
            return gr.skip(), gr.skip()
        return messages, panel.sources_html(conversation.turns)

    async def _export(self, write: Callable[[Sequence[Turn]], str], key: str, request: gr.Request) -> str:
        """Return the conversation as `write` writes it, or "" if the visitor must wait."""
        _, conversation = await asyncio.to_thread(self._page.find, key, request)
        try:
            return await self._chat.admission.view(self._page.caller(key, request), write, conversation.turns)
        except Refused as refusal:
            warn(refusal)
            return ""
