"""`python -m rag ask`: answers one question, or a file of questions, about some files."""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends import Backend, Catalog, SpaceportError
from backends.http.connections import close_connections
from rag.answering.abstention.strings import UNSURE
from rag.answering.answer import Rag
from rag.answering.api import answer_json
from rag.answering.options import AnswerOptions
from rag.commands.read import command_line_sources, location
from rag.errors import DocumentError, RagError
from rag.json_lines import read_json_lines
from rag.library.library import Library
from rag.library.quota import UNLIMITED
from rag.reading.web.fetch import is_url
from rag.search.embedding.embedders import Embedder

# What a question that failed has in its line, so that readers of the file find the fields of each other line.
NO_ANSWER: dict[str, Any] = {
    "abstained": True, "unsure": False, "answer": "", "quotes": [], "sentences": [], "citations": [], "nearest": [],
    "timings": {},
}  # fmt: skip


def read_files(files: Sequence[str], embedder: Embedder) -> Library:
    """Read files, and those of folders and archives, into a library without limits."""
    named = [location(file) for file in files]
    library = Library(embedder, quota=UNLIMITED)
    for source in command_line_sources(files):
        try:
            summary = library.add(source.path, name=source.name, folder=source.folder).summary
        except DocumentError as error:
            if source.path in named or is_url(source.folder):
                raise
            print(f"{source.full_name}: not read ({error.message.rstrip('.')})", file=sys.stderr)
            continue
        print(f"{summary.name}: {summary.characters:,} characters, {summary.chunks:,} chunks", file=sys.stderr)
    return library


def read_questions(path: Path) -> list[dict[str, Any]]:
    """Return the questions of a JSONL file, each with `id` and `question`."""
    remedy, questions = 'Write {"id": 1, "question": "…"}.', []
    for number, line in read_json_lines(path, remedy):
        if missing := {"id", "question"} - line.keys():
            raise RagError(f"Line {number} of {path} has no {' and no '.join(sorted(missing))}.", remedy)
        questions.append({"id": line["id"], "question": str(line["question"])})
    return questions


def run(arguments: argparse.Namespace) -> int:
    """Answer, and return the exit status."""
    if (arguments.questions is None) != (arguments.out is None):
        raise RagError("--questions and --out belong together.", "Pass both, or one question with -q.")
    return asyncio.run(_answer(arguments))


async def _answer(arguments: argparse.Namespace) -> int:
    questions = read_questions(arguments.questions) if arguments.questions else []
    catalog = Catalog.load(arguments.catalog)
    name = arguments.backend or catalog.default
    backend, embedder = catalog.connect(name), Embedder()
    library = await asyncio.to_thread(read_files, arguments.files, embedder)
    options = AnswerOptions(
        arguments.passages,
        arguments.max_tokens,
        arguments.temperature,
        general_knowledge=arguments.allow_without,
        writes=arguments.writes or catalog.writes(name),
    )
    rag = Rag(embedder, [library])
    try:
        if arguments.questions:
            return await _answer_all(questions, rag, backend, options, arguments.out)
        on_text = None if arguments.json else functools.partial(print, end="", flush=True)
        reply = await answer_json(rag, arguments.question, backend, options=options, on_text=on_text)
    finally:
        library.close()
        await close_connections()
    if arguments.json:
        print(json.dumps(reply, ensure_ascii=False))
    else:
        _print_sources(reply)
    return 0


async def _answer_all(
    questions: Sequence[dict[str, Any]], rag: Rag, backend: Backend, options: AnswerOptions, out: Path
) -> int:
    """Write a line for each question; one that fails has an `error` and no answer. Return 1 if any failed."""
    failures = 0
    with out.open("w", encoding="utf-8") as file:
        for question in questions:
            try:
                line = question | await answer_json(rag, question["question"], backend, options=options)
            except SpaceportError as error:
                failures += 1
                line = question | NO_ANSWER | {"reason": str(error), "error": str(error)}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
    if failures:
        print(f"{failures:,} of {len(questions):,} questions failed; their lines have an error.", file=sys.stderr)
    return 1 if failures else 0


def _print_sources(reply: dict[str, Any]) -> None:
    if reply["answer"]:
        print()
    if reply["nearest"]:
        print(f"Nearest passages ({reply['reason']}):")
    if reply["unsure"]:
        print(UNSURE)
    for quote in [] if reply["abstained"] else reply["quotes"]:
        page = f", page {quote['page']}" if quote["page"] else ""
        labels = f"{' · '.join(quote['labels'])}: " if quote["labels"] else ""
        print(f"“{labels}{' '.join(quote['text'].split())}” ({quote['document']}{page})")
    for passage in reply["citations"] or reply["nearest"]:
        page = f", page {passage['page']}" if passage["page"] else ""
        print(f"[{passage['number']}] {passage['document']}{page}, characters {passage['start']} to {passage['end']}")
