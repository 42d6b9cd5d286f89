"""Answers as JSON, for programs and the command line; nothing is stored between two calls."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from backends import Backend, Delta, Message, Stopwatch, Usage
from backends.stopwatch import now
from rag.answering.abstention.strings import NOT_FROM_DOCUMENTS, REFUSAL, abstention_reason
from rag.answering.answer import Rag
from rag.answering.options import AnswerOptions
from rag.answering.types import AnswerEnd, Retrieval, Sentence, passage_json, sentence_json
from rag.documents import Limits
from rag.errors import Cancelled
from rag.library.library import Library
from rag.library.progress import Step
from rag.reading.file_names import display_name
from rag.reading.parse import SUFFIXES
from rag.search.embedding.embedders import Embedder
from rag.threads import READING


async def answer_from_files(
    question: str,
    backend: Backend,
    embedder: Embedder,
    *,
    files: Sequence[Path] = (),
    texts: Mapping[str, str] | None = None,
    libraries: Sequence[Library] = (),
    options: AnswerOptions | None = None,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """Answer from files, texts by name, and libraries such as the samples; return JSON like `answer_json`.

    The files and texts are read for this call and dropped after it. Raises `RagError` and `BackendError`.
    """
    async with temporary_library(embedder, files=files, texts=texts, limits=limits) as library:
        return await answer_json(Rag(embedder, [library, *libraries]), question, backend, options=options)


@asynccontextmanager
async def temporary_library(
    embedder: Embedder,
    *,
    files: Sequence[Path] = (),
    texts: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> AsyncIterator[Library]:
    """Read files, and texts by name, into a library that exists until the end of the block.

    If the call is cancelled, the reading stops at its next report and leaves no file.
    """
    library, stopped = Library(embedder, limits=limits), threading.Event()
    reading = asyncio.ensure_future(READING.run(_read, library, files, texts or {}, stopped))
    try:
        await asyncio.shield(reading)
        yield library
    finally:
        stopped.set()
        await asyncio.wait([reading])  # until then the place of the call isn't free
        reading.exception()  # of a cancelled call, nobody else asks for it
        await READING.run(library.close)


async def answer_json(
    rag: Rag,
    question: str,
    backend: Backend,
    *,
    history: Sequence[Message] = (),
    options: AnswerOptions | None = None,
    on_text: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Return an answer as one JSON object; `on_text` gets its text while it streams.

    `quotes` are the words of the documents that answer (see `Quote`), or if the documents don't answer the nearest
    ones; `unsure` ones may well not answer. `citations` and, if the documents don't answer, `nearest`
    are passages with `document`, `page`, `start`, `end` (characters of the extracted text) and `passage`, the text
    between them. `sentences` has each sentence of the answer that claims something, and whether the documents support
    it.
    """
    options, stopwatch, start = options or AnswerOptions(), Stopwatch(), now()
    retrieval: Retrieval | None = None
    sentences: list[Sentence] = []
    answer, thought, end, first_token_seconds = "", "", None, None
    async for event in rag.answer(question, backend, history=history, options=options, stopwatch=stopwatch):
        text = ""
        if isinstance(event, Delta) and first_token_seconds is None:
            first_token_seconds = now() - start
        if isinstance(event, Delta) and event.kind == "thought":
            thought += event.text
        elif isinstance(event, Delta):
            text = event.text
        elif isinstance(event, Retrieval):
            if event.abstention and not retrieval:
                text = f"{NOT_FROM_DOCUMENTS}\n\n" if options.general_knowledge else REFUSAL
            retrieval = event
        elif isinstance(event, Sentence):
            sentences.append(event)
        elif isinstance(event, AnswerEnd):
            end = event
        answer += text
        if on_text and text:
            on_text(text)
    assert end is not None  # noqa: S101  # an answer ends with `AnswerEnd` or raises
    retrieval = retrieval or Retrieval(())
    timings = {
        "quotes_ms": _milliseconds(retrieval.seconds),
        "first_token_ms": _milliseconds(first_token_seconds),
        "total_ms": _milliseconds(now() - start),
    }
    verdicts = [sentence_json(sentence, answer) for sentence in sentences]
    texts = {"question": question, "answer": answer, "thought": thought, "sentences": verdicts}
    return texts | _retrieval_json(retrieval) | _end_json(end, retrieval) | {"timings": stopwatch.timings() | timings}


def describe_usage(usage: Usage | None, context_window: int | None) -> str:
    """Return the sent tokens as one phrase, such as "1,234 of 4,096 tokens sent (30%)"; empty without usage."""
    if usage is None:
        return ""
    if not context_window:
        return f"{usage.input_tokens:,} tokens sent"
    return f"{usage.input_tokens:,} of {context_window:,} tokens sent ({usage.input_tokens / context_window:.0%})"


def _retrieval_json(retrieval: Retrieval) -> dict[str, Any]:
    abstention = retrieval.abstention
    return {
        "searched": retrieval.query,
        "abstained": abstention is not None,
        "unsure": retrieval.unsure,
        "reason": abstention_reason(abstention) if abstention else None,
        "quotes": [quote.as_json() for quote in retrieval.quotes],
        "nearest": [passage_json(passage) for passage in retrieval.passages] if abstention else [],
        "left_out": retrieval.omitted_passages,
    }


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 1)


def _end_json(end: AnswerEnd, retrieval: Retrieval) -> dict[str, Any]:
    usage = end.done.usage
    return {
        "citations": [citation.as_json() for citation in end.citations],
        "usage": asdict(usage) if usage else None,
        "context": retrieval.context_window,
        "sent": describe_usage(usage, retrieval.context_window),
    }


def _read(library: Library, files: Sequence[Path], texts: Mapping[str, str], stopped: threading.Event) -> None:
    def report(step: Step, share: float) -> None:
        if stopped.is_set():
            raise Cancelled("The call was stopped.")

    for file in files:
        library.add(file, report=report)
    for name, text in texts.items():
        with _temporary_file(name, text) as path:
            library.add(path, name=path.name, report=report)


@contextmanager
def _temporary_file(name: str, text: str) -> Iterator[Path]:
    """Yield the path of a temporary file with `text`; a name without a known suffix becomes plain text."""
    safe_name = display_name(name)
    suffix = Path(safe_name).suffix.lower()
    with TemporaryDirectory(prefix="rag-") as folder:
        path = Path(folder, safe_name if suffix in SUFFIXES else f"{safe_name}.txt")
        path.write_text(text, encoding="utf-8")
        yield path
