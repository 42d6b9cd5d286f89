"""The event handlers that ask a question, again, differently or not at all.

The server keeps the conversation: what a client claims about earlier messages is not trusted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from chat_page.chat import Chat
from chat_page.conversations.conversation import Conversation
from chat_page.handlers.notices import warn
from chat_page.handlers.page import BUSY, PageHandlers
from chat_page.rendering.messages import WRITE, turn_index
from chat_page.sources import panel
from chat_page.translations.languages import strings
from chat_page.visitors.visitor import Visitor
from rag.answering.answer import check_length
from rag.answering.turn import Turn
from rag.errors import RagError
from ui.admission.errors import Refused
from ui.markdown import ZERO_WIDTH_SPACE
from ui.middleware.event_data import event_number, event_text

# Of a conversation that goes on: each event draws all of it, and Gradio keeps what thousands of pages show.
MAX_CHARACTERS = 300_000


class QuestionHandlers:
    """The handlers of the question's box and of the buttons at messages; `AnswerHandlers` then answer."""

    def __init__(self, chat: Chat, page: PageHandlers) -> None:
        self._chat, self._page = chat, page

    def submit(self, text: str, key: str, request: gr.Request) -> tuple[Any, Any]:
        """Add the question to the conversation and turn the send button into Stop."""
        return self._ask(text, key, request, value="")

    def example(self, key: str, event: gr.SelectData, request: gr.Request) -> tuple[Any, Any]:
        """Ask an example question."""
        return self.submit(_example_text(event), key, request)

    def retry(self, key: str, target: str, event: gr.RetryData, request: gr.Request) -> tuple[Any, Any]:
        """Ask the question of an answer again; below it, if another model is selected: both answers stay."""
        visitor, conversation = self._page.find(key, request)
        index = turn_index(conversation, event_number(event, "index"))
        if index is None:
            return gr.skip(), gr.skip()
        if self._is_stale(visitor, conversation, request):
            return gr.skip(), self._page.view(visitor, conversation, request)
        turn = conversation.turns[index]
        if target != turn.target and (turn.answer or turn.quotes) and not turn.shared:
            return self._ask(turn.question, key, request, again=turn.again or turn.id)
        return self._ask(turn.question, key, request, before=index)

    def edit(self, key: str, event: gr.EditData, request: gr.Request) -> tuple[Any, Any]:
        """Ask an edited question in place of the original."""
        visitor, conversation = self._page.find(key, request)
        index = turn_index(conversation, event_number(event, "index"))
        if index is None:
            return gr.skip(), gr.skip()
        if self._is_stale(visitor, conversation, request):
            return gr.skip(), self._page.view(visitor, conversation, request)
        text = event_text(event, "value")
        if ZERO_WIDTH_SPACE not in conversation.turns[index].question:
            text = text.replace(ZERO_WIDTH_SPACE, "")  # from `safe_markdown`: the visitor edits what the page shows
        return self._ask(text, key, request, before=index)

    def choose_option(self, key: str, event: gr.SelectData, request: gr.Request) -> tuple[Any, Any]:
        """Let the model write an answer below the quotes of the last question, or ask what the page suggested there."""
        visitor, conversation = self._page.find(key, request)
        turn, option = conversation.turns[-1] if conversation.turns else None, event.value
        if turn and option in turn.follow_ups:
            return self._ask(option, key, request)
        if turn is None or not turn.writer or option != WRITE:
            return gr.skip(), gr.skip()
        try:
            self._chat.admission.take_question(self._page.caller(key, request))
        except Refused as refusal:
            warn(refusal)
            return gr.skip(), gr.skip()
        conversation.update(replace(turn, target="", writer="", writes="answer", finish_reason=None), ended=True)
        visitor.page(request.session_hash).turn_id = turn.id
        return gr.Textbox(**BUSY), self._page.view(visitor, conversation, request)

    def undo(self, key: str, event: gr.UndoData, request: gr.Request) -> tuple[Any, Any, Any]:
        """Move the question of an answer back into the box."""
        visitor, conversation = self._page.find(key, request)
        index = turn_index(conversation, event_number(event, "index"))
        if index is None:
            return gr.skip(), gr.skip(), gr.skip()
        question: Any = gr.skip()
        if not self._is_stale(visitor, conversation, request):
            question = conversation.turns[index].question
            self._chat.answers.stop_soon(conversation)
            conversation.replace_turns(conversation.turns[:index])
            visitor.save(conversation)
        messages = self._page.view(visitor, conversation, request)
        return question, messages, panel.sources_html(conversation.turns)

    def _ask(
        self, text: str, key: str, request: gr.Request, *, before: int | None = None, again: str = "", **box: Any
    ) -> tuple[Any, Any]:
        """Add a question; one in place of an earlier one goes `before` it and drops the turns from there on.

        A refused question goes into the box.
        """
        words = strings()
        visitor, conversation = self._page.find(key, request)
        text, earlier = text.strip(), conversation.turns[:before]
        if not text:
            return gr.skip(), gr.skip()
        try:
            check_length(text)
        except RagError as error:
            warn(error)
            return gr.Textbox(value=text), self._page.view(visitor, conversation, request)
        if sum(turn.characters for turn in earlier) > MAX_CHARACTERS:
            warn(f"{words.conversation_too_long} {words.conversation_too_long_remedy}")
            return gr.Textbox(value=text), self._page.view(visitor, conversation, request)
        try:
            self._chat.admission.take_question(self._page.caller(key, request))
        except Refused as refusal:
            warn(refusal)
            return gr.Textbox(value=text), self._page.view(visitor, conversation, request)
        if before is not None:
            self._chat.answers.stop_soon(conversation)
            conversation.replace_turns(earlier)
        visitor.page(request.session_hash).turn_id = conversation.append(Turn(text, again=again)).id
        return gr.Textbox(**box, **BUSY), self._page.view(visitor, conversation, request)

    def _is_stale(self, visitor: Visitor, conversation: Conversation, request: gr.Request) -> bool:
        """Return whether another page has changed the conversation: what it added mustn't be dropped unseen."""
        changes = visitor.page(request.session_hash).shown_changes
        if changes is None or changes == conversation.changes:
            return False
        warn(strings().changed_elsewhere)
        return True


def _example_text(event: gr.SelectData) -> str:
    text = event.value.get("text") if isinstance(event.value, dict) else None
    return text if isinstance(text, str) else ""
