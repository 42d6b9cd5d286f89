"""The page's event handlers: they take and return values of its components.

`key` is the private key of the visitor, stored in the browser, or a ticket from a page that doesn't have its key yet.
`request.session_hash` tells a visitor's pages apart. It proves nothing: it's part of addresses.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from backends.streams import closing
from backends.visitor import visitor_context
from chat_page import pacing, render
from chat_page.chat import Chat
from chat_page.conversation import Conversation
from chat_page.conversations.running import RunningAnswer
from chat_page.messages import ChatMessage, conversation_messages, turn_index
from chat_page.sources import panel
from chat_page.strings import ENGLISH
from chat_page.visitors.visitor import Visitor
from rag.answering.answer import check_length
from rag.answering.turn import Turn
from rag.answering.types import MAX_QUESTION_CHARACTERS, AnswerOptions
from rag.errors import RagError
from ui import html
from ui.admission.admission import Refused
from ui.admission.fair_queue import Caller
from ui.markdown import ZERO_WIDTH_SPACE
from ui.sign_in import session
from ui.tickets import new_key
from ui.visitor_keys import VisitorKeys

BUSY: dict[str, Any] = {"submit_btn": False, "stop_btn": True}
READY: dict[str, Any] = {"submit_btn": True, "stop_btn": False}
# Of a conversation that goes on: each event draws all of it, and Gradio keeps what thousands of pages show.
MAX_CHARACTERS = 300_000


class Handlers:
    """The event handlers of one `Chat`."""

    def __init__(self, chat: Chat, keys: VisitorKeys | None = None) -> None:
        self._chat = chat
        self._keys = keys or VisitorKeys()

    # Opening and closing the page.

    def open_page(self, key: str, tab: str, request: gr.Request) -> tuple[Any, ...]:
        """Return the visitor's key, documents and conversation, which a reload must not lose.

        `tab` is the id of the conversation that was on the page before it was reloaded, or "".
        """
        private_key = self._keys.enter(key)
        visitor = self._chat.visitor(self._keys.key(private_key, request))
        if tab:
            visitor.show(request.session_hash, visitor.conversations.open(tab))
        conversation = visitor.conversation(request.session_hash)
        documents = render.visitor_documents(visitor, visitor.ingestion.snapshot())
        samples = gr.skip() if not visitor.library.documents else False
        messages = self.messages(visitor, conversation, request)
        return private_key, documents, messages, panel.sources_html(conversation.turns), samples

    def close_page(self, request: gr.Request) -> None:
        """Record that a page was closed; the visitor's data stays for a while."""
        self._chat.close_page(request.session_hash)

    def delete_data(self, key: str, request: gr.Request) -> tuple[Any, ...]:
        """Delete the visitor's data and start with a new key; the key is "" if the visitor cancels."""
        if not key:
            return (gr.skip(),) * 5
        for each in {self._keys.key(key, request), self._keys.browser_key(key)}:
            self._chat.forget(each)
        return new_key(), render.documents_html([]), [], panel.sources_html([]), True

    def show_account(self, key: str, request: gr.Request) -> str:
        """Return what signing in means for the visitor's data; "" for who isn't signed in."""
        if not session.account(request):
            return ""
        return render.account_html(browser_has_data=self._chat.touch(self._keys.browser_key(key)))

    def warm(self, target: str) -> None:
        """Load the models after the first page opens, so that neither the start nor the first answer waits."""
        self._chat.warm(target)

    async def list_targets(self, target: str) -> tuple[Any, str, str]:
        """Return the available targets, the reasons for the others, and the state of the selected one, which stays."""
        targets = await self._chat.catalog.check_targets()
        choices = [(each.title, each.name) for each in targets if not each.unavailable or each.name == target]
        selected = next((each for each in targets if each.name == target), None)
        return gr.Dropdown(choices=choices, value=target), html.unavailable_html(targets), render.state_html(selected)

    # The conversation. The server keeps it: what a client claims about earlier messages is not trusted.

    def submit(self, text: str, key: str, request: gr.Request) -> tuple[Any, Any]:
        """Add the question to the conversation and turn the send button into Stop."""
        return self._ask(text, key, request, value="")

    def example(self, key: str, event: gr.SelectData, request: gr.Request) -> tuple[Any, Any]:
        """Ask an example question."""
        return self.submit(str(event.value["text"]), key, request)

    def retry(self, key: str, target: str, event: gr.RetryData, request: gr.Request) -> tuple[Any, Any]:
        """Ask the question of an answer again; below it, if another model is selected: both answers stay."""
        visitor, conversation = self.find(key, request)
        index = turn_index(conversation, event.index)  # type: ignore[arg-type]  # an int for messages
        if index is None:
            return gr.skip(), gr.skip()
        if self._is_stale(visitor, conversation, request):
            return gr.skip(), self.messages(visitor, conversation, request)
        turn = conversation.turns[index]
        if target != turn.target and (turn.answer or turn.quotes) and not turn.shared:
            return self._ask(turn.question, key, request, again=turn.again or turn.id)
        return self._ask(turn.question, key, request, before=index)

    def edit(self, key: str, event: gr.EditData, request: gr.Request) -> tuple[Any, Any]:
        """Ask an edited question in place of the original."""
        visitor, conversation = self.find(key, request)
        index = turn_index(conversation, event.index)  # type: ignore[arg-type]  # an int for messages
        if index is None:
            return gr.skip(), gr.skip()
        if self._is_stale(visitor, conversation, request):
            return gr.skip(), self.messages(visitor, conversation, request)
        text = str(event.value)
        if ZERO_WIDTH_SPACE not in conversation.turns[index].question:
            text = text.replace(ZERO_WIDTH_SPACE, "")  # from `safe_markdown`: the visitor edits what the page shows
        return self._ask(text, key, request, before=index)

    def write_answer(self, key: str, event: gr.SelectData, request: gr.Request) -> tuple[Any, Any]:
        """Let the model write an answer below the quotes of the last question."""
        visitor, conversation = self.find(key, request)
        turn = conversation.turns[-1] if conversation.turns else None
        if turn is None or not turn.writer:
            return gr.skip(), gr.skip()
        try:
            self._chat.admission.take_question(self._keys.caller(key, request))
        except Refused as refusal:
            gr.Warning(str(refusal))
            return gr.skip(), gr.skip()
        conversation.update(replace(turn, target="", writer="", writes="answer", finish_reason=None), ended=True)
        visitor.page(request.session_hash).asked = turn.id
        return gr.Textbox(**BUSY), self.messages(visitor, conversation, request)

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
        visitor, conversation = await asyncio.to_thread(self.find, key, request)
        caller = self._keys.caller(key, request)
        asked = visitor.page(request.session_hash).asked
        start = partial(self._chat.start_answer, caller, visitor, conversation, asked, target, options, samples=samples)
        answer = visitor_context(session.token(request)).run(start)
        async for update in self._follow(visitor, conversation, answer, request):
            yield update
        if conversation.problem:
            gr.Warning(conversation.problem)

    async def follow(self, key: str, request: gr.Request) -> AsyncIterator[tuple[Any, Any]]:
        """Stream the answer that is being written to the page's conversation, if there is one."""
        visitor, conversation = await asyncio.to_thread(self.find, key, request)
        answer = self._chat.running(conversation)
        if answer is None or answer.is_followed_by(request.session_hash or ""):
            yield gr.skip(), gr.skip()
            return
        async for update in self._follow(visitor, conversation, answer, request):
            yield update

    async def _follow(
        self, visitor: Visitor, conversation: Conversation, answer: RunningAnswer | None, request: gr.Request
    ) -> AsyncIterator[tuple[Any, Any]]:
        index = conversation.index(answer.turn_id) if answer else None
        messages = await asyncio.to_thread(conversation_messages, conversation, index)
        updates = pacing.Updates(messages)
        yield updates.next(messages, None)  # without any update Gradio would show an empty page
        if answer is None or not visitor.shows(request.session_hash, conversation):
            return
        page = visitor.page(request.session_hash)
        page.asked = answer.turn_id
        followed = answer.follow(request.session_hash or "")
        async with closing(followed):
            async for update in followed:
                if not visitor.shows(request.session_hash, conversation):  # another one was opened there
                    return
                yield updates.next([*messages, *update.reply], update.sources)
        if conversation.turns and conversation.turns[-1].id == answer.turn_id:
            page.shown = conversation.changes

    def resume(self, key: str, event: gr.EventData, request: gr.Request) -> tuple[Any, Any, Any]:
        """Bring a page up to date that had lost its connection, was in the background, or came back from the history.

        The event says which conversation is on it. Return the question's buttons, the conversation and its sources.
        """
        visitor, conversation = self.find(key, request)
        tab = str(getattr(event, "conversation", "") or "")
        if tab and tab != conversation.id:
            conversation = visitor.conversations.open(tab)
            visitor.show(request.session_hash, conversation)
        answer = self._chat.running(conversation)
        if answer and not answer.is_followed_by(request.session_hash or ""):
            return gr.Textbox(**BUSY), gr.skip(), gr.skip()
        if answer or visitor.page(request.session_hash).shown == conversation.changes:
            return gr.skip(), gr.skip(), gr.skip()
        messages = self.messages(visitor, conversation, request)
        return gr.Textbox(**READY), messages, panel.sources_html(conversation.turns)

    async def stop(self, key: str, request: gr.Request) -> tuple[Any, list[ChatMessage]]:
        """Stop the answers that are being written to the page's conversation."""
        _, conversation = await asyncio.to_thread(self.find, key, request)
        await self._chat.stop(conversation)
        for turn in conversation.turns:
            if turn.finish_reason is None and not turn.shared:  # its answer hadn't begun
                conversation.update(replace(turn, finish_reason="stopped"), ended=True)
        return await asyncio.to_thread(self.finish, key, request)

    def finish(self, key: str, request: gr.Request) -> tuple[Any, Any]:
        """Restore the send button after an answer or Stop, with nothing pending in the conversation."""
        visitor, conversation = self.find(key, request)
        # The page has lost its connection to an answer that goes on.
        if self._chat.is_running(visitor.page(request.session_hash).asked):
            return gr.skip(), gr.skip()
        if visitor.page(request.session_hash).shown == conversation.changes:
            return gr.Textbox(**READY), gr.skip()
        return gr.Textbox(**READY), self.messages(visitor, conversation, request)

    def undo(self, key: str, event: gr.UndoData, request: gr.Request) -> tuple[Any, Any, Any]:
        """Move the question of an answer back into the box."""
        visitor, conversation = self.find(key, request)
        index = turn_index(conversation, event.index)  # type: ignore[arg-type]  # an int for messages
        if index is None:
            return gr.skip(), gr.skip(), gr.skip()
        question: Any = gr.skip()
        if not self._is_stale(visitor, conversation, request):
            question = conversation.turns[index].question
            self._chat.stop_soon(conversation)
            conversation.replace_turns(conversation.turns[:index])
            self._chat.save(visitor, conversation)
        messages = self.messages(visitor, conversation, request)
        return question, messages, panel.sources_html(conversation.turns)

    def _ask(
        self, text: str, key: str, request: gr.Request, *, before: int | None = None, again: str = "", **box: Any
    ) -> tuple[Any, Any]:
        """Add a question; one in place of an earlier one goes `before` it and drops the turns from there on.

        A refused question goes into the box.
        """
        visitor, conversation = self.find(key, request)
        text, earlier = text.strip(), conversation.turns[:before]
        if not text:
            return gr.skip(), gr.skip()
        try:
            check_length(text)
        except RagError as error:
            gr.Warning(str(error))
            return gr.skip(), gr.skip()
        if sum(len(turn.question) + len(turn.thought) + len(turn.answer) for turn in earlier) > MAX_CHARACTERS:
            gr.Warning(f"{ENGLISH.conversation_too_long} {ENGLISH.conversation_too_long_remedy}")
            return gr.Textbox(value=text), self.messages(visitor, conversation, request)
        try:
            self._chat.admission.take_question(self._keys.caller(key, request))
        except Refused as refusal:
            gr.Warning(str(refusal))
            return gr.Textbox(value=text), self.messages(visitor, conversation, request)
        if before is not None:
            self._chat.stop_soon(conversation)
            conversation.replace_turns(earlier)
        visitor.page(request.session_hash).asked = conversation.append(Turn(text, again=again)).id
        return gr.Textbox(**box, **BUSY), self.messages(visitor, conversation, request)

    def find(self, key: str, request: gr.Request) -> tuple[Visitor, Conversation]:
        """Return the visitor and conversation of a page."""
        if session.account(request):  # what this browser has without an account stays as long as it's used with one
            self._chat.touch(self._keys.browser_key(key))
        visitor = self._chat.visitor(self._keys.key(key, request))
        return visitor, visitor.conversation(request.session_hash)

    def caller(self, key: str, request: gr.Request) -> Caller:
        """Return who asks for a place."""
        return self._keys.caller(key, request)

    def messages(self, visitor: Visitor, conversation: Conversation, request: gr.Request) -> list[ChatMessage]:
        """Return all messages of a conversation, and remember that the page shows them."""
        page = visitor.page(request.session_hash)
        if page.conversation_id == conversation.id:
            page.shown = conversation.changes
        return conversation_messages(conversation)

    def _is_stale(self, visitor: Visitor, conversation: Conversation, request: gr.Request) -> bool:
        """Return whether another page has changed the conversation: what it added mustn't be dropped unseen."""
        shown = visitor.page(request.session_hash).shown
        if shown is None or shown == conversation.changes:
            return False
        gr.Warning(ENGLISH.changed_elsewhere)
        return True
