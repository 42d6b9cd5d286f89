"""What the page's events do: values of the page in, values of the page out; the thinking is in `rag`.

`key` is the private key of the visitor, which the browser keeps; `request.session_hash` names the open page.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from chat_page import conversation, export, pacing, panel, render, share
from chat_page.chat import MOST_CHARACTERS, Chat
from chat_page.memory import Conversation
from chat_page.strings import ENGLISH
from chat_page.visitors import Visitor, new_key
from rag.answering.answer import Options
from ui import html

BUSY: dict[str, Any] = {"submit_btn": False, "stop_btn": True}
READY: dict[str, Any] = {"submit_btn": True, "stop_btn": False}
History = list[dict[str, Any]]


class Handlers:
    """The page's events over one `Chat`."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._fresh: dict[str, str] = {}  # keys of pages that have not told theirs yet

    # Coming and going.

    def enter(self, key: str, request: gr.Request) -> tuple[Any, ...]:
        """A page is opened: the visitor's key, documents and conversation, which a reload must not lose."""
        visitor, talk = self._of(key, request)
        listed = render.documents_html(visitor.library.documents, visitor.ingestion.snapshot())
        samples = gr.skip() if not visitor.library.documents else False
        talk.history = conversation.settled(talk.history)
        return visitor.key, listed, talk.history, panel.sources_html(talk.sources.values()), samples

    def leave(self, request: gr.Request) -> None:
        """A page is closed; what belongs to the visitor stays until they have been away for long."""
        self._fresh.pop(request.session_hash or "", None)
        self._chat.closed(request.session_hash)

    def delete_data(self, key: str) -> tuple[Any, ...]:
        """Everything of the visitor is deleted, and a new one begins; without a key they have thought better of it."""
        if not key:
            return (gr.skip(),) * 6
        self._chat.forget(key)
        return new_key(), render.documents_html([]), [], panel.sources_html([]), "", True

    def warm(self, target: str) -> None:
        """Load the models behind the first open page, so that they hold up neither the start nor the first answer."""
        self._chat.warm(target)

    async def survey(self, target: str) -> tuple[Any, str]:
        """Which targets can be used now, and why the others cannot; the chosen one stays in the list."""
        targets = await self._chat.catalog.check_targets()
        choices = [(known.title, known.name) for known in targets if not known.unavailable or known.name == target]
        return gr.Dropdown(choices=choices, value=target), html.unavailable_html(targets)

    # Documents.

    async def upload(
        self, paths: list[str] | None, key: str, request: gr.Request
    ) -> AsyncIterator[tuple[Any, Any, Any]]:
        """Read the dropped files: the drop zone, the document list, whether the samples are searched too."""
        visitor, _ = await asyncio.to_thread(self._of, key, request)
        visitor.ingestion.add(*map(Path, paths or []))
        async for listed in self._chat.progress(visitor):
            yield gr.skip(), listed, gr.skip()
        yield None, gr.skip(), False if visitor.library.documents else gr.skip()

    async def follow(self, key: str, request: gr.Request) -> AsyncIterator[Any]:
        """Go on showing what is being read, on a page that was opened meanwhile."""
        visitor, _ = await asyncio.to_thread(self._of, key, request)
        yield gr.skip()  # from nothing at all Gradio would make an empty list
        if visitor.ingestion.busy:
            async for listed in self._chat.progress(visitor):
                yield listed

    def remove(self, key: str, event: gr.EventData, request: gr.Request) -> str:
        """Forget the document whose button was pressed."""
        visitor, _ = self._of(key, request)
        visitor.library.remove(str(event.document))
        return render.documents_html(visitor.library.documents, visitor.ingestion.snapshot())

    def cancel(self, key: str, event: gr.EventData, request: gr.Request) -> None:
        """Stop reading the file whose button was pressed."""
        self._of(key, request)[0].ingestion.cancel(int(event.number))

    async def open_source(self, key: str, event: gr.EventData, request: gr.Request) -> Any:
        """The place in a document that a card or a citation stands for."""
        visitor, talk = await asyncio.to_thread(self._of, key, request)
        opened = panel.find(talk.sources.values(), str(event.source), int(event.claim))
        return panel.opened_html(opened, await self._chat.preview(visitor, opened)) if opened else gr.skip()

    # The conversation. It is held here: what a client says that was said is not believed.

    def begin(self, text: str, key: str, request: gr.Request) -> tuple[Any, Any]:
        """Put the question into the conversation and turn the send button into Stop."""
        return self._ask(text, self._of(key, request)[1], None, value="")

    def example(self, key: str, event: gr.SelectData, request: gr.Request) -> tuple[Any, Any]:
        return self._ask(str(event.value["text"]), self._of(key, request)[1], None, value="")

    def retry(self, key: str, event: gr.RetryData, request: gr.Request) -> tuple[Any, Any]:
        talk = self._of(key, request)[1]
        talk.history = conversation.back_to_question(talk.history, event.index)
        return gr.Textbox(**BUSY), talk.history

    def edit(self, key: str, event: gr.EditData, request: gr.Request) -> tuple[Any, Any]:
        return self._ask(str(event.value), self._of(key, request)[1], event.index)

    async def respond(
        self,
        key: str,
        target: str,
        passages: float,
        max_tokens: float,
        temperature: float,
        system: str,
        without: bool,
        samples: bool,
        request: gr.Request,
    ) -> AsyncIterator[tuple[Any, Any, Any]]:
        """Stream the answer to the last question: the conversation, the source panel, the line of figures."""
        options = Options(int(passages), int(max_tokens), float(temperature), system[:MOST_CHARACTERS], without)
        visitor, talk = await asyncio.to_thread(self._of, key, request)
        updates = pacing.Updates(talk.history)
        yield updates.next(talk.history, None, None)  # from nothing at all Gradio would make an empty page
        async for view in self._chat.answer(visitor, talk, target, options, samples=samples):
            yield updates.next(view.messages, view.sources, view.figures)

    def rest(self, key: str, request: gr.Request) -> tuple[Any, History]:
        """After an answer or a Stop: the send button is back and nothing is pending."""
        talk = self._of(key, request)[1]
        talk.history = conversation.settled(talk.history)
        return gr.Textbox(**READY), talk.history

    def undo(self, key: str, event: gr.UndoData, request: gr.Request) -> tuple[str, History, str]:
        """Take the last question back into the box."""
        visitor, talk = self._of(key, request)
        kept = conversation.back_to_question(talk.history, event.index)
        talk.forget_from(conversation.turn_of(kept))
        talk.history = kept[:-1]
        visitor.keep(talk)
        return conversation.text_of(kept[-1]), talk.history, panel.sources_html(talk.sources.values())

    def clear(self, key: str, request: gr.Request) -> tuple[str, str]:
        """The conversation is gone, and with it its sources; the documents stay."""
        visitor, talk = self._of(key, request)
        talk.forget_from(0)
        talk.history = []
        visitor.keep(talk)
        return panel.sources_html([]), ""

    def _ask(self, text: str, talk: Conversation, index: int | None, **box: Any) -> tuple[Any, Any]:
        """Put a question at the end of the conversation, or in the place of the one at `index`."""
        text = text.strip()
        if len(text) > MOST_CHARACTERS:
            gr.Warning(f"{ENGLISH.question_too_long.format(most=MOST_CHARACTERS)} {ENGLISH.question_too_long_remedy}")
        if not 0 < len(text) <= MOST_CHARACTERS:
            return gr.skip(), gr.skip()
        before = talk.history if index is None else conversation.back_to_question(talk.history, index)[:-1]
        talk.history = [*before, conversation.user_message(text)]
        return gr.Textbox(**box, **BUSY), talk.history

    # Taking it along.

    def markdown(self, key: str, request: gr.Request) -> str:
        return export.as_markdown(self._exchanges(key, request))

    def json(self, key: str, request: gr.Request) -> str:
        return export.as_json(self._exchanges(key, request))

    def link(self, key: str, request: gr.Request) -> tuple[str, Any]:
        """What stands behind `#c=` in the link, and the box that shows the link."""
        try:
            return share.fragment(self._exchanges(key, request)), gr.Textbox(visible=True)
        except share.ShareError as error:
            gr.Warning(str(error))
            return "", gr.skip()

    def open_link(self, fragment: str, key: str, request: gr.Request) -> Any:
        """The conversation of a link, in the place of the visitor's own."""
        if not fragment:
            return gr.skip()
        try:
            talk = self._of(key, request)[1]
            talk.forget_from(0)
            talk.history = share.messages(share.opened(fragment))
            return talk.history
        except share.ShareError as error:
            gr.Warning(str(error))
            return gr.skip()

    def _exchanges(self, key: str, request: gr.Request) -> Sequence[export.Exchange]:
        talk = self._of(key, request)[1]
        return export.exchanges(talk.history, talk.sources, talk.answered)

    def _of(self, key: str, request: gr.Request) -> tuple[Visitor, Conversation]:
        """The visitor and the conversation of a page; one that has no key yet gets the same one each time."""
        visitor = self._chat.visitor(key or self._fresh.setdefault(request.session_hash or "", new_key()))
        return visitor, visitor.open(request.session_hash)
