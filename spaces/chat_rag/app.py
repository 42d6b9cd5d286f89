"""Chat with documents: the page. Its events are in `handlers`; what it shows is thought out in `rag` and `backends`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import gradio as gr

from backends import Catalog, SpaceportError
from chat_page import pacing, panel, share
from chat_page.chat import MOST_CHARACTERS, Chat
from chat_page.handlers import Handlers
from chat_page.strings import ENGLISH
from rag.answering.answer import Options
from rag.documents import Limits
from rag.reading.parse import SUFFIXES
from ui import html, launch

CORPUS = Path(__file__).parent / "corpus"
CSS = (Path(__file__).parent / "chat_page" / "panel.css").read_text(encoding="utf-8")
DOCUMENTS_JS = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove], [data-cancel]");
  if (button?.dataset.remove) trigger("delete", {document: button.dataset.remove});
  if (button?.dataset.cancel) trigger("stop", {number: Number(button.dataset.cancel)});
});
"""
CONFIRM_JS = f"(key) => confirm({json.dumps(ENGLISH.delete_sure)}) ? key : ''"
DEFAULTS = Options()

ARGUMENTS = launch.parse_arguments(
    sys.argv[1:] if __name__ == "__main__" else [], "Chat with documents on any model backend."
)
MAX_FILE_MB = int(os.environ.get("SPACEPORT_MAX_FILE_MB", "50"))

try:
    if gr.NO_RELOAD:  # what is costly to make, or belongs to visitors, outlives an edit of this file
        CHAT = Chat(Catalog.load(ARGUMENTS.catalog), CORPUS, limits=Limits(file_bytes=MAX_FILE_MB * 1_000_000))
    START = CHAT.catalog.target(ARGUMENTS.backend or CHAT.catalog.default)
    if ARGUMENTS.backend and START.unavailable:
        raise START.unavailable
except SpaceportError as error:
    raise SystemExit(error.for_terminal) from error
HANDLERS = Handlers(CHAT)


async def ask_documents(question: str, documents: dict[str, str] | None = None, target: str = START.name) -> dict:
    """Answer a question over documents, with the passages that the answer rests on; nothing is kept.

    Args:
        question: What to look up in the documents.
        documents: The documents, each a name and its text. Without any, the sample documents are asked.
        target: The model that answers, by its name in the catalogue.

    Returns:
        The answer, its citations (document, page, start and end in characters, the passage), and whether the
        documents do not answer the question at all.
    """
    try:
        return await CHAT.ask(question, documents or {}, target)
    except SpaceportError as error:
        raise gr.Error(str(error)) from error


with gr.Blocks(title=ENGLISH.title, analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)) as demo:
    # No secret: it reaches the browser with the page. A fixed one lets the key outlive a restart of the server.
    key = gr.BrowserState("", storage_key="spaceport-visitor", secret="spaceport")  # noqa: S106
    fragment = gr.Textbox(visible=False)
    taken = gr.Textbox(visible=False)
    with gr.Row(elem_id="head"):
        gr.HTML(html.header_html(ENGLISH.title, ENGLISH.motto))
        target = gr.Dropdown(
            [(START.title, START.name)], value=START.name, label=ENGLISH.model, container=False, scale=0, min_width=280,
            elem_id="target",
        )  # fmt: skip
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            chatbot = gr.Chatbot(
                elem_id="chat", show_label=False, height="68vh", min_height=380, allow_tags=False, editable="user",
                buttons=["copy"], feedback_options=None, examples=[{"text": text} for text in ENGLISH.examples],
                placeholder=ENGLISH.invitation,
            )  # fmt: skip
            box = gr.Textbox(
                label=ENGLISH.question, show_label=False, placeholder=ENGLISH.question_hint, submit_btn=True,
                autofocus=True, max_lines=8, max_length=MOST_CHARACTERS, elem_id="question",
            )  # fmt: skip
            figures = gr.HTML("", elem_id="figures")
            with gr.Row(elem_id="take"):
                share_button = gr.Button(ENGLISH.share, size="sm", variant="secondary")
                markdown_button = gr.Button(ENGLISH.download_markdown, size="sm", variant="secondary")
                json_button = gr.Button(ENGLISH.download_json, size="sm", variant="secondary")
            link = gr.Textbox(
                visible=False, label=ENGLISH.link, buttons=["copy"], interactive=False, max_lines=1, elem_id="link",
            )  # fmt: skip
        with gr.Column(scale=2, min_width=320):
            with gr.Accordion(ENGLISH.documents, open=True):
                drop = gr.File(
                    show_label=False, file_count="multiple", file_types=list(SUFFIXES), height=132, elem_id="drop"
                )
                documents = gr.HTML("", elem_id="documents", js_on_load=DOCUMENTS_JS)
                samples = gr.Checkbox(True, label=ENGLISH.samples, elem_id="samples")
            with gr.Accordion(ENGLISH.sources, open=True):
                sources = gr.HTML(panel.sources_html([]), elem_id="sources", js_on_load=panel.PANEL_JS)
                preview = gr.HTML("", elem_id="preview", js_on_load=panel.PREVIEW_JS)
            with gr.Accordion(ENGLISH.settings, open=False):
                without = gr.Checkbox(False, label=ENGLISH.without, elem_id="without")
                passages = gr.Slider(1, 12, DEFAULTS.passages, step=1, label=ENGLISH.passages)
                temperature = gr.Slider(0, 1.5, DEFAULTS.temperature, step=0.1, label=ENGLISH.temperature)
                max_tokens = gr.Slider(16, 4096, DEFAULTS.max_tokens, step=16, label=ENGLISH.longest)
                system = gr.Textbox("", label=ENGLISH.system, lines=2, placeholder=ENGLISH.system_hint)
                delete = gr.Button(ENGLISH.delete, size="sm", variant="stop", elem_id="delete")
                unavailable = gr.HTML("", elem_id="unavailable")

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    asked = [
        box.submit(HANDLERS.begin, [box, key], [box, chatbot], concurrency_limit=64, **private),
        chatbot.example_select(HANDLERS.example, key, [box, chatbot], concurrency_limit=64, **private),
        chatbot.retry(HANDLERS.retry, key, [box, chatbot], queue=False, **private),
        chatbot.edit(HANDLERS.edit, key, [box, chatbot], concurrency_limit=64, **private),
    ]
    answering = [
        event.then(
            HANDLERS.respond,
            [key, target, passages, max_tokens, temperature, system, without, samples],
            [chatbot, sources, figures],
            # Gradio's default of 1 would let one slow answer hold up every other visitor.
            concurrency_limit=64,
            concurrency_id="answer",
            postprocess=False,
            **private,
        )
        for event in asked
    ]
    for event in answering:
        event.then(HANDLERS.rest, key, [box, chatbot], queue=False, **private)
    box.stop(HANDLERS.rest, key, [box, chatbot], cancels=answering, queue=False, **private)
    chatbot.undo(HANDLERS.undo, key, [box, chatbot, sources], queue=False, **private)
    chatbot.clear(HANDLERS.clear, key, [sources, figures], queue=False, **private)

    drop.upload(HANDLERS.upload, [drop, key], [drop, documents, samples], concurrency_limit=64, **private)
    documents.delete(HANDLERS.remove, key, documents, queue=False, trigger_mode="multiple", **private)
    documents.stop(HANDLERS.cancel, key, None, queue=False, trigger_mode="multiple", **private)
    # Gradio's default drops an event while the one before is on its way: a second citation would never open.
    sources.select(HANDLERS.open_source, key, preview, concurrency_limit=16, trigger_mode="multiple", **private)

    for button, handler, name, media_type in (
        (markdown_button, HANDLERS.markdown, "conversation.md", "text/markdown"),
        (json_button, HANDLERS.json, "conversation.json", "application/json"),
    ):
        button.click(handler, key, taken, queue=False, **private).then(
            None, taken, taken, js=share.download_js(name, media_type), **private
        )
    share_button.click(HANDLERS.link, key, [taken, link], concurrency_limit=64, **private).then(
        None, taken, link, js=share.LINK_JS, **private
    )

    everything = [key, documents, chatbot, sources, samples]
    opened = demo.load(HANDLERS.enter, key, everything, queue=False, **private)
    opened.then(None, fragment, fragment, js=share.READ_JS, **private).then(
        HANDLERS.open_link, [fragment, key], chatbot, concurrency_limit=64, **private
    )
    opened.then(HANDLERS.follow, key, documents, concurrency_limit=64, **private)
    delete.click(HANDLERS.delete_data, key, [*everything[:4], figures, samples], js=CONFIRM_JS, queue=False, **private)
    demo.load(HANDLERS.warm, target, None, **private)
    demo.load(HANDLERS.survey, target, [target, unavailable], **private)
    demo.unload(HANDLERS.leave)
    gr.api(ask_documents, api_name="ask_documents")
demo.queue(max_size=256)
pacing.calm(demo)

if __name__ == "__main__":
    demo.launch(
        **launch.launch_arguments(ARGUMENTS, max_file_mb=MAX_FILE_MB, css=CSS, private=CHAT.private),
        mcp_server=launch.mcp_enabled(),
    )
