"""The event handlers of the page itself. Like the others, they take and return values of its components.

`key` is the private key of the visitor, stored in the browser, or a ticket from a page that doesn't have its key yet.
`request.session_hash` tells a visitor's pages apart. It proves nothing: it's part of addresses.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from chat_page.chat import Chat
from chat_page.conversations.conversation import Conversation
from chat_page.handlers.notices import refuse_unreadable
from chat_page.rendering.documents import account_html, documents_html, state_html, visitor_documents
from chat_page.rendering.messages import ChatMessage, conversation_messages, shown_ratings
from chat_page.sources import panel
from chat_page.translations.languages import strings
from chat_page.visitors.visitor import Visitor
from ui import html
from ui.access.tickets import new_key
from ui.access.visitor_keys import VisitorKeys
from ui.admission.fair_queue import Caller
from ui.sign_in import session

BUSY: dict[str, Any] = {"submit_btn": False, "stop_btn": True}
READY: dict[str, Any] = {"submit_btn": True, "stop_btn": False}


class PageHandlers:
    """The handlers of opening and closing the page, of its settings, and what the other handlers need of a page."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._keys = VisitorKeys()

    def open_page(self, key: str, tab: str, request: gr.Request) -> tuple[Any, ...]:
        """Return the visitor's key, documents and conversation, which a reload must not lose.

        `tab` is the id of the conversation that was on the page before it was reloaded, or "".
        """
        private_key = self._keys.enter(key)
        with refuse_unreadable():
            visitor = self._chat.visitor(self._keys.key(private_key, request))
            if tab:
                visitor.show(request.session_hash, visitor.conversations.open(tab))
            conversation = visitor.conversation(request.session_hash)
        documents = visitor_documents(visitor, visitor.ingestion.snapshot())
        messages = self.view(visitor, conversation, request)
        return private_key, documents, messages, panel.sources_html(conversation.turns), self.shared_choice(visitor)

    def close_page(self, request: gr.Request) -> None:
        """Record that a page was closed; the visitor's data stays for a while."""
        self._chat.close_page(request.session_hash)

    def delete_data(self, key: str, request: gr.Request) -> tuple[Any, ...]:
        """Delete the visitor's data and start with a new key; the key is "" if the visitor cancels."""
        if not key:
            return (gr.skip(),) * 5
        for each in {self._keys.key(key, request), self._keys.browser_key(key)}:
            self._chat.forget(each)
        empty = gr.update(value=[], feedback_value=[])
        return new_key(), documents_html([]), empty, panel.sources_html([]), self._chat.shared.default

    def show_account(self, key: str, request: gr.Request) -> tuple[str, str]:
        """Return the text of the button to sign in or out, and what signing in means for the visitor's data, or ""."""
        words = strings()
        if not session.account(request):
            return words.sign_in, ""
        note = account_html(browser_has_data=self._chat.touch(self._keys.browser_key(key)))
        return words.fill(words.sign_out, name=session.user_name(request)), note

    def warm(self, target: str) -> None:
        """Load the models after the first page opens, so that neither the start nor the first answer waits."""
        self._chat.warm(target)

    async def list_targets(self, target: str) -> tuple[Any, str, str]:
        """Return the available targets, the reasons for the others, and the state of the selected one, which stays."""
        targets = await self._chat.catalog.check_targets()
        choices = [(each.title, each.name) for each in targets if not each.unavailable or each.name == target]
        selected = next((each for each in targets if each.name == target), None)
        return (
            gr.Dropdown(choices=choices, value=target),
            html.unavailable_html(targets, strings().unavailable_models),
            state_html(selected),
        )

    def find(self, key: str, request: gr.Request) -> tuple[Visitor, Conversation]:
        """Return the visitor and conversation of a page."""
        if session.account(request):  # what this browser has without an account stays as long as it's used with one
            self._chat.touch(self._keys.browser_key(key))
        with refuse_unreadable():
            visitor = self._chat.visitor(self._keys.key(key, request))
            return visitor, visitor.conversation(request.session_hash)

    def open(self, visitor: Visitor, conversation_id: object) -> Conversation:
        """Return one of the visitor's conversations."""
        with refuse_unreadable():
            return visitor.conversations.open(conversation_id)

    def shared_choice(self, visitor: Visitor) -> Any:
        """Return the update of the shared libraries' checkboxes: the visitor's own documents replace the samples."""
        return False if visitor.library.documents and not self._chat.shared.titles else gr.skip()

    def caller(self, key: str, request: gr.Request) -> Caller:
        """Return who asks for a place."""
        return self._keys.caller(key, request)

    def view(self, visitor: Visitor, conversation: Conversation, request: gr.Request) -> dict[str, Any]:
        """Return the update of a page that may show another conversation, or other turns: messages and thumbs."""
        messages = self.messages(visitor, conversation, request)
        return gr.update(value=messages, feedback_value=shown_ratings(conversation, messages))

    def ratings(self, conversation: Conversation) -> list[str | None]:
        """Return the thumbs of a conversation."""
        return shown_ratings(conversation, conversation_messages(conversation))

    def messages(self, visitor: Visitor, conversation: Conversation, request: gr.Request) -> list[ChatMessage]:
        """Return all messages of a conversation, and remember that the page shows them."""
        page = visitor.page(request.session_hash)
        if page.conversation_id == conversation.id:
            page.shown_changes = conversation.changes
        return conversation_messages(conversation)
