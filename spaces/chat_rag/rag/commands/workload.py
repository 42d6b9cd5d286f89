"""`python -m rag workload`: what every target of a comparison gets asked about the same documents."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from typing import Any

from rag.answering.options import AnswerOptions
from rag.commands.ask import read_files
from rag.json_lines import write_json_lines
from rag.library.built.shared_library import BuiltLibrary
from rag.library.library import Library
from rag.scoring.questions import read_gold_questions
from rag.scoring.workload import check_documents, workload_lines
from rag.scoring.workload_documents import write_documents
from rag.search.embedding.embedders import Embedder

_REPORT_SECONDS = 5.0


def run(arguments: argparse.Namespace) -> int:
    """Write a line for each question, and return the exit status."""
    questions = read_gold_questions(arguments.questions)
    embedder = Embedder()
    options = AnswerOptions(passages=arguments.passages, max_tokens=arguments.max_tokens)
    library = _open_library(arguments, embedder)
    try:
        check_documents(questions, library)
        lines = workload_lines(questions, library, embedder, options, arguments.context_window)
        document_ids: set[str] = set()
        write_json_lines(arguments.out, with_progress(_collect_documents(lines, document_ids), len(questions)))
        write_documents(arguments.out, (document for document in library.documents if document.id in document_ids))
    finally:
        library.close()
    return 0


def _open_library(arguments: argparse.Namespace, embedder: Embedder) -> Library:
    if arguments.library:
        return BuiltLibrary(arguments.library, embedder)
    return read_files(arguments.documents, embedder)


def _collect_documents(lines: Iterator[Any], document_ids: set[str]) -> Iterator[Any]:
    """Yield the lines, and add the ids of the documents of their passages to `document_ids`."""
    for line in lines:
        document_ids.update(passage["document"] for passage in line["question"]["passages"])
        yield line


def with_progress(lines: Iterator[Any], count: int, *, seconds: float = _REPORT_SECONDS) -> Iterator[Any]:
    """Yield the lines, and say on stderr every few seconds how many there are, and how long the others will take."""
    started = reported = time.monotonic()
    for number, line in enumerate(lines, start=1):
        yield line
        now = time.monotonic()
        if number == count:
            print(f"{number:,} question{'s' * (number > 1)}", file=sys.stderr)
        elif now - reported >= seconds:
            reported = now
            minutes = (now - started) / number * (count - number) / 60
            print(f"{number:,} of {count:,} questions, {minutes:,.0f} minutes left", file=sys.stderr)
