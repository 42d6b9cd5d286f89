"""Chat with documents: the layout of the page and its events. Their handlers are in `chat_page.handlers`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import gradio as gr

from backends import Catalog, SpaceportError
from chat_page import scripts
from chat_page.better_model import ModelOffer
from chat_page.chat import MAX_QUESTION_CHARACTERS, Chat
from chat_page.handlers import Handlers
from chat_page.sources import panel
from chat_page.strings import ENGLISH
from rag.answering.types import AnswerOptions
from rag.documents import Limits
from rag.library.quota import Quota
from rag.reading.archives.listing import ARCHIVE_SUFFIX
from rag.reading.parse import SUFFIXES
from rag.reading.web.fetch import urls_allowed
from ui import html, launch
from ui.admission.client import caller_of
from ui.edge.limits import EdgeLimits
from ui.scripts import download_js, key_js
from ui.settings import int_setting

CORPUS = Path(__file__).parent / "corpus"
DEFAULTS = AnswerOptions()
# Gradio's state of a page takes 75 kB, and anybody can open pages. Nothing is lost when a page's state is dropped.
MAX_SESSIONS = 200

ARGUMENTS = launch.parse_arguments(
    sys.argv[1:] if __name__ == "__main__" else [], "Chat with documents on any model backend."
)

try:
    LIMITS = EdgeLimits.from_environment(
        max_file_mb=int_setting("SPACEPORT_MAX_FILE_MB", 50, least=1),
        max_files=Quota.from_environment().files or EdgeLimits().files,
        unused_upload_seconds=60,  # the page reads a file as soon as it is complete
    )
    if gr.NO_RELOAD:  # expensive objects and visitors' data survive an edit of this file
        CHAT = Chat(Catalog.load(ARGUMENTS.catalog), CORPUS, limits=Limits(file_bytes=LIMITS.file_bytes))
    START = CHAT.catalog.target(ARGUMENTS.backend or CHAT.catalog.default)
    if ARGUMENTS.backend and START.unavailable:
        raise START.unavailable
except SpaceportError as error:
    raise SystemExit(error.for_terminal) from error
HANDLERS = Handlers(CHAT)
OFFER = ModelOffer(
    CHAT.catalog,
    host=ARGUMENTS.host or os.environ.get("GRADIO_SERVER_NAME"),
    share=ARGUMENTS.share,
    on_ready=CHAT.reconnect,
)
# Gradio refuses a value that isn't a choice. The names are replaced by titles when the page has opened.
TARGETS = [(START.title, START.name), *((name, name) for name in CHAT.catalog.names if name != START.name)]


async def ask_documents(
    question: str, request: gr.Request, documents: dict[str, str] | None = None, target: str = START.name
) -> dict:
    """Answer a question from documents, with the passages that support the answer; nothing is stored.

    Args:
        question: The question to answer from the documents.
        documents: The documents, each a name and its text. Without any, the sample documents are searched.
        target: The model that answers, by its name in the catalogue.

    Returns:
        The answer, its citations (document, page, start and end in characters, the passage), and whether the
        documents don't answer the question.
    """
    try:
        return await CHAT.ask(caller_of(request), question, documents or {}, target)
    except SpaceportError as error:
        raise gr.Error(str(error), print_exception=False) from error


with gr.Blocks(title=ENGLISH.title, analytics_enabled=False, fill_width=True, delete_cache=(300, 3600)) as demo:
    # Not a secret: the browser receives it with the page. It's fixed so that the key survives a restart of the server.
    key = gr.BrowserState("", storage_key="spaceport-visitor", secret="spaceport")  # noqa: S106
    fragment = gr.Textbox(visible=False)
    download = gr.Textbox(visible=False)
    with gr.Row(elem_id="head"):
        gr.HTML(html.header_html(ENGLISH.title, ENGLISH.tagline))
        target = gr.Dropdown(
            TARGETS, value=START.name, label=ENGLISH.model, container=False, scale=0, min_width=280,
            elem_id="target",
        )  # fmt: skip
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            chatbot = gr.Chatbot(
                elem_id="chat", show_label=False, height="68vh", min_height=380, allow_tags=False, editable="user",
                buttons=["copy"], feedback_options=None, examples=[{"text": text} for text in ENGLISH.examples],
                placeholder=ENGLISH.invitation,
            )  # fmt: skip
            question = gr.Textbox(
                label=ENGLISH.question, show_label=False, placeholder=ENGLISH.question_hint, submit_btn=True,
                autofocus=True, max_lines=8, max_length=MAX_QUESTION_CHARACTERS, elem_id="question",
            )  # fmt: skip
            stats = gr.HTML("", elem_id="figures")
            with gr.Row(elem_id="export"):
                share_button = gr.Button(ENGLISH.share, size="sm", variant="secondary")
                markdown_button = gr.Button(ENGLISH.download_markdown, size="sm", variant="secondary")
                json_button = gr.Button(ENGLISH.download_json, size="sm", variant="secondary")
            link = gr.Textbox(
                visible=False, label=ENGLISH.link, buttons=["copy"], interactive=False, max_lines=1, elem_id="link",
            )  # fmt: skip
        with gr.Column(scale=2, min_width=320):
            with gr.Accordion(ENGLISH.documents, open=True):
                files = gr.File(
                    show_label=False,
                    file_count="multiple",
                    file_types=[*SUFFIXES, ARCHIVE_SUFFIX],
                    height=132,
                    elem_id="drop",
                )
                address = gr.Textbox(
                    label=ENGLISH.web_page,
                    placeholder="https://",
                    max_lines=1,
                    visible=urls_allowed(),
                    elem_id="address",
                )
                documents = gr.HTML("", elem_id="documents", js_on_load=scripts.DOCUMENTS_JS)
                samples = gr.Checkbox(True, label=ENGLISH.samples, elem_id="samples")
            with gr.Accordion(ENGLISH.sources, open=True):
                sources = gr.HTML(panel.sources_html([]), elem_id="sources", js_on_load=scripts.PANEL_JS)
                preview = gr.HTML("", elem_id="preview", js_on_load=scripts.PREVIEW_JS)
            with gr.Accordion(ENGLISH.settings, open=False):
                general_knowledge = gr.Checkbox(False, label=ENGLISH.general_knowledge, elem_id="general_knowledge")
                passages = gr.Slider(1, 12, DEFAULTS.passages, step=1, label=ENGLISH.passages)
                temperature = gr.Slider(0, 1.5, DEFAULTS.temperature, step=0.1, label=ENGLISH.temperature)
                max_tokens = gr.Slider(16, 4096, DEFAULTS.max_tokens, step=16, label=ENGLISH.max_tokens)
                system = gr.Textbox("", label=ENGLISH.system, lines=2, placeholder=ENGLISH.system_hint)
                delete = gr.Button(ENGLISH.delete, size="sm", variant="stop", elem_id="delete")
                better_model = gr.Button(OFFER.label(), visible=bool(OFFER.label()), size="sm", elem_id="better_model")
                model_progress = gr.HTML("")
                unavailable = gr.HTML("", elem_id="unavailable")

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    # Events whose first or second input is the key.
    key_first, key_second = ({**private, "js": key_js(index)} for index in (0, 1))
    question_events = [
        question.submit(HANDLERS.submit, [question, key], [question, chatbot], concurrency_limit=None, **key_second),
        chatbot.example_select(HANDLERS.example, key, [question, chatbot], concurrency_limit=None, **key_first),
        chatbot.retry(HANDLERS.retry, key, [question, chatbot], queue=False, **key_first),
        chatbot.edit(HANDLERS.edit, key, [question, chatbot], concurrency_limit=None, **key_first),
        chatbot.option_select(HANDLERS.write_answer, key, [question, chatbot], concurrency_limit=None, **key_first),
    ]
    answer_events = [
        event.then(
            HANDLERS.respond,
            [key, target, passages, max_tokens, temperature, system, general_knowledge, samples],
            [chatbot, sources, stats],
            # `Admission` decides whose turn it is. Gradio's queue would be first come, first served, for all together.
            concurrency_limit=None,
            concurrency_id="answer",
            postprocess=False,
            **key_first,
        )
        for event in question_events
    ]
    for event in answer_events:
        event.then(HANDLERS.finish, key, [question, chatbot], queue=False, **key_first)
    question.stop(HANDLERS.finish, key, [question, chatbot], cancels=answer_events, queue=False, **key_first)
    chatbot.undo(HANDLERS.undo, key, [question, chatbot, sources], queue=False, **key_first)
    chatbot.clear(HANDLERS.clear, key, [sources, stats], queue=False, **key_first)

    files.upload(HANDLERS.upload, [files, key], [files, documents, samples], concurrency_limit=None, **key_second)
    address.submit(
        HANDLERS.add_url, [address, key], [address, documents, samples], concurrency_limit=None, **key_second
    )
    documents.delete(HANDLERS.remove, key, documents, queue=False, trigger_mode="multiple", **key_first)
    documents.stop(HANDLERS.cancel, key, None, queue=False, trigger_mode="multiple", **key_first)
    # By default Gradio drops an event while the previous one is running: a second citation would never open.
    sources.select(HANDLERS.open_source, key, preview, concurrency_limit=None, trigger_mode="multiple", **key_first)

    for button, handler, name, media_type in (
        (markdown_button, HANDLERS.export_markdown, "conversation.md", "text/markdown"),
        (json_button, HANDLERS.export_json, "conversation.json", "application/json"),
    ):
        button.click(handler, key, download, queue=False, **key_first).then(
            None, download, download, js=download_js(name, media_type), **private
        )
    share_button.click(HANDLERS.share_link, key, [download, link], concurrency_limit=None, **key_first).then(
        None, download, link, js=scripts.COPY_LINK_JS, **private
    )

    page_load = demo.load(
        HANDLERS.open_page, key, [key, documents, chatbot, sources, samples], queue=False, **key_first
    )
    page_load.then(None, fragment, fragment, js=scripts.READ_LINK_JS, **private).then(
        HANDLERS.open_link, [fragment, key], [chatbot, sources], concurrency_limit=None, **key_second
    )
    page_load.then(HANDLERS.follow_uploads, key, documents, concurrency_limit=None, **key_first)
    delete.click(
        HANDLERS.delete_data, key, [key, documents, chatbot, sources, stats, samples], js=scripts.CONFIRM_JS,
        queue=False, **private,
    )  # fmt: skip
    better_model.click(OFFER.get_model, None, model_progress, concurrency_limit=None, **private).then(
        HANDLERS.list_targets, target, [target, unavailable], **private
    )
    demo.load(HANDLERS.warm, target, None, **private)
    demo.load(HANDLERS.list_targets, target, [target, unavailable], **private)
    demo.unload(HANDLERS.close_page)
    gr.api(ask_documents, api_name="ask_documents", concurrency_limit=None)
demo.queue(**launch.QUEUE)

if __name__ == "__main__":
    demo.launch(
        **launch.launch_arguments(
            ARGUMENTS, LIMITS, css=scripts.CSS, private=CHAT.private_folders, max_sessions=MAX_SESSIONS
        ),
        mcp_server=launch.mcp_enabled(),
    )
