"""Chat with documents: the layout of the page and its events. Their handlers are in `chat_page.handlers`."""

from __future__ import annotations

import ui.gradio_imports  # noqa: F401 - before Gradio, whose import then takes two fifths less

# isort: split

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from backends import Catalog, SpaceportError
from backends.machine.zero_gpu import load_on_zero_gpu
from chat_page import scripts
from chat_page.better_model import ModelOffer
from chat_page.chat import Chat
from chat_page.documents.shared_libraries import library_folders
from chat_page.handlers.answers import AnswerHandlers
from chat_page.handlers.chat_list import ConversationHandlers
from chat_page.handlers.documents import DocumentHandlers
from chat_page.handlers.exports import ExportHandlers
from chat_page.handlers.follow_ups import FollowUpHandlers
from chat_page.handlers.page import PageHandlers
from chat_page.handlers.questions import QuestionHandlers
from chat_page.layout.account import adapt_sign_in, build_account
from chat_page.layout.conversation import build_chatbot, build_composer, build_head
from chat_page.layout.conversation_actions import build_conversation_actions
from chat_page.layout.conversation_list import build_conversation_list
from chat_page.layout.document_list import build_document_list
from chat_page.layout.settings import build_settings
from chat_page.layout.sources_pane import build_sources_pane
from chat_page.page_text import FILE, PageText, read_page_text
from chat_page.rendering.documents import feedback_note
from chat_page.strings import ENGLISH
from chat_page.translations.labels import TRANSLATIONS, translated
from rag.documents import Limits
from rag.library.quota import Quota
from ui import launch
from ui.admission.client import caller_of
from ui.event_chains import call_after
from ui.link_preview import LinkPreview
from ui.middleware.public_blocks import PublicBlocks
from ui.middleware.refusals import refusal
from ui.middleware.request_limits import MB, RequestLimits
from ui.process.environment import int_setting
from ui.static.scripts import download_js, key_js

CORPUS = Path(__file__).parent / "corpus"
LIBRARY = Path(__file__).parent / "library"  # `publish_space.py --documents` puts it there
PREVIEW = Path(__file__).parent / "preview.png"  # `make screenshots` takes it; with a library, the publisher draws it
# Gradio's state of a page takes 75 kB, and anybody can open pages. Nothing is lost when a page's state is dropped.
MAX_SESSIONS = 200

ARGUMENTS = launch.parse_arguments(
    sys.argv[1:] if __name__ == "__main__" else [], "Chat with documents on any model backend."
)

try:
    OWN_TEXT = read_page_text(Path(__file__).parent / FILE)
    TEXT = OWN_TEXT or PageText(ENGLISH.title, ENGLISH.tagline)
    LIMITS = RequestLimits.from_environment(
        max_file_mb=int_setting("SPACEPORT_MAX_FILE_MB", Limits().file_bytes // MB, least=1),
        max_files=Quota.from_environment().files,
        unused_upload_seconds=60,  # the page reads a file as soon as it is complete
    )
    if gr.NO_RELOAD:  # expensive objects and visitors' data survive an edit of this file
        CHAT = Chat(
            Catalog.load(ARGUMENTS.catalog), CORPUS, limits=Limits(file_bytes=LIMITS.file_bytes),
            libraries=library_folders(LIBRARY, TEXT.library), examples=TEXT.examples,
        )  # fmt: skip
    START = CHAT.catalog.target(ARGUMENTS.backend or CHAT.catalog.default)
    if ARGUMENTS.backend and START.unavailable:
        raise START.unavailable
    if not START.unavailable:
        load_on_zero_gpu(CHAT.catalog.connect, [START.name])
except SpaceportError as error:
    raise SystemExit(error.for_terminal) from error
PAGE = PageHandlers(CHAT)
QUESTIONS = QuestionHandlers(CHAT, PAGE)
ANSWERS = AnswerHandlers(CHAT, PAGE)
CHATS = ConversationHandlers(CHAT, PAGE)
DOCUMENTS = DocumentHandlers(CHAT, PAGE)
EXPORTS = ExportHandlers(CHAT, PAGE)
FOLLOW_UPS = FollowUpHandlers(CHAT, PAGE)
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
        documents: The documents, each a name and its text. Without any, the page's own documents are searched.
        target: The model that answers, by its name in the catalogue.

    Returns:
        The answer, its citations (document, page, start and end in characters, the passage), and whether the
        documents don't answer the question.
    """
    try:
        return await CHAT.program_api.ask(caller_of(request), question, documents or {}, target)
    except SpaceportError as error:
        raise refusal(error) from error


async def search_documents(
    question: str, request: gr.Request, documents: dict[str, str] | None = None, passages: int = 5
) -> list[dict]:
    """Find the passages of documents that say most about a question; no model is asked, and nothing is stored.

    Args:
        question: What to look for, as a question or as words.
        documents: The documents, each a name and its text. Without any, the page's own documents are searched.
        passages: How many passages to return, up to 20.

    Returns:
        The passages, best first: number, document, page, start and end in characters, score, and the text as `passage`.
    """
    try:
        return await CHAT.program_api.search(caller_of(request), question, documents or {}, passages)
    except SpaceportError as error:
        raise refusal(error) from error


with PublicBlocks(
    title=TEXT.title, analytics_enabled=False, fill_width=True, fill_height=True, delete_cache=(300, 3600)
) as demo:
    # Not a secret: the browser receives it with the page. It's fixed so that the key survives a restart of the server.
    key = gr.BrowserState("", storage_key="spaceport-visitor", secret="spaceport")  # noqa: S106
    tab, fragment = gr.Textbox(visible=False), gr.Textbox(visible=False)
    download = gr.Textbox(visible=False)
    with gr.Sidebar(width=300, elem_id="sidebar"):
        conversations = build_conversation_list()
        actions = build_conversation_actions()
        shelf = build_document_list(CHAT.shared.titles)
        settings = build_settings(OFFER.label)
        account = build_account()
    with gr.Row(elem_id="page", scale=1):
        with gr.Column(elem_id="middle", scale=1, min_width=0):
            build_head(OWN_TEXT)
            chatbot = build_chatbot(CHAT.shared.questions(CHAT.shared.default))
            composer = build_composer(TARGETS)
            note = translated(partial(feedback_note, CHAT.shared_feedback))
            gr.HTML(note, visible=bool(CHAT.shared_feedback), elem_id="feedback")
        pane = build_sources_pane()
    question, target = composer.question, composer.target
    files, documents, samples = shelf.files, shelf.documents, shelf.samples
    sources, preview, unavailable = pane.sources, pane.preview, settings.unavailable

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    # Events whose first or second input is the key.
    key_first, key_second = ({**private, "js": key_js(index)} for index in (0, 1))
    question_events = [
        question.submit(QUESTIONS.submit, [question, key], [question, chatbot], concurrency_limit=None, **key_second),
        chatbot.example_select(QUESTIONS.example, key, [question, chatbot], concurrency_limit=None, **key_first),
        chatbot.retry(QUESTIONS.retry, [key, target], [question, chatbot], concurrency_limit=None, **key_first),
        chatbot.edit(QUESTIONS.edit, key, [question, chatbot], concurrency_limit=None, **key_first),
        chatbot.option_select(QUESTIONS.choose_option, key, [question, chatbot], concurrency_limit=None, **key_first),
    ]
    answer_events = [
        event.then(
            ANSWERS.respond,
            [key, target, *settings.answer_options, samples],
            [chatbot, sources],
            # `Admission` decides whose turn it is. Gradio's queue would be first come, first served, for all together.
            concurrency_limit=None,
            concurrency_id="answer",
            postprocess=False,
            **key_first,
        )
        for event in question_events
    ]
    # A page that is opened again, or has lost its connection, follows the answer that is being written meanwhile.
    resumed = conversations.chats.tick(
        ANSWERS.resume, key, [question, chatbot, sources], queue=False, trigger_mode="always_last", **key_first
    )
    answer_events.append(
        resumed.then(ANSWERS.follow, key, [chatbot, sources], concurrency_limit=None, postprocess=False, **key_first)
    )
    ended = [
        after
        for event in answer_events
        for after in call_after(event, ANSWERS.finish, key, [question, chatbot], queue=False, **key_first)
    ]
    for event in ended:
        event.then(FOLLOW_UPS.suggest_next, [key, samples], chatbot, concurrency_limit=None, **key_first)
    question.stop(ANSWERS.stop, key, [question, chatbot], cancels=answer_events, queue=False, **key_first)
    chatbot.undo(QUESTIONS.undo, key, [question, chatbot, sources], concurrency_limit=None, **key_first)

    chatbot.like(CHATS.rate, key, chatbot, concurrency_limit=None, trigger_mode="multiple", **key_first)
    list_inputs, list_outputs = [key, conversations.search], [question, chatbot, sources, conversations.chats]
    for component_event, handler in (
        (conversations.new.click, CHATS.new_chat),
        (chatbot.clear, CHATS.new_chat),
        (conversations.chats.select, CHATS.select),
        (conversations.chats.delete, CHATS.delete),
    ):
        component_event(handler, list_inputs, list_outputs, concurrency_limit=None, **key_first)
    conversations.chats.edit(
        CHATS.rename, list_inputs, conversations.chats, concurrency_limit=None, trigger_mode="multiple", **key_first
    )

    changes = [
        upload.upload(
            DOCUMENTS.upload, [upload, key], [upload, documents, samples], concurrency_limit=None, **key_second
        )
        for upload in (files, composer.attach)
    ]
    changes.append(
        shelf.address.submit(
            DOCUMENTS.add_url, [shelf.address, key], [shelf.address, documents, samples], concurrency_limit=None,
            **key_second,
        )
    )  # fmt: skip
    changes += [
        documents.delete(DOCUMENTS.remove, key, documents, queue=False, trigger_mode="multiple", **key_first),
        documents.select(DOCUMENTS.choose, key, None, queue=False, trigger_mode="multiple", **key_first),
    ]
    documents.stop(DOCUMENTS.cancel, key, None, queue=False, trigger_mode="multiple", **key_first)
    # By default Gradio drops an event while the previous one is running: a second citation would never open.
    sources.select(DOCUMENTS.open_source, key, preview, concurrency_limit=None, trigger_mode="multiple", **key_first)

    for button, handler, name, media_type in (
        (actions.web_page, EXPORTS.export_html, "conversation.html", "text/html"),
        (actions.markdown, EXPORTS.export_markdown, "conversation.md", "text/markdown"),
        (actions.json, EXPORTS.export_json, "conversation.json", "application/json"),
        (settings.download, CHATS.export_all, "conversations.json", "application/json"),
    ):
        button.click(handler, key, download, concurrency_limit=None, **key_first).then(
            None, download, download, js=download_js(name, media_type), **private
        )
    actions.share.click(EXPORTS.share_link, key, [download, actions.link], concurrency_limit=None, **key_first).then(
        None, download, actions.link, js=scripts.COPY_LINK_JS, **private
    )

    page_load = demo.load(
        PAGE.open_page, [key, tab], [key, documents, chatbot, sources, samples], queue=False,
        **{**private, "js": scripts.TAB_JS},
    )  # fmt: skip
    linked = page_load.then(None, fragment, fragment, js=scripts.READ_LINK_JS, **private).then(
        EXPORTS.open_link, [fragment, key], [chatbot, sources], concurrency_limit=None, **key_second
    )
    if account:
        page_load.then(PAGE.show_account, key, [account.button, account.note], queue=False, **key_first)
    # The page opens again after a reload, and after a lost connection.
    choice_restored = page_load.then(None, samples, samples, js=scripts.SHARED_JS, **private)
    for change in (*changes, choice_restored):
        change.then(DOCUMENTS.suggest, [key, samples], chatbot, queue=False, **key_first)
    samples.input(DOCUMENTS.suggest, [key, samples], chatbot, queue=False, **key_first)
    page_load.then(DOCUMENTS.follow_uploads, key, documents, concurrency_limit=None, **key_first)
    deleted = settings.delete.click(
        PAGE.delete_data, key, [key, documents, chatbot, sources, samples], js=scripts.CONFIRM_JS,
        queue=False, **private,
    )  # fmt: skip
    for event in (linked, *question_events, *ended, deleted):
        event.then(CHATS.list_chats, list_inputs, conversations.chats, queue=False, **key_first)
    conversations.search.change(  # Gradio 6.31 has no "input" for the first change, such as a pasted text
        CHATS.list_chats, list_inputs, conversations.chats, concurrency_limit=None, trigger_mode="always_last",
        **key_first,
    )  # fmt: skip
    settings.better_model.click(OFFER.get_model, None, settings.model_progress, concurrency_limit=None, **private).then(
        PAGE.list_targets, target, [target, unavailable, composer.state], **private
    )
    demo.load(PAGE.warm, target, None, **private)
    demo.load(PAGE.list_targets, target, [target, unavailable, composer.state], **private)
    target.input(PAGE.list_targets, target, [target, unavailable, composer.state], **private)
    demo.unload(PAGE.close_page)
    for tool in (ask_documents, search_documents):
        gr.api(tool, api_name=tool.__name__, concurrency_limit=None)
adapt_sign_in(demo)
demo.i18n_instance = TRANSLATIONS  # `launch` sets it too, but not again after an edit of this file
demo.queue(**launch.QUEUE)

if __name__ == "__main__":
    demo.launch(
        **launch.launch_arguments(
            ARGUMENTS,
            LIMITS,
            css=scripts.CSS,
            head=scripts.HEAD,
            preview=Middleware(LinkPreview, TEXT.title, TEXT.description, PREVIEW if PREVIEW.is_file() else None),
            private=CHAT.private_folders,
            max_sessions=MAX_SESSIONS,
        ),
        i18n=TRANSLATIONS,
        mcp_server=launch.mcp_enabled(),
    )
