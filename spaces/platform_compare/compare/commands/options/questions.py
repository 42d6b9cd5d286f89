"""The options of `python -m compare run` for questions over documents, and the workload that they make."""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from compare.commands.options.workloads import chosen_workload, shape_settings
from compare.errors import PlanError
from compare.measure.measurement import Progress
from compare.measure.workloads.find_workload import find_workload
from compare.measure.workloads.workload import MAX_QUESTIONS_BYTES, Workload
from compare.quality_commands import make_workload
from compare.rag_process import check_rag

PREPARING, SCORING = "Reading the documents, and looking up passages for the questions", "Scoring the answers"
EXAMPLE = "Use --questions questions.jsonl --documents FOLDER, or --library LIBRARY."


def add_question_options(run: argparse.ArgumentParser) -> None:
    """Add `--questions` with its documents to the command."""
    run.add_argument("--questions", type=Path, metavar="FILE", help="JSONL of questions, perhaps with right answers")
    source = run.add_mutually_exclusive_group()
    source.add_argument("--documents", nargs="+", default=[], metavar="PATH", help="files or folders for --questions")
    source.add_argument("--library", metavar="PATH", help="a library for --questions, from python -m rag build")


@contextmanager
def prepare_workload(
    options: argparse.Namespace, show: Callable[[Progress], None], *, scored: bool = True
) -> Iterator[tuple[Workload, Path]]:
    """Yield the workload and its file, which the score of the answers needs too; `show` gets the progress."""
    sources = ["--library", options.library] if options.library else ["--documents", *options.documents]
    if options.questions is None:
        if len(sources) > 1:
            raise PlanError("--documents and --library need --questions.", EXAMPLE)
        workload = chosen_workload(options)
        if workload.questions and scored:
            check_rag()
        yield workload, Path(options.workload or workload.name)
        return
    if options.workload is not None or shape_settings(options):
        raise PlanError("A run has either questions or a workload.", "Leave out --questions or --workload.")
    if len(sources) == 1:
        raise PlanError("The questions have no documents.", EXAMPLE)
    with tempfile.TemporaryDirectory(prefix="spaceport-questions-") as folder:
        show(Progress.step(PREPARING))
        workload_path = Path(folder) / options.questions.name
        make_workload(
            options.questions, sources, workload_path, say=lambda note: show(Progress.step(f"{PREPARING}: {note}"))
        )
        yield find_workload(str(workload_path), MAX_QUESTIONS_BYTES), workload_path


def scoring_progress(show: Callable[[Progress], None]) -> Callable[[int, int], None]:
    """Return what shows how many answers are scored."""
    return lambda done, total: show(Progress.step(SCORING, done, total, "answers"))


def default_requests(workload: Workload, usual: int) -> int:
    """Return how many requests to send: the usual number, or so many more that each question is asked equally often."""
    questions = len(workload.questions)
    return math.ceil(usual / questions) * questions if questions else usual
