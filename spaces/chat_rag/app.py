"""Chat with documents: the page. What it shows is thought out in `rag` and `backends`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio as gr

from backends import Backend, BackendError, Catalog, Delta, NotConfigured, Stopwatch
from backends.streams import batches, closing, reporting
from rag import conversation, render
from rag.answer import Found, Options, Rag
from rag.embed import Embedder
from rag.errors import DocumentError, RagError
from rag.library import Library, Samples
from rag.parse import SUFFIXES, Limits
from rag.visitors import Sources, Visitors
from theme import CSS, HEAD, theme

CORPUS = Path(__file__).parent / "corpus"
EXAMPLES = [
    "How did the number of Arctic terns change?",
    "When does the first ferry leave?",
    "How much does a launch from Pad 2 cost?",
]
# A page redraws the whole conversation at each update: 20 a second look like a stream and cost little.
UPDATE_SECONDS = 0.05
History = list[dict[str, Any]]


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="app.py", description="Chat with documents on any model backend.")
    parser.add_argument("--backend", metavar="NAME", help="the target that is chosen at first")
    parser.add_argument("--catalog", metavar="PATH", help="another catalogue of targets")
    parser.add_argument("--host", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port (7860)")
    parser.add_argument("--share", action="store_true", help="a public link through gradio.live")
    return parser.parse_args(arguments)


OPTIONS = options(sys.argv[1:] if __name__ == "__main__" else [])
MAX_FILE_MB = int(os.environ.get("SPACEPORT_MAX_FILE_MB", "50"))

if gr.NO_RELOAD:  # what is costly to make, or belongs to visitors, outlives an edit of this file
    CATALOG = Catalog.load(OPTIONS.catalog)
    EMBEDDER = Embedder()
    SAMPLES = Samples(CORPUS, EMBEDDER)
    LIMITS = Limits(file_bytes=MAX_FILE_MB * 1_000_000)
    VISITORS = Visitors(lambda: Library(EMBEDDER, limits=LIMITS))
    CONNECTED: dict[str, Backend] = {}
    WARMED = threading.Event()


def connect(name: str) -> Backend:
    """The backend of a target, connected once for all visitors."""
    if name not in CONNECTED:
        CONNECTED[name] = CATALOG.connect(name)
    return CONNECTED[name]


def first_target() -> str:
    """The target that is chosen at first; a wrong --backend ends the start with its remedy."""
    if OPTIONS.backend:
        connect(OPTIONS.backend)
        return str(OPTIONS.backend)
    return CATALOG.default


async def respond(
    history: History,
    target: str,
    passages: float,
    max_tokens: float,
    temperature: float,
    system: str,
    use_samples: bool,
    request: gr.Request,
) -> AsyncIterator[tuple[Any, Any, Any]]:
    """Stream the answer to the last question: the conversation, the source panel, the line of figures."""
    if not history or history[-1]["role"] != "user":
        return
    visitor = VISITORS.of(request.session_hash)
    question, turn = conversation.text_of(history[-1]), conversation.turn_of(history)
    reply, watch = conversation.Reply(turn, status="Searching the documents"), Stopwatch()
    visitor.forget_from(turn)
    rag = Rag(EMBEDDER, [visitor.library, *([SAMPLES] if use_samples else [])])
    chosen = Options(int(passages), int(max_tokens), float(temperature), system)
    yield history + reply.messages(), gr.skip(), ""
    try:
        answer = rag.answer(
            question,
            connect(target),
            history=conversation.sendable(history[:-1]),
            options=chosen,
            watch=watch,
            show=render.marker,
        )
        updates = batches(answer, UPDATE_SECONDS)
        async with closing(updates):
            async for events in updates:
                panel = gr.skip()
                for event in events:
                    if isinstance(event, Delta):
                        reply.add(event)
                    elif isinstance(event, Found):
                        reply.passages = len(event.passages)
                        reply.status = render.reading(len(event.passages))
                        visitor.sources[turn] = Sources(turn, question, event.passages)
                        panel = render.sources_html(visitor.sources.values())
                    else:
                        visitor.sources[turn] = Sources(
                            turn, question, visitor.sources[turn].passages, event.citations, event.removed
                        )
                        panel = render.sources_html(visitor.sources.values())
                yield history + reply.messages(), panel, gr.skip()
    except (BackendError, RagError) as error:
        reply.error = error
    reply.ended = True
    yield history + reply.messages(), gr.skip(), render.figures_html(target, watch)


async def upload(paths: list[str] | None, request: gr.Request) -> AsyncIterator[tuple[Any, Any, Any]]:
    """Read the dropped files one by one: the drop zone, the document list, whether samples are searched."""
    library = VISITORS.of(request.session_hash).library
    notes: list[tuple[str, bool]] = []
    files = [Path(path) for path in paths or []]
    for file in files:
        try:
            steps = reporting(lambda tell, file=file: notes.append((library.add(file, report=tell).summary, True)))
            async with closing(steps):
                async for step, share in steps:
                    progress = render.progress_html(file.name, step, share)
                    yield gr.skip(), render.documents_html(library.documents, notes) + progress, gr.skip()
        except (DocumentError, RagError) as error:
            notes.append((str(error), False))
        finally:
            file.unlink(missing_ok=True)  # Gradio's copy could be fetched by anyone who knows its address
    samples = gr.skip() if not library.documents else False
    yield None, render.documents_html(library.documents, notes), samples


def remove(request: gr.Request, event: gr.EventData) -> str:
    """Forget the document whose button was pressed."""
    library = VISITORS.of(request.session_hash).library
    library.remove(str(event.document))
    return render.documents_html(library.documents)


def begin(text: str, history: History) -> tuple[Any, History]:
    """Put the question into the conversation and turn the send button into Stop."""
    if not text or not text.strip():
        return gr.skip(), history
    return gr.Textbox(value="", submit_btn=False, stop_btn=True), [*history, conversation.user_message(text.strip())]


def example(history: History, event: gr.SelectData) -> tuple[Any, History]:
    return begin(event.value["text"], history)


def retry(history: History, event: gr.RetryData) -> tuple[Any, History]:
    return gr.Textbox(submit_btn=False, stop_btn=True), conversation.back_to_question(history, event.index)


def edit(history: History, event: gr.EditData) -> tuple[Any, History]:
    kept = conversation.back_to_question(history, event.index)[:-1]
    return gr.Textbox(submit_btn=False, stop_btn=True), [*kept, conversation.user_message(str(event.value))]


def undo(history: History, event: gr.UndoData, request: gr.Request) -> tuple[str, History, str]:
    """Take the last question back into the box."""
    kept = conversation.back_to_question(history, event.index)
    visitor = VISITORS.of(request.session_hash)
    visitor.forget_from(conversation.turn_of(kept))
    return conversation.text_of(kept[-1]), kept[:-1], render.sources_html(visitor.sources.values())


def clear(request: gr.Request) -> tuple[History, str, str]:
    visitor = VISITORS.of(request.session_hash)
    visitor.forget_from(0)
    return [], render.sources_html([]), ""


def rest(history: History) -> tuple[Any, History]:
    """After an answer or a Stop: the send button is back and nothing is pending."""
    return gr.Textbox(submit_btn=True, stop_btn=False), conversation.settled(history)


async def survey(target: str) -> tuple[Any, str]:
    """Which targets can be used now, and why the others cannot."""
    targets = await CATALOG.reach()
    usable = [(known.title, known.name) for known in targets if not known.unavailable]
    if target not in [name for _, name in usable]:
        usable.append((CATALOG.target(target).title, target))
    return gr.Dropdown(choices=usable, value=target), render.unavailable_html(targets)


def warm() -> None:
    """Load the embedding model and the samples behind the page, once, after somebody has opened it."""
    if WARMED.is_set():
        return
    WARMED.set()
    threading.Thread(target=_load, name="warm", daemon=True).start()


def _load() -> None:
    try:
        backend = connect(first_target())
        if getattr(backend, "local", False):
            asyncio.run(backend.check())
    except BackendError:
        pass  # it is told when somebody asks; the documents can be searched all the same
    SAMPLES.search("", EMBEDDER.encode(["warm"])[0])


def leave(request: gr.Request) -> None:
    VISITORS.forget(request.session_hash)


async def ask(question: str, target: str = "") -> str:
    """Answer one question over the sample documents (for API clients)."""
    rag, answer = Rag(EMBEDDER, [SAMPLES]), ""
    try:
        async for event in rag.answer(question, connect(target or CATALOG.default)):
            if isinstance(event, Delta) and event.kind == "answer":
                answer += event.text
    except (BackendError, RagError) as error:
        raise gr.Error(str(error)) from error
    return answer


def page() -> gr.Blocks:
    """Lay out the page and wire its events."""
    start = first_target()
    with gr.Blocks(title="Chat with documents", analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)) as blocks:
        with gr.Row(elem_id="head"):
            gr.HTML('<div class="sp-head"><h1>Chat with documents</h1><p>Answers that show where they stand</p></div>')
            target = gr.Dropdown(
                [(CATALOG.target(start).title, start)],
                value=start,
                show_label=False,
                container=False,
                scale=0,
                min_width=280,
                elem_id="target",
            )
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                chatbot = gr.Chatbot(
                    elem_id="chat",
                    show_label=False,
                    height="68vh",
                    min_height=380,
                    allow_tags=False,
                    editable="user",
                    buttons=["copy"],
                    feedback_options=None,
                    placeholder="### Ask about your documents\nor try one of these on the sample documents",
                    examples=[{"text": text} for text in EXAMPLES],
                )
                box = gr.Textbox(
                    elem_id="question",
                    show_label=False,
                    placeholder="Ask a question",
                    submit_btn=True,
                    autofocus=True,
                    max_lines=8,
                    max_length=20_000,
                )
                figures = gr.HTML("", elem_id="figures")
            with gr.Column(scale=2, min_width=320):
                with gr.Accordion("Documents", open=True):
                    drop = gr.File(
                        show_label=False,
                        file_count="multiple",
                        file_types=list(SUFFIXES),
                        height=132,
                        elem_id="drop",
                    )
                    documents = gr.HTML(
                        "",
                        elem_id="documents",
                        js_on_load=REMOVE_JS,
                    )
                    samples = gr.Checkbox(True, label="Search the sample documents (Tern Island)", elem_id="samples")
                with gr.Accordion("Sources", open=True):
                    sources = gr.HTML(render.sources_html([]), elem_id="sources")
                with gr.Accordion("Settings", open=False):
                    passages = gr.Slider(1, 12, value=Options().passages, step=1, label="Passages sent to the model")
                    temperature = gr.Slider(0, 1.5, value=Options().temperature, step=0.1, label="Temperature")
                    max_tokens = gr.Slider(16, 4096, value=Options().max_tokens, step=16, label="Longest answer, in tokens")
                    system = gr.Textbox("", label="System prompt", lines=2, placeholder="Leave empty for the default")
                    unavailable = gr.HTML("", elem_id="unavailable")
                    wipe = gr.Button("Clear the conversation", size="sm")

        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        asked = [
            event(begin_with, inputs, [box, chatbot], queue=False, **private)
            for event, begin_with, inputs in (
                (box.submit, begin, [box, chatbot]),
                (chatbot.example_select, example, [chatbot]),
                (chatbot.retry, retry, [chatbot]),
                (chatbot.edit, edit, [chatbot]),
            )
        ]
        settings = [target, passages, max_tokens, temperature, system, samples]
        answering = [
            event.then(
                respond,
                [chatbot, *settings],
                [chatbot, sources, figures],
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
        wipe.click(clear, None, [chatbot, sources, figures], queue=False, **private)
        drop.upload(upload, drop, [drop, documents, samples], concurrency_limit=2, concurrency_id="upload", **private)
        documents.delete(remove, None, documents, **private)
        blocks.load(warm, None, None, **private)
        blocks.load(survey, target, [target, unavailable], **private)
        blocks.unload(leave)
        gr.api(ask, api_name="ask")
    return blocks.queue(max_size=64)


REMOVE_JS = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove]");
  if (button) trigger("delete", {document: button.dataset.remove});
});
"""

try:
    demo = page()
except NotConfigured as error:
    raise SystemExit(f"error: {error.message}\n  {error.remedy}") from error

if __name__ == "__main__":
    demo.launch(
        server_name=OPTIONS.host,
        server_port=OPTIONS.port,
        share=OPTIONS.share or None,
        theme=theme(),
        css=CSS,
        head=HEAD,
        max_file_size=f"{MAX_FILE_MB}mb",
        run_history=False,
        footer_links=["gradio"],
        ssr_mode=False,
    )
