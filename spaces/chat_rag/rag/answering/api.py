"""One answer over given documents, for programs: nothing is kept between two calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from backends import Backend, Delta, Message, Stopwatch
from rag.answering import budget
from rag.answering.answer import Finished, Found, Options, Rag, passage_json
from rag.documents import Limits
from rag.library.library import Library
from rag.reading.parse import SUFFIXES, display_name
from rag.search.embedders import Embedder

Tell = Callable[[str], None]


async def answer_over(
    question: str,
    backend: Backend,
    embedder: Embedder,
    *,
    files: Sequence[Path] = (),
    texts: Mapping[str, str] | None = None,
    libraries: Sequence[Library] = (),
    options: Options | None = None,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """One answer as JSON (see `as_json`), over files, texts by their names, and libraries such as the samples.

    Files and texts are read for this call and forgotten after it. `RagError` and `BackendError` are raised.
    """
    library = Library(embedder, limits=limits)
    try:
        await asyncio.to_thread(_read, library, files, texts or {})
        return await as_json(Rag(embedder, [library, *libraries]), question, backend, options=options)
    finally:
        await asyncio.to_thread(library.close)


async def as_json(
    rag: Rag,
    question: str,
    backend: Backend,
    *,
    history: Sequence[Message] = (),
    options: Options | None = None,
    tell: Tell | None = None,
) -> dict[str, Any]:
    """An answer as one JSON object; `tell` is called with its text as it comes.

    `citations` and, where the documents do not answer, `nearest` are passages with `document`, `page`, `start`, `end`
    (characters of the extracted text) and `passage`, the text between them.
    """
    watch, texts = Stopwatch(), {"answer": "", "thought": ""}
    found, end = Found(()), None
    async for event in rag.answer(question, backend, history=history, options=options, watch=watch):
        if isinstance(event, Delta):
            texts[event.kind] += event.text
            if tell and event.kind == "answer":
                tell(event.text)
        elif isinstance(event, Found):
            found = event
        else:
            end = event
    assert end is not None  # noqa: S101  # the promise of a stream: it ends with Finished or raises
    return {**texts, **_found(found), **_end(end, found), "timings": watch.timings()}


def _found(found: Found) -> dict[str, Any]:
    return {
        "searched": found.searched,
        "abstained": found.abstained is not None,
        "reason": found.abstained.reason if found.abstained else None,
        "nearest": [passage_json(passage) for passage in found.passages] if found.abstained else [],
        "left_out": found.left_out,
    }


def _end(end: Finished, found: Found) -> dict[str, Any]:
    usage = end.done.usage
    return {
        "citations": [citation.as_json() for citation in end.citations],
        "usage": asdict(usage) if usage else None,
        "context": found.context if found.context_known else None,
        "sent": budget.sent(usage, found.context if found.context_known else None),
    }


def _read(library: Library, files: Sequence[Path], texts: Mapping[str, str]) -> None:
    for file in files:
        library.add(file)
    for name, text in texts.items():
        with _written(name, text) as path:
            library.add(path, name=path.name)


@contextmanager
def _written(name: str, text: str) -> Iterator[Path]:
    """A text as a file for as long as it is read; without a suffix it is plain text."""
    shown = display_name(name)
    suffix = Path(shown).suffix.lower()
    with TemporaryDirectory(prefix="rag-") as folder:
        path = Path(folder, shown if suffix in SUFFIXES else f"{shown}.txt")
        path.write_text(text, encoding="utf-8")
        yield path
