"""Command line of the chat: `python -m rag ask`, `verify`, `search` and `read`.

They read, find, answer and check as the page does. Exit status: 0 for success, 1 for a failure (message and remedy on
stderr), 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends.terminal import exit_status
from rag import ask_command, read_command, verify_command
from rag.answering.retrieve import retrieve_characters
from rag.ask_command import read_files, read_questions
from rag.documents import Passage
from rag.read_command import FILES, location
from rag.search.embedders import Embedder


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = _parser().parse_args(argv)
    return exit_status(lambda: arguments.command(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rag", description="Ask questions about documents without a page.")
    commands = parser.add_subparsers(required=True, metavar="ask | verify | search | read")
    ask_command.add_arguments(commands.add_parser("ask", help="answer questions about some files"))
    verify_command.add_arguments(commands.add_parser("verify", help="check answers in JSON against their documents"))
    _add_search(commands.add_parser("search", help="write the best passages for many questions"))
    read_command.add_arguments(commands.add_parser("read", help="print what is read of some files"))
    return parser


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=location, metavar="FILE", help=FILES)
    parser.add_argument("--questions", required=True, type=Path, help='JSONL file of {"id", "question"}')
    parser.add_argument(
        "--limit-chars", type=int, default=6000, help="characters of passages per question (%(default)s)"
    )
    parser.add_argument("--out", required=True, type=Path, help="the JSONL file of passages to write")
    parser.set_defaults(command=_search)


def _search(arguments: argparse.Namespace) -> int:
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


if __name__ == "__main__":
    sys.exit(main())
