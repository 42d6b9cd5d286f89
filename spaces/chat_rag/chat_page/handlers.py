"""The page's event handlers: they take and return values of its components.

`key` is the private key of the visitor, stored in the browser, or a ticket from a page that doesn't have its key yet.
`request.session_hash` tells a visitor's pages apart. It proves nothing: it's part of addresses.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from chat_page import pacing, render, suggestions
from chat_page.chat import MAX_QUESTION_CHARACTERS, Chat, question_too_long
from chat_page.conversation import Conversation
from chat_page.messages import ChatMessage, conversation_messages, turn_index
from chat_page.sharing import export, share
from chat_page.sources import panel
from chat_page.strings import ENGLISH
from chat_page.visitors.visitor import Visitor
from chat_page.web_pages import add_url
from rag.answering.turn import Turn
from rag.answering.types import AnswerOptions
from rag.errors import DocumentError
from ui import html
from ui.admission.admission import Refused
from ui.admission.fair_queue import Caller
from ui.edge.uploads import keep_while_used
from ui.markdown import ZERO_WIDTH_SPACE
from ui.tickets import new_key
from ui.visitor_keys import VisitorKeys

BUSY: dict[str, Any] = {"submit_btn": False, "stop_btn": True}
READY: dict[str, Any] = {"submit_btn": True, "stop_btn": False}
# Of a conversation that goes on: each event draws all of it, and Gradio keeps what thousands of pages show.
MAX_CHARACTERS = 300_000


class Handlers:
    """The event handlers of one `Chat`."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._keys = VisitorKeys()

    # Opening and closing the page.

    def open_page(self, key: str, request: gr.Request) -> tuple[Any, ...]:
        """Return the visitor's key, documents and conversation, which a reload must not lose."""
        private_key = self._keys.enter(key)
        visitor, conversation = self._find(private_key, request)
        documents = render.visitor_documents(visitor, visitor.ingestion.snapshot())
        samples = gr.skip() if not visitor.library.documents else False
        messages = conversation_messages(conversation)
        return private_key, documents, messages, panel.sources_html(conversation.turns), samples

    def close_page(self, request: gr.Request) -> None:
        """Drop the page's conversation; the visitor's data stays for a while."""
        self._chat.close_page(request.session_hash)

    def delete_data(self, key: str, request: gr.Request) -> tuple[Any, ...]:
        """Delete the visitor's data and start with a new key; the key is "" if the visitor cancels."""
        if not key:
            return (gr.skip(),) * 5
        self._chat.forget(self._keys.key(key, request))
        return new_key(), render.documents_html([]), [], panel.sources_html([]), True

    def warm(self, target: str) -> None:
        """Load the models after the first page opens, so that neither the start nor the first answer waits."""
        self._chat.warm(target)

    async def list_targets(self, target: str) -> tuple[Any, str, str]:
        """Return the available targets, the reasons for the others, and the state of the selected one, which stays."""
        targets = await self._chat.catalog.check_targets()
        choices = [(each.title, each.name) for each in targets if not each.unavailable or each.name == target]
        selected = next((each for each in targets if each.name == target), None)
        return gr.Dropdown(choices=choices, value=target), html.unavailable_html(targets), render.state_html(selected)

    # Documents.

    async def upload(
        self, paths: list[str] | None, key: str, request: gr.Request
    ) -> AsyncIterator[tuple[Any, Any, Any]]:
        """Read the dropped files: updates of the drop zone, the document list and the samples checkbox."""
        visitor, _ = await asyncio.to_thread(self._find, key, request)
        keep_while_used(paths or [])
        files = [Path(path) for path in paths or []]
        try:
            async for documents in self._chat.uploads.add(self._keys.caller(key, request), visitor, files):
                yield gr.skip(), documents, gr.skip()
        except Refused as refusal:
            gr.Warning(str(refusal))
        yield None, gr.skip(), False if visitor.library.documents else gr.skip()

    async def add_url(self, url: str, key: str, request: gr.Request) -> AsyncIterator[tuple[Any, Any, Any]]:
        """Fetch a web page into the documents: updates of the address, the document list and the samples checkbox."""
        visitor, _ = await asyncio.to_thread(self._find, key, request)
        try:
            async for documents in add_url(self._chat.uploads, self._keys.caller(key, request), visitor, url):
                yield gr.skip(), documents, gr.skip()
        except (DocumentError, Refused) as refusal:
            gr.Warning(str(refusal))
            yield gr.skip(), gr.skip(), gr.skip()
            return
        yield "", gr.skip(), False if visitor.library.documents else gr.skip()

    async def follow_uploads(self, key: str, request: gr.Request) -> AsyncIterator[Any]:
        """Show the progress of files on a page that opened while they were being read."""
        visitor, _ = await asyncio.to_thread(self._find, key, request)
        yield gr.skip()  # without any update Gradio would show an empty list
        if visitor.ingestion.busy:
            async for documents in self._chat.uploads.progress(visitor):
                yield documents

    def remove(self, key: str, event: gr.EventData, request: gr.Request) -> str:
        """Remove the document whose button was clicked."""
        visitor, _ = self._find(key, request)
        visitor.library.remove(str(event.document))
        visitor.left_out.discard(str(event.document))
        return render.visitor_documents(visitor, visitor.ingestion.snapshot())

    def choose(self, key: str, event: gr.EventData, request: gr.Request) -> None:
        """Ask a document from now on, or leave it out."""
        visitor, _ = self._find(key, request)
        change = visitor.left_out.discard if event.asked else visitor.left_out.add
        if visitor.library.document(document := str(event.document)):
            change(document)

    def suggest(self, key: str, samples: bool, request: gr.Request) -> Any:
        """Return the empty conversation with questions that fit the documents."""
        visitor, _ = self._find(key, request)
        documents = visitor.library.without(visitor.left_out).documents
        examples = suggestions.questions(documents) or (ENGLISH.examples if samples else ())
        invitation = ENGLISH.invitation if documents else ENGLISH.first_invitation if samples else ENGLISH.plain_chat
        return gr.Chatbot(examples=[{"text": text} for text in examples], placeholder=invitation)

    def cancel(self, key: str, event: gr.EventData, request: gr.Request) -> None:
        """Stop reading the file whose button was clicked."""
        visitor, _ = self._find(key, request)
        visitor.ingestion.cancel(int(event.number))

    async def open_source(self, key: str, event: gr.EventData, request: gr.Request) -> Any:
        """Return the place in the document for a card or a citation."""
        visitor, conversation = await asyncio.to_thread(self._find, key, request)
        source = panel.find_source(
            conversation.turns, str(event.source), int(event.claim), int(getattr(event, "page", 0))
        )
        if source is None:
            return gr.skip()
        try:
            preview = await self._chat.preview(self._keys.caller(key, request), visitor, source)
        except Refused as refusal:
            preview = render.note_html(str(refusal))
        return panel.preview_value(source, preview)

    # The conversation. The server keeps it: what a client claims about earlier messages is not trusted.

    def submit(self, text: str, key: str, request: gr.Request) -> tuple[Any, Any]:
        """Add the question to the conversation and turn the send button into Stop."""
        _, conversation = self._find(key, request)
        return self._ask(text, self._keys.caller(key, request), conversation, conversation.turns, value="")

    def example(self, key: str, event: gr.SelectData, request: gr.Request) -> tuple[Any, Any]:
        """Ask an example question."""
        return self.submit(str(event.value["text"]), key, request)

    def retry(self, key: str, event: gr.RetryData, request: gr.Request) -> tuple[Any, Any]:
        """Ask the question of an answer again."""
        _, conversation = self._find(key, request)
        index = turn_index(conversation, event.index)  # type: ignore[arg-type]  # an int for messages
        if index is None:
            return gr.skip(), gr.skip()
        turn = conversation.turns[index]
        return self._ask(turn.question, self._keys.caller(key, request), conversation, conversation.turns[:index])

    def edit(self, key: str, event: gr.EditData, request: gr.Request) -> tuple[Any, Any]:
        """Ask an edited question in place of the original."""
        _, conversation = self._find(key, request)
        index = turn_index(conversation, event.index)  # type: ignore[arg-type]  # an int for messages
        if index is None:
            return gr.skip(), gr.skip()
        text = str(event.value)
        if ZERO_WIDTH_SPACE not in conversation.turns[index].question:
            text = text.replace(ZERO_WIDTH_SPACE, "")  # from `safe_markdown`: the visitor edits what the page shows
        return self._ask(text, self._keys.caller(key, request), conversation, conversation.turns[:index])

    def write_answer(self, key: str, event: gr.SelectData, request: gr.Request) -> tuple[Any, Any]:
        """Let the model write an answer below the quotes of the last question."""
        _, conversation = self._find(key, request)
        turn = conversation.turns[-1] if conversation.turns else None
        if turn is None or not turn.writer:
            return gr.skip(), gr.skip()
        try:
            self._chat.admission.take_question(self._keys.caller(key, request))
        except Refused as refusal:
            gr.Warning(str(refusal))
            return gr.skip(), gr.skip()
        again = replace(turn, target="", writer="", writes="answer", finish_reason=None)
        conversation.turns = (*conversation.turns[:-1], again)
        return gr.Textbox(**BUSY), conversation_messages(conversation)

    async def respond(
        self,
        key: str,
        target: str,
        passages: float,
        max_tokens: float,
        temperature: float,
        system: str,
        general_knowledge: bool,
        samples: bool,
        request: gr.Request,
    ) -> AsyncIterator[tuple[Any, Any]]:
        """Stream the answer to the last question: the conversation and the source panel."""
        options = AnswerOptions(
            int(passages), int(max_tokens), float(temperature), system[:MAX_QUESTION_CHARACTERS], general_knowledge
        )
        visitor, conversation = await asyncio.to_thread(self._find, key, request)
        messages = await asyncio.to_thread(conversation_messages, conversation)
        updates = pacing.Updates(messages)
        yield updates.next(messages, None)  # without any update Gradio would show an empty page
        caller = self._keys.caller(key, request)
        async for update in self._chat.answer(caller, visitor, conversation, target, options, samples=samples):
            yield updates.next([*messages, *update.reply], update.sources)

    def finish(self, key: str, request: gr.Request) -> tuple[Any, list[ChatMessage]]:
        """Restore the send button after an answer or Stop, with nothing pending in the conversation."""
        _, conversation = self._find(key, request)
        *earlier, last = conversation.turns or (None,)
        if last and last.finish_reason is None:  # Stop: the answer's own end can come later
            conversation.turns = (*earlier, replace(last, finish_reason="stopped"))
        return gr.Textbox(**READY), conversation_messages(conversation)

    def undo(self, key: str, event: gr.UndoData, request: gr.Request) -> tuple[Any, Any, Any]:
        """Move the question of an answer back into the box."""
        visitor, conversation = self._find(key, request)
        index = turn_index(conversation, event.index)  # type: ignore[arg-type]  # an int for messages
        if index is None:
            return gr.skip(), gr.skip(), gr.skip()
        question, conversation.turns = conversation.turns[index].question, conversation.turns[:index]
        visitor.save(conversation)
        return question, conversation_messages(conversation), panel.sources_html(conversation.turns)

    def clear(self, key: str, request: gr.Request) -> str:
        """Delete the conversation and its sources; the documents stay."""
        visitor, conversation = self._find(key, request)
        _replace_turns(conversation, ())
        visitor.save(conversation)
        return panel.sources_html([])

    def new_chat(self, key: str, request: gr.Request) -> tuple[list[ChatMessage], str]:
        """Begin a conversation without turns; the documents stay."""
        return [], self.clear(key, request)

    def _ask(
        self, text: str, caller: Caller, conversation: Conversation, earlier: tuple[Turn, ...], **box: Any
    ) -> tuple[Any, Any]:
        """Add a question after the `earlier` turns; the others are dropped. A refused question goes into the box."""
        text = text.strip()
        if len(text) > MAX_QUESTION_CHARACTERS:
            gr.Warning(f"{question_too_long()} {ENGLISH.question_too_long_remedy}")
        if not 0 < len(text) <= MAX_QUESTION_CHARACTERS:
            return gr.skip(), gr.skip()
        if sum(len(turn.question) + len(turn.thought) + len(turn.answer) for turn in earlier) > MAX_CHARACTERS:
            gr.Warning(f"{ENGLISH.conversation_too_long} {ENGLISH.conversation_too_long_remedy}")
            return gr.Textbox(value=text), conversation_messages(conversation)
        try:
            self._chat.admission.take_question(caller)
        except Refused as refusal:
            gr.Warning(str(refusal))
            return gr.Textbox(value=text), conversation_messages(conversation)
        conversation.turns = (*earlier, Turn(text))
        return gr.Textbox(**box, **BUSY), conversation_messages(conversation)

    # Download and share.

    async def export_markdown(self, key: str, request: gr.Request) -> str:
        """Return the conversation as Markdown."""
        return await self._export(export.as_markdown, key, request)

    async def export_json(self, key: str, request: gr.Request) -> str:
        """Return the conversation as JSON."""
        return await self._export(export.as_json, key, request)

    async def share_link(self, key: str, request: gr.Request) -> tuple[str, Any]:
        """Return the part of the link after `#c=`, and the box that shows the link."""
        try:
            link = await self._export(share.link_fragment, key, request)
            return link, gr.Textbox(visible=True) if link else gr.skip()
        except share.ShareError as error:
            gr.Warning(str(error))
            return "", gr.skip()

    async def open_link(self, fragment: str, key: str, request: gr.Request) -> tuple[Any, Any]:
        """Replace the page's conversation and its sources by those in a link."""
        if not fragment:
            return gr.skip(), gr.skip()
        try:
            turns = await self._chat.admission.view(self._keys.caller(key, request), share.open_turns, fragment)
        except (share.ShareError, Refused) as error:
            gr.Warning(str(error))
            return gr.skip(), gr.skip()
        _, conversation = await asyncio.to_thread(self._find, key, request)
        _replace_turns(conversation, turns)
        messages = await asyncio.to_thread(conversation_messages, conversation)
        return messages, panel.sources_html(conversation.turns)

    async def _export(self, write: Callable[[Sequence[Turn]], str], key: str, request: gr.Request) -> str:
        """Return the conversation as `write` writes it, or "" if the visitor must wait."""
        _, conversation = await asyncio.to_thread(self._find, key, request)
        try:
            return await self._chat.admission.view(self._keys.caller(key, request), write, conversation.turns)
        except Refused as refusal:
            gr.Warning(str(refusal))
            return ""

    def _find(self, key: str, request: gr.Request) -> tuple[Visitor, Conversation]:
        """Return the visitor and conversation of a page."""
        visitor = self._chat.visitor(self._keys.key(key, request))
        return visitor, visitor.conversation(request.session_hash)


def _replace_turns(conversation: Conversation, turns: tuple[Turn, ...]) -> None:
    conversation.turns, conversation.unreadable = turns, False
