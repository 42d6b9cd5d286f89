"""Chat with documents: the page. What it shows is thought out in `rag` and `backends`."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio as gr

import page
from backends import Catalog, NotConfigured, SpaceportError
from rag import conversation, render
from rag.answer import Options
from rag.chat import Chat
from rag.parse import SUFFIXES, Limits

CORPUS = Path(__file__).parent / "corpus"
EXAMPLES = [
    "How many visitors does the viewing deck hold?",
    "What is the exclusion zone?",
    "How did the number of Arctic terns change?",
]
REMOVE_JS = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove]");
  if (button) trigger("delete", {document: button.dataset.remove});
});
"""
BUSY: dict[str, Any] = {"submit_btn": False, "stop_btn": True}
READY: dict[str, Any] = {"submit_btn": True, "stop_btn": False}
DEFAULTS = Options()
History = list[dict[str, Any]]


ARGUMENTS = page.arguments(sys.argv[1:] if __name__ == "__main__" else [], "Chat with documents on any model backend.")
MAX_FILE_MB = int(os.environ.get("SPACEPORT_MAX_FILE_MB", "50"))

try:
    if gr.NO_RELOAD:  # what is costly to make, or belongs to visitors, outlives an edit of this file
        CHAT = Chat(Catalog.load(ARGUMENTS.catalog), CORPUS, limits=Limits(file_bytes=MAX_FILE_MB * 1_000_000))
    START = CHAT.catalog.target(ARGUMENTS.backend or CHAT.catalog.default)
    if ARGUMENTS.backend and START.unavailable:
        raise START.unavailable
except NotConfigured as error:
    raise SystemExit(error.for_terminal) from error


async def respond(
    history: History,
    target: str,
    passages: float,
    max_tokens: float,
    temperature: float,
    system: str,
    samples: bool,
    request: gr.Request,
) -> AsyncIterator[tuple[Any, Any, Any]]:
    """Stream the answer to the last question: the conversation, the source panel, the line of figures."""
    options = Options(int(passages), int(max_tokens), float(temperature), system)
    visitor = CHAT.visitor(request.session_hash)
    async for view in CHAT.answer(visitor, history, target, options, samples=samples):
        yield view.messages, _or_skip(view.sources), _or_skip(view.figures)


async def upload(paths: list[str] | None, request: gr.Request) -> AsyncIterator[tuple[Any, Any, Any]]:
    """Read the dropped files: the drop zone, the document list, whether the samples are searched too."""
    visitor = CHAT.visitor(request.session_hash)
    listed = gr.skip()
    async for listed in CHAT.read(visitor, [Path(path) for path in paths or []]):
        yield gr.skip(), listed, gr.skip()
    yield None, listed, False if visitor.library.documents else gr.skip()


def remove(request: gr.Request, event: gr.EventData) -> str:
    """Forget the document whose button was pressed."""
    library = CHAT.visitor(request.session_hash).library
    library.remove(str(event.document))
    return render.documents_html(library.documents)


def begin(text: str, history: History) -> tuple[Any, History]:
    """Put the question into the conversation and turn the send button into Stop."""
    if not text.strip():
        return gr.skip(), history
    return gr.Textbox(value="", **BUSY), [*history, conversation.user_message(text.strip())]


def example(history: History, event: gr.SelectData) -> tuple[Any, History]:
    return begin(event.value["text"], history)


def retry(history: History, event: gr.RetryData) -> tuple[Any, History]:
    return gr.Textbox(**BUSY), conversation.back_to_question(history, event.index)


def edit(history: History, event: gr.EditData) -> tuple[Any, History]:
    kept = conversation.back_to_question(history, event.index)[:-1]
    return gr.Textbox(**BUSY), [*kept, conversation.user_message(str(event.value))]


def undo(history: History, event: gr.UndoData, request: gr.Request) -> tuple[str, History, str]:
    """Take the last question back into the box."""
    kept = conversation.back_to_question(history, event.index)
    visitor = CHAT.visitor(request.session_hash)
    visitor.forget_from(conversation.turn_of(kept))
    return conversation.text_of(kept[-1]), kept[:-1], render.sources_html(visitor.sources.values())


def clear(request: gr.Request) -> tuple[str, str]:
    """The conversation is gone, and with it its sources; the documents stay."""
    CHAT.visitor(request.session_hash).forget_from(0)
    return render.sources_html([]), ""


def rest(history: History) -> tuple[Any, History]:
    """After an answer or a Stop: the send button is back and nothing is pending."""
    return gr.Textbox(**READY), conversation.settled(history)


async def survey(target: str) -> tuple[Any, str]:
    """Which targets can be used now, and why the others cannot; the chosen one stays in the list."""
    targets = await CHAT.catalog.reach()
    choices = [(known.title, known.name) for known in targets if not known.unavailable or known.name == target]
    return gr.Dropdown(choices=choices, value=target), page.unavailable_html(targets)


async def ask(question: str, target: str = START.name) -> str:
    """Answer one question over the sample documents (for API clients)."""
    try:
        return await CHAT.ask(question, target)
    except SpaceportError as error:
        raise gr.Error(str(error)) from error


def warm() -> None:
    """Load the models behind the first open page, so that they hold up neither the start nor the first answer."""
    CHAT.warm(START.name)


def leave(request: gr.Request) -> None:
    CHAT.forget(request.session_hash)


def _or_skip(value: str | None) -> Any:
    return gr.skip() if value is None else value


with gr.Blocks(
    title="Chat with documents", analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)
) as demo:
    with gr.Row(elem_id="head"):
        gr.HTML(page.head_html("Chat with documents", "Answers that show where they stand"))
        target = gr.Dropdown(
            [(START.title, START.name)], value=START.name, label="Model", container=False, scale=0, min_width=280,
            elem_id="target",
        )  # fmt: skip
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            chatbot = gr.Chatbot(
                elem_id="chat", show_label=False, height="68vh", min_height=380, allow_tags=False, editable="user",
                buttons=["copy"], feedback_options=None, examples=[{"text": text} for text in EXAMPLES],
                placeholder="### Ask about your documents\nor try one of these on the sample documents",
            )  # fmt: skip
            box = gr.Textbox(
                label="Question", show_label=False, placeholder="Ask a question", submit_btn=True, autofocus=True,
                max_lines=8, max_length=20_000, elem_id="question",
            )  # fmt: skip
            figures = gr.HTML("", elem_id="figures")
        with gr.Column(scale=2, min_width=320):
            with gr.Accordion("Documents", open=True):
                drop = gr.File(
                    show_label=False, file_count="multiple", file_types=list(SUFFIXES), height=132, elem_id="drop"
                )
                documents = gr.HTML("", elem_id="documents", js_on_load=REMOVE_JS)
                samples = gr.Checkbox(True, label="Search the sample documents (Tern Island)", elem_id="samples")
            with gr.Accordion("Sources", open=True):
                sources = gr.HTML(render.sources_html([]), elem_id="sources")
            with gr.Accordion("Settings", open=False):
                passages = gr.Slider(1, 12, DEFAULTS.passages, step=1, label="Passages sent to the model")
                temperature = gr.Slider(0, 1.5, DEFAULTS.temperature, step=0.1, label="Temperature")
                max_tokens = gr.Slider(16, 4096, DEFAULTS.max_tokens, step=16, label="Longest answer, in tokens")
                system = gr.Textbox("", label="System prompt", lines=2, placeholder="Leave empty for the default")
                unavailable = gr.HTML("", elem_id="unavailable")

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    asked = [
        box.submit(begin, [box, chatbot], [box, chatbot], queue=False, **private),
        chatbot.example_select(example, chatbot, [box, chatbot], queue=False, **private),
        chatbot.retry(retry, chatbot, [box, chatbot], queue=False, **private),
        chatbot.edit(edit, chatbot, [box, chatbot], queue=False, **private),
    ]
    answering = [
        event.then(
            respond,
            [chatbot, target, passages, max_tokens, temperature, system, samples],
            [chatbot, sources, figures],
            # Gradio's default of 1 would let one slow answer hold up every other visitor.
            concurrency_limit=16,
            concurrency_id="answer",
            **private,
        )
        for event in asked
    ]
    for event in answering:
        event.then(rest, chatbot, [box, chatbot], queue=False, **private)
    box.stop(rest, chatbot, [box, chatbot], cancels=answering, queue=False, **private)
    chatbot.undo(undo, chatbot, [box, chatbot, sources], queue=False, **private)
    chatbot.clear(clear, None, [sources, figures], queue=False, **private)
    drop.upload(upload, drop, [drop, documents, samples], concurrency_limit=2, **private)
    documents.delete(remove, None, documents, **private)
    demo.load(warm, None, None, **private)
    demo.load(survey, target, [target, unavailable], **private)
    demo.unload(leave)
    gr.api(ask, api_name="ask")
demo.queue(max_size=64)

if __name__ == "__main__":
    demo.launch(**page.serving(ARGUMENTS, max_file_mb=MAX_FILE_MB))
