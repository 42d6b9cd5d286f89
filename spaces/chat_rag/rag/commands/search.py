"""`python -m rag search`: the best passages for the questions of a file."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rag.answering.retrieve import retrieve_characters
from rag.commands.ask import read_files, read_questions
from rag.documents import Passage
from rag.search.embedding.embedders import Embedder


def run(arguments: argparse.Namespace) -> int:
    """Write the passages for each question, and return the exit status."""
    questions = read_questions(arguments.questions)
    embedder = Embedder()
    library = read_files(arguments.files, embedder)
    limit = arguments.limit_chars
    try:
        with arguments.out.open("w", encoding="utf-8") as out:
            for question in questions:
                passages = retrieve_characters([library], question["question"], embedder, limit_chars=limit)
                line = {"id": question["id"], "passages": [_span(passage) for passage in passages]}
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
    finally:
        library.close()
    return 0


def _span(passage: Passage) -> dict[str, Any]:
    return {
        "document": passage.document,
        "page": passage.page,
        "start": passage.start,
        "end": passage.end,
        "score": passage.score,
    }
