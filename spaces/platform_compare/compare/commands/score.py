"""The command `python -m compare score RUN --workload FILE`, which scores the answers of a stored run again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from compare import run_file
from compare.errors import RunError
from compare.measure.workload import MAX_QUESTIONS_BYTES, load
from compare.quality_commands import add_scores


def add_score_command(commands: Any) -> None:
    """Add `score` to the commands of `python -m compare`."""
    text = "score the answers of a stored run again, such as one whose scores failed"
    score = commands.add_parser("score", help=text, description=text)
    score.add_argument("run", type=Path, help="a file that `run --out` wrote")
    score.add_argument(
        "--workload", type=Path, required=True, metavar="FILE", help="what it asked, from python -m rag workload"
    )
    score.set_defaults(command=_score)


def _score(options: argparse.Namespace) -> int:
    run, workload = run_file.read(options.run), load(options.workload, MAX_QUESTIONS_BYTES)
    if not any(record.answer for record in run.records):
        raise RunError(f"{options.run.name} has no answers to score.", "Measure a workload with questions.")
    if workload.hash != run.header["workload"]["hash"]:
        raise RunError(f"{options.run.name} asked something else than {options.workload.name}.", "Pass its workload.")
    add_scores(options.run, options.workload)
    scores = run_file.read(options.run).scores
    print(f"{len(scores):,} answers are scored. For a report: python -m compare report {options.run}")
    return 0
