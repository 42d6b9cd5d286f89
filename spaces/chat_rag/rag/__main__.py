"""Command line of the chat: `python -m rag ask`, `python -m rag search` and `python -m rag read`.

They read, find and answer as the page does. Exit status: 0 for success, 1 for a failure (message and remedy on
stderr), 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends import Catalog
from backends.http.connections import close_connections
from backends.terminal import exit_status
from rag import read_command
from rag.answering.answer import Rag
from rag.answering.api import answer_json
from rag.answering.retrieve import retrieve_characters
from rag.answering.types import AnswerOptions
from rag.documents import Passage
from rag.errors import RagError
from rag.library.library import Library
from rag.library.quota import UNLIMITED
from rag.read_command import FILES, command_line_sources
from rag.search.embedders import Embedder


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = _parser().parse_args(argv)
    return exit_status(lambda: arguments.command(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rag", description="Ask questions about documents without a page.")
    commands = parser.add_subparsers(required=True, metavar="ask | search | read")
    _add_ask(commands.add_parser("ask", help="answer one question about some files"))
    _add_search(commands.add_parser("search", help="write the best passages for many questions"))
    read_command.add_arguments(commands.add_parser("read", help="print what is read of some files"))
    return parser


def _add_ask(parser: argparse.ArgumentParser) -> None:
    defaults = AnswerOptions()
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=FILES)
    parser.add_argument("-q", "--question", required=True)
    parser.add_argument("--backend", metavar="NAME", help="the target (default: the first one of the catalogue)")
    parser.add_argument("--catalog", metavar="PATH", help="a catalogue other than the built-in one")
    parser.add_argument("--passages", type=int, default=defaults.passages, help="passages for the model (%(default)s)")
    parser.add_argument("--max-tokens", type=int, default=defaults.max_tokens, help="length limit (%(default)s tokens)")
    parser.add_argument("--temperature", type=float, default=defaults.temperature, help="(%(default)s)")
    parser.add_argument(
        "--allow-without", action="store_true", help="answer from general knowledge if the documents don't"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(command=_ask)


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=FILES)
    parser.add_argument("--questions", required=True, type=Path, help='JSONL file of {"id", "question"}')
    parser.add_argument(
        "--limit-chars", type=int, default=6000, help="characters of passages per question (%(default)s)"
    )
    parser.add_argument("--out", required=True, type=Path, help="the JSONL file of passages to write")
    parser.set_defaults(command=_search)


def _ask(arguments: argparse.Namespace) -> int:
    reply = asyncio.run(_answer(arguments))
    if arguments.json:
        print(json.dumps(reply, ensure_ascii=False))
    else:
        _print_sources(reply)
    return 0


async def _answer(arguments: argparse.Namespace) -> dict[str, Any]:
    catalog = Catalog.load(arguments.catalog)
    backend = catalog.connect(arguments.backend or catalog.default)
    embedder = Embedder()
    library = await asyncio.to_thread(_read, arguments.files, embedder)
    options = AnswerOptions(
        arguments.passages,
        arguments.max_tokens,
        arguments.temperature,
        general_knowledge=arguments.allow_without,
    )
    on_text = None if arguments.json else functools.partial(print, end="", flush=True)
    try:
        return await answer_json(
            Rag(embedder, [library]), arguments.question, backend, options=options, on_text=on_text
        )
    finally:
        library.close()
        await close_connections()


def _print_sources(reply: dict[str, Any]) -> None:
    print()
    if reply["nearest"]:
        print(f"Nearest passages ({reply['reason']}):")
    for passage in reply["citations"] or reply["nearest"]:
        page = f", page {passage['page']}" if passage["page"] else ""
        print(f"[{passage['number']}] {passage['document']}{page}, characters {passage['start']} to {passage['end']}")


def _search(arguments: argparse.Namespace) -> int:
    questions = _questions(arguments.questions)
    embedder = Embedder()
    library = _read(arguments.files, embedder)
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


def _questions(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RagError(f"Can't read the questions in {path}: {error}.", "Pass a JSONL file in UTF-8.") from error
    questions = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question = json.loads(line)
            questions.append({"id": question["id"], "question": str(question["question"])})
        except (ValueError, KeyError, TypeError) as error:
            raise RagError(
                f"Line {number} of {path} isn't a question ({error!r}).", 'Write {"id": 1, "question": "…"}.'
            ) from error
    return questions


def _read(files: Sequence[Path], embedder: Embedder) -> Library:
    library = Library(embedder, quota=UNLIMITED)
    for source in command_line_sources(files):
        summary = library.add(source.path, name=source.name, folder=source.folder).summary
        print(f"{summary.name}: {summary.characters:,} characters, {summary.chunks:,} chunks", file=sys.stderr)
    return library


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
