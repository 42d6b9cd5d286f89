"""The visitor's conversations, at the top of the sidebar."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from chat_page import scripts
from chat_page.translations.labels import label


@dataclass(frozen=True, slots=True)
class ConversationList:
    """The components of the list."""

    new: gr.Button
    search: gr.Textbox
    chats: gr.HTML


def build_conversation_list() -> ConversationList:
    """Build the list inside the current block."""
    return ConversationList(
        new=gr.Button(label("new_chat"), size="sm", variant="secondary", elem_id="new-chat"),
        search=gr.Textbox(
            label=label("search_chats"), show_label=False, placeholder=label("search_chats"), container=False,
            max_lines=1, max_length=200, elem_id="search-chats",
        ),
        chats=gr.HTML("", elem_id="chats", js_on_load=scripts.CHAT_LIST_JS, apply_default_css=False),
    )  # fmt: skip
