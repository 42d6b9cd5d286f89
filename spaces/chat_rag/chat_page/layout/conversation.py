"""The middle of the page: the head, the conversation, and the composer at the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from chat_page.conversations.feedback import RATINGS, REASONS
from chat_page.layout.document_list import FILE_TYPES
from chat_page.strings import ENGLISH
from ui import html

# `$…$` isn't here: "between $5 and $10" is money. `chat_page.formulas` writes real formulas in the other form.
FORMULAS: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]


@dataclass(frozen=True, slots=True)
class Head:
    """The title, and what can be done with the whole conversation."""

    share: gr.Button
    markdown: gr.Button
    json: gr.Button
    link: gr.Textbox


@dataclass(frozen=True, slots=True)
class Composer:
    """The question, and beside it what a question needs: files and the model."""

    question: gr.Textbox
    attach: gr.UploadButton
    target: gr.Dropdown


def build_head() -> Head:
    """Build the head inside the current block."""
    with gr.Row(elem_id="head"):
        gr.HTML(html.header_html(ENGLISH.title, ENGLISH.tagline))
        with gr.Row(elem_id="export"):
            share, markdown, json = (
                gr.Button(label, size="sm", variant="secondary", min_width=0)
                for label in (ENGLISH.share, ENGLISH.download_markdown, ENGLISH.download_json)
            )
    link = gr.Textbox(
        visible=False, label=ENGLISH.link, buttons=["copy"], interactive=False, max_lines=1, elem_id="link",
    )  # fmt: skip
    return Head(share, markdown, json, link)


def build_chatbot() -> gr.Chatbot:
    """Build the conversation inside the current block. page.js scrolls it: Gradio would scroll past the quotes."""
    return gr.Chatbot(
        elem_id="chat", show_label=False, height="100%", scale=1, autoscroll=False, allow_tags=False, editable="user",
        buttons=["copy"], feedback_options=(*RATINGS, *REASONS), examples=[{"text": text} for text in ENGLISH.examples],
        placeholder=ENGLISH.invitation, container=False, latex_delimiters=FORMULAS,
    )  # fmt: skip


def build_composer(targets: Sequence[tuple[str, str]], max_characters: int) -> Composer:
    """Build the composer inside the current block; the first of `targets` (title, name) is selected.

    A MultimodalTextbox would send files with the question: reading them would begin late, and a file that nobody reads
    within a minute is deleted.
    """
    with gr.Group(elem_id="composer"):
        question = gr.Textbox(
            label=ENGLISH.question, show_label=False, placeholder=ENGLISH.question_hint, submit_btn=True,
            autofocus=True, max_lines=8, max_length=max_characters, elem_id="question", container=False,
        )  # fmt: skip
        with gr.Row(elem_id="composer-tools"):
            attach = gr.UploadButton(
                ENGLISH.attach, file_count="multiple", file_types=FILE_TYPES, size="sm", scale=0, min_width=0,
                elem_id="attach",
            )  # fmt: skip
            target = gr.Dropdown(
                list(targets), value=targets[0][1], label=ENGLISH.model, container=False, scale=0, min_width=0,
                elem_id="target",
            )  # fmt: skip
    return Composer(question, attach, target)
