"""The command `python -m compare score RUN`: marks the answers of a stored run again, or asks a judge about them."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from backends import Catalog
from backends.http.connections import close_connections
from compare.errors import CompareError, RunError
from compare.judging.judge import Judge, check_judge, errors_of
from compare.judging.question import RUBRIC, sources_text
from compare.measure.workloads.workload import MAX_QUESTIONS_BYTES, Workload, load
from compare.quality_commands import add_scores
from compare.runs import run_file
from compare.runs.records import Judgment, Run

MAX_RUBRIC_CHARACTERS = 5000


def add_score_command(commands: Any) -> None:
    """Add `score` to the commands of `python -m compare`."""
    text = "score the answers of a stored run again, such as one whose scores failed, or ask a judge about them"
    score = commands.add_parser("score", help=text, description=text)
    score.add_argument("run", type=Path, help="a file that `run --out` wrote")
    score.add_argument("--workload", type=Path, metavar="FILE", help="what it asked, from python -m rag workload")
    score.add_argument("--judge", metavar="TARGET", help="a target that compares the answers of each two targets")
    score.add_argument("--catalog", metavar="PATH", help="a catalogue other than the built-in one, for --judge")
    score.add_argument("--rubric", type=Path, metavar="FILE", help="a text with what the judge looks for")
    score.add_argument("--judge-may-be-target", action="store_true", help="let a target judge its own answers")
    score.set_defaults(command=_score)


def _score(options: argparse.Namespace) -> int:
    run = run_file.read(options.run)
    if not any(record.answer for record in run.records):
        raise RunError(f"{options.run.name} has no answers to score.", "Measure a workload with questions.")
    if not (options.judge or options.workload):
        raise CompareError("There is nothing to score with.", "Pass the run's --workload, or a --judge.")
    workload = load(options.workload, MAX_QUESTIONS_BYTES) if options.workload else None
    if workload and workload.hash != run.header["workload"]["hash"]:
        raise RunError(f"{options.run.name} asked something else than {options.workload.name}.", "Pass its workload.")
    if options.judge:
        return _judge(options, run, workload)
    add_scores(options.run, options.workload)
    scores = run_file.read(options.run).scores
    print(f"{len(scores):,} answers are scored. For a report: python -m compare report {options.run}")
    return 0


def _judge(options: argparse.Namespace, run: Run, workload: Workload | None) -> int:
    rubric, catalog = _rubric(options.rubric), Catalog.load(options.catalog)
    check_judge(run, options.judge, "", may_be_target=options.judge_may_be_target)  # before a model is loaded
    sources = {at: sources_text(prompt.messages) for at, prompt in enumerate(workload.prompts)} if workload else {}
    try:
        judgments = asyncio.run(_ask(Judge(options.judge, catalog, rubric), run, sources, options.judge_may_be_target))
    except BaseExceptionGroup as group:
        raise next(errors_of(group)) from None
    run_file.append(judgments, options.run)
    print(f"{len(judgments):,} pairs of answers are judged. For a report: python -m compare report {options.run}")
    return 0


async def _ask(judge: Judge, run: Run, sources: dict[int, str], may_be_target: bool) -> list[Judgment]:
    try:
        check_judge(run, judge.name, await judge.identify(), may_be_target=may_be_target)
        return await judge.judge(run, sources, _print_progress)
    finally:
        await judge.aclose()
        await close_connections()


def _print_progress(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\r{done:,} of {total:,} pairs judged\033[K", end=end, file=sys.stderr, flush=True)


def _rubric(path: Path | None) -> str:
    if path is None:
        return RUBRIC
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CompareError(f"Can't read {path.name}.", "Pass a text file in UTF-8.") from error
    if not 0 < len(text) <= MAX_RUBRIC_CHARACTERS:
        raise CompareError(
            f"The rubric has {len(text):,} characters.", f"Write at least one, and up to {MAX_RUBRIC_CHARACTERS:,}."
        )
    return text
