"""What can be done with the open conversation as a whole, below the list of conversations."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from chat_page.translations.labels import label


@dataclass(frozen=True, slots=True)
class ConversationActions:
    """The buttons, and the box that shows the link of a shared conversation."""

    share: gr.Button
    web_page: gr.Button
    markdown: gr.Button
    json: gr.Button
    link: gr.Textbox


def build_conversation_actions() -> ConversationActions:
    """Build the actions inside the current block; the style sheet hides them while there is no conversation."""
    with gr.Row(elem_id="export"):
        share, web_page, markdown, json = (
            gr.Button(label(name), size="sm", variant="secondary", min_width=0)
            for name in ("share", "download_web_page", "download_markdown", "download_json")
        )
    link = gr.Textbox(
        visible=False, label=label("link"), buttons=["copy"], interactive=False, max_lines=1, elem_id="link",
    )  # fmt: skip
    return ConversationActions(share, web_page, markdown, json, link)
