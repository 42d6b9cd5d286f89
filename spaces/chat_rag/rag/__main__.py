"""Command line of the chat: `python -m rag ask`, `verify`, `search`, `workload`, `score`, `read`, `build`, `inspect`.

They read, find, answer and check as the page does. Exit status: 0 for success, 1 for a failure (message and remedy on
stderr), 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from backends import telemetry
from backends.commands.terminal import exit_status
from rag.answering.options import PASSAGE_CHARACTERS, AnswerOptions

FILES = "a file, a folder, a ZIP archive of documents, or the address of a web page"
GOLD_QUESTIONS = 'JSONL file of {"question", "answers" or "answerable": false}'
QUESTIONS = 'JSONL file of {"id", "question"}'


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = _parser().parse_args(argv)

    def run() -> int:
        telemetry.configure("spaceport-rag")
        # The module of a command is imported only when it runs: that takes a second, and --help has no use for it.
        status: int = importlib.import_module(f"rag.commands.{arguments.command}").run(arguments)
        return status

    return exit_status(run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rag", description="Ask questions about documents without a page.")
    commands = parser.add_subparsers(
        required=True, metavar="ask | verify | search | workload | score | read | build | inspect", dest="command"
    )
    _add_ask(commands.add_parser("ask", help="answer questions about some files"))
    verify = commands.add_parser("verify", help="check answers in JSON against their documents")
    verify.add_argument("answers", type=Path, metavar="ANSWER", help="JSON of ask, its --out file, or a downloaded one")
    _add_files(verify)
    _add_search(commands.add_parser("search", help="write the best passages for many questions"))
    _add_workload(commands.add_parser("workload", help="write what a comparison asks all targets"))
    score = commands.add_parser("score", help="say of each answer on stdin whether it is right")
    score.add_argument("--workload", required=True, type=Path, metavar="FILE", help="the file that workload wrote")
    read = commands.add_parser("read", help="print what is read of some files")
    _add_files(read)
    read.add_argument("--json", action="store_true", help="print one JSON object a file")
    _add_build(commands.add_parser("build", help="build a library that the page loads"))
    inspect = commands.add_parser("inspect", help="say what is in a library, and check its files")
    inspect.add_argument("library", type=Path, metavar="LIBRARY", help="the folder that build wrote")
    inspect.add_argument("--json", action="store_true", help="print the manifest as one JSON object")
    return parser


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the documents")
    parser.add_argument("--out", required=True, type=Path, metavar="LIBRARY", help="the folder to write")
    parser.add_argument("--name", help="what the page calls it (default: the name of FOLDER)")
    parser.add_argument(
        "--workers",
        type=_workers,
        default=2,
        metavar="N|ray",
        help="files that are read at once (%(default)s); ray: on Ray, on this machine or on the cluster RAY_ADDRESS",
    )
    parser.add_argument(
        "--originals", action="store_true", help="with the files themselves, so that the page shows their pages"
    )


def _workers(text: str) -> int | str:
    if text == "ray":
        return text
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help=FILES)


def _add_ask(parser: argparse.ArgumentParser) -> None:
    defaults = AnswerOptions()
    _add_files(parser)
    question = parser.add_mutually_exclusive_group(required=True)
    question.add_argument("-q", "--question")
    question.add_argument("--questions", type=Path, help=f"{QUESTIONS}; needs --out")
    parser.add_argument("--out", type=Path, help="the JSONL file of answers to write")
    parser.add_argument("--backend", metavar="NAME", help="the target (default: the first one of the catalogue)")
    parser.add_argument("--catalog", metavar="PATH", help="a catalogue other than the built-in one")
    parser.add_argument(
        "--writes", choices=("answer", "quotes"), help="quotes alone, or an answer below them (default: the target's)"
    )
    parser.add_argument("--passages", type=int, default=defaults.passages, help="passages for the model (%(default)s)")
    parser.add_argument("--max-tokens", type=int, default=defaults.max_tokens, help="length limit (%(default)s tokens)")
    parser.add_argument("--temperature", type=float, default=defaults.temperature, help="(%(default)s)")
    parser.add_argument(
        "--allow-without", action="store_true", help="answer from general knowledge if the documents don't"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_search(parser: argparse.ArgumentParser) -> None:
    _add_files(parser)
    parser.add_argument("--questions", required=True, type=Path, help=QUESTIONS)
    parser.add_argument(
        "--limit-chars", type=int, default=PASSAGE_CHARACTERS, help="characters of passages per question (%(default)s)"
    )
    parser.add_argument("--out", required=True, type=Path, help="the JSONL file of passages to write")


def _add_workload(parser: argparse.ArgumentParser) -> None:
    defaults = AnswerOptions()
    parser.add_argument("--questions", required=True, type=Path, help=GOLD_QUESTIONS)
    documents = parser.add_mutually_exclusive_group(required=True)
    documents.add_argument("--documents", nargs="+", metavar="FILE", help=FILES)
    documents.add_argument("--library", type=Path, metavar="LIBRARY", help="the folder that build wrote")
    parser.add_argument("--out", required=True, type=Path, help="the JSONL file of requests to write")
    parser.add_argument("--passages", type=int, default=defaults.passages, help="passages for the model (%(default)s)")
    parser.add_argument("--max-tokens", type=int, default=defaults.max_tokens, help="length limit (%(default)s tokens)")
    parser.add_argument(
        "--context-window",
        type=int,
        default=4096,
        metavar="TOKENS",
        help="the smallest context window of all targets (%(default)s): they get the same passages",
    )


if __name__ == "__main__":
    sys.exit(main())
