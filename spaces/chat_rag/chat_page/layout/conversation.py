"""The middle of the page: the head, the conversation, and the composer at the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import gradio as gr

from chat_page.conversations.feedback import RATINGS, reasons
from chat_page.layout.document_list import FILE_TYPES
from chat_page.page_text import PageText
from chat_page.strings import ENGLISH, Strings
from chat_page.translations.labels import label, translated
from ui import html

# `$…$` isn't here: "between $5 and $10" is money. `rendering.formulas` writes real formulas in the other form.
FORMULAS: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]


@dataclass(frozen=True, slots=True)
class Composer:
    """The question, and beside it what a question needs: files and the model."""

    question: gr.Textbox
    attach: gr.UploadButton
    target: gr.Dropdown
    state: gr.HTML


def build_head(text: PageText | None) -> None:
    """Build the head inside the current block: the title, and a button for the sources when there are any."""
    gr.HTML(translated(partial(_head, text)), elem_id="head", apply_default_css=False)


def build_chatbot(questions: Sequence[str]) -> gr.Chatbot:
    """Build the conversation inside the current block, with questions to a library, or else to the samples.

    page.js scrolls it: Gradio would scroll past the quotes.
    """
    return gr.Chatbot(
        elem_id="chat", show_label=False, height="100%", scale=1, autoscroll=False, allow_tags=False, editable="user",
        buttons=["copy"], feedback_options=(*RATINGS, *reasons(ENGLISH)),
        examples=[{"text": text} for text in questions or ENGLISH.examples],
        placeholder=label("invitation" if questions else "first_invitation"), container=False,
        latex_delimiters=FORMULAS,
    )  # fmt: skip


def build_composer(targets: Sequence[tuple[str, str]]) -> Composer:
    """Build the composer inside the current block; the first of `targets` (title, name) is selected.

    A MultimodalTextbox would send files with the question: reading them would begin late, and a file that nobody reads
    within a minute is deleted. The question has no `max_length`: a browser cuts off what is pasted beyond it and says
    nothing, while the server refuses the whole and gives the limit.
    """
    with gr.Column(elem_id="composer", min_width=0):
        gr.HTML('<p class="sp-note"></p>', elem_id="files-state", apply_default_css=False)
        question = gr.Textbox(
            label=label("question"), show_label=False, placeholder=label("question_hint"), submit_btn=True,
            autofocus=True, max_lines=8, elem_id="question", container=False,
        )  # fmt: skip
        with gr.Row(elem_id="composer-tools"):
            attach = gr.UploadButton(
                label("attach"), file_count="multiple", file_types=FILE_TYPES, size="sm", scale=0, min_width=0,
                elem_id="attach",
            )  # fmt: skip
            target = gr.Dropdown(
                list(targets), value=targets[0][1], label=label("model"), container=False, min_width=0,
                elem_id="target",
            )  # fmt: skip
            state = gr.HTML("", elem_id="model-state")
    return Composer(question, attach, target, state)


def _head(text: PageText | None, words: Strings) -> str:
    button = f'<button type="button" class="sp-button" data-open-pane>{words.sources}</button>'
    title, tagline = (text.title, text.description) if text else (words.title, words.tagline)
    return f'<div class="sp-top">{html.header_html(title, tagline)}{button}</div>'
