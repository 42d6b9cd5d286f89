"""python -m rag ask | search: the same answers and passages as the page, headless.

Exit status: 0 good, 1 failed (message and remedy on stderr), 2 wrong use.
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
from backends.http import client as http
from backends.terminal import exit_status
from rag.answering.answer import Options, Rag
from rag.answering.api import as_json
from rag.answering.retrieve import retrieve_characters
from rag.documents import Passage
from rag.errors import RagError
from rag.library.library import Library
from rag.library.quota import UNLIMITED
from rag.search.embedders import Embedder


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status."""
    options = _parser().parse_args(arguments)
    return exit_status(lambda: options.command(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rag", description="Questions to documents, without a page.")
    commands = parser.add_subparsers(required=True, metavar="ask | search")
    defaults = Options()
    ask = commands.add_parser("ask", help="answer one question over some files")
    ask.add_argument("files", nargs="+", type=Path, metavar="FILE")
    ask.add_argument("-q", "--question", required=True)
    ask.add_argument("--backend", metavar="NAME", help="the target (the first of the catalogue)")
    ask.add_argument("--catalog", metavar="PATH", help="another catalogue than the built-in one")
    ask.add_argument("--passages", type=int, default=defaults.passages)
    ask.add_argument("--max-tokens", type=int, default=defaults.max_tokens)
    ask.add_argument("--temperature", type=float, default=defaults.temperature)
    ask.add_argument(
        "--allow-without", action="store_true", help="let the model answer by itself where the documents do not"
    )
    ask.add_argument("--json", action="store_true", help="print one JSON object instead")
    ask.set_defaults(command=_ask)
    search = commands.add_parser("search", help="the passages that would be sent, for many questions")
    search.add_argument("files", nargs="+", type=Path, metavar="FILE")
    search.add_argument("--questions", required=True, type=Path, help='JSONL of {"id", "question"}')
    search.add_argument("--limit-chars", type=int, default=6000, help="characters of passages a question (6000)")
    search.add_argument("--out", required=True, type=Path, help="where the JSONL of passages goes")
    search.set_defaults(command=_search)
    return parser


def _ask(options: argparse.Namespace) -> int:
    return asyncio.run(_answer(options))


async def _answer(options: argparse.Namespace) -> int:
    catalog = Catalog.load(options.catalog)
    backend = catalog.connect(options.backend or catalog.default)
    embedder = Embedder()
    library = await asyncio.to_thread(_read, options.files, embedder)
    chosen = Options(options.passages, options.max_tokens, options.temperature, without=options.allow_without)
    tell = None if options.json else functools.partial(print, end="", flush=True)
    try:
        told = await as_json(Rag(embedder, [library]), options.question, backend, options=chosen, tell=tell)
    finally:
        library.close()
        await http.aclose()
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
        return 0
    print()
    if told["nearest"]:
        print(f"Nearest passages ({told['reason']}):")
    for passage in told["citations"] or told["nearest"]:
        page = f", page {passage['page']}" if passage["page"] else ""
        print(f"[{passage['number']}] {passage['document']}{page}, characters {passage['start']} to {passage['end']}")
    return 0


def _search(options: argparse.Namespace) -> int:
    questions = _questions(options.questions)
    embedder = Embedder()
    library = _read(options.files, embedder)
    try:
        with options.out.open("w", encoding="utf-8") as out:
            for question in questions:
                found = retrieve_characters([library], question["question"], embedder, limit_chars=options.limit_chars)
                line = {"id": question["id"], "passages": [_span(passage) for passage in found]}
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
    finally:
        library.close()
    return 0


def _questions(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RagError(f"The questions {path} cannot be read: {error}.", "Give a JSONL file in UTF-8.") from error
    questions = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question = json.loads(line)
            questions.append({"id": question["id"], "question": str(question["question"])})
        except (ValueError, KeyError, TypeError) as error:
            raise RagError(
                f"Line {number} of {path} is no question ({error!r}).", 'Write {"id": 1, "question": "…"}.'
            ) from error
    return questions


def _read(files: Sequence[Path], embedder: Embedder) -> Library:
    library = Library(embedder, quota=UNLIMITED)
    for file in files:
        print(library.add(file).summary, file=sys.stderr)
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
