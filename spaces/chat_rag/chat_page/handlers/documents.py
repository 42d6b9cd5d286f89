"""The event handlers of the visitor's documents, and of the places in them that answers name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio as gr

from chat_page.chat import Chat
from chat_page.conversations.feedback import RATINGS, reasons
from chat_page.documents import suggestions
from chat_page.documents.shared_libraries import Choice
from chat_page.documents.web_pages import add_url
from chat_page.handlers.notices import warn
from chat_page.handlers.page import PageHandlers
from chat_page.rendering.documents import note_html, visitor_documents
from chat_page.sources import panel
from chat_page.translations.languages import strings
from chat_page.visitors.visitor import Visitor
from rag.errors import DocumentError, RagError
from ui.admission.errors import Refused
from ui.middleware.event_data import event_number, event_text
from ui.middleware.uploads import keep_while_used


class DocumentHandlers:
    """The handlers of the document list and the source panel."""

    def __init__(self, chat: Chat, page: PageHandlers) -> None:
        self._chat, self._page = chat, page

    async def upload(
        self, paths: list[str] | None, key: str, request: gr.Request
    ) -> AsyncIterator[tuple[Any, Any, Any]]:
        """Read the dropped files: updates of the drop zone, the document list and the samples checkbox."""
        visitor, _ = await asyncio.to_thread(self._page.find, key, request)
        keep_while_used(paths or [])
        files = [Path(path) for path in paths or []]
        try:
            async for documents in self._chat.uploads.add(self._page.caller(key, request), visitor, files):
                yield gr.skip(), documents, gr.skip()
        except Refused as refusal:
            warn(refusal)
        yield None, gr.skip(), self._page.shared_choice(visitor)

    async def add_url(self, url: str, key: str, request: gr.Request) -> AsyncIterator[tuple[Any, Any, Any]]:
        """Fetch a web page into the documents: updates of the address, the document list and the samples checkbox."""
        visitor, _ = await asyncio.to_thread(self._page.find, key, request)
        try:
            async for documents in add_url(self._chat.uploads, self._page.caller(key, request), visitor, url):
                yield gr.skip(), documents, gr.skip()
        except (DocumentError, Refused) as refusal:
            warn(refusal)
            yield gr.skip(), gr.skip(), gr.skip()
            return
        yield "", gr.skip(), self._page.shared_choice(visitor)

    async def follow_uploads(self, key: str, request: gr.Request) -> AsyncIterator[Any]:
        """Show the progress of files on a page that opened while they were being read."""
        visitor, _ = await asyncio.to_thread(self._page.find, key, request)
        yield gr.skip()  # without any update Gradio would show an empty list
        if visitor.ingestion.busy:
            async for documents in self._chat.uploads.progress(visitor):
                yield documents

    def remove(self, key: str, event: gr.EventData, request: gr.Request) -> str:
        """Remove the document whose button was clicked."""
        visitor, _ = self._page.find(key, request)
        document = event_text(event, "document")
        visitor.library.remove(document)
        self._leave_out(visitor, document, left_out=False)
        return visitor_documents(visitor, visitor.ingestion.snapshot())

    def choose(self, key: str, event: gr.EventData, request: gr.Request) -> None:
        """Ask a document from now on, or leave it out."""
        visitor, _ = self._page.find(key, request)
        if visitor.library.document(document := event_text(event, "document")):
            self._leave_out(visitor, document, left_out=not event_number(event, "asked", 0))

    @staticmethod
    def _leave_out(visitor: Visitor, document: str, *, left_out: bool) -> None:
        try:
            visitor.leave_out(document, left_out=left_out)
        except RagError as error:
            warn(error)

    def suggest(self, key: str, samples: Choice, request: gr.Request) -> Any:
        """Return the empty conversation with questions that fit the documents."""
        words = strings()
        visitor, _ = self._page.find(key, request)
        own, shared = visitor.library.without(visitor.left_out).documents, self._chat.shared
        documents = own or shared.documents(samples)
        questions = suggestions.questions(own) if own else shared.questions(samples)
        examples = questions or (words.examples if samples else ())
        invitation = words.invitation if documents else words.first_invitation if samples else words.plain_chat
        feedback = (*RATINGS, *reasons(words))
        return gr.Chatbot(
            examples=[{"text": text} for text in examples], placeholder=invitation, feedback_options=feedback
        )

    def cancel(self, key: str, event: gr.EventData, request: gr.Request) -> None:
        """Stop reading the file whose button was clicked."""
        visitor, _ = self._page.find(key, request)
        visitor.ingestion.cancel(event_number(event, "number"))

    async def open_source(self, key: str, event: gr.EventData, request: gr.Request) -> Any:
        """Return the place in the document for a card or a citation."""
        visitor, conversation = await asyncio.to_thread(self._page.find, key, request)
        source = panel.find_source(
            conversation.turns,
            event_text(event, "source"),
            event_number(event, "claim"),
            event_number(event, "page", 0),
        )
        if source is None:
            return gr.skip()
        try:
            preview = await self._chat.preview(self._page.caller(key, request), visitor, source)
        except Refused as refusal:
            preview = note_html(str(refusal))
        return panel.preview_value(source, preview)
