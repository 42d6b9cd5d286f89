"""The visitor's conversations, at the top of the sidebar."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from chat_page.strings import ENGLISH


@dataclass(frozen=True, slots=True)
class ConversationList:
    """The components of the list."""

    new: gr.Button


def build_conversation_list() -> ConversationList:
    """Build the list inside the current block."""
    return ConversationList(
        gr.Button(ENGLISH.new_chat, size="sm", variant="secondary", elem_id="new-chat"),
    )
