"""Questions over documents: `python -m rag` makes their prompts and scores the answers.

What a right answer is, `rag` decides, which this package doesn't import: the two exchange JSON lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from compare import run_file
from compare.errors import WorkloadError
from compare.rag_process import RAG, run_rag
from compare.records import Run, Score

# A schema with a hostile pattern, or a text without end, must not keep a process busy forever.
SECONDS_TO_START, SECONDS_PER_ANSWER = 120, 10
BAD_OUTPUT = "Use `compare` and `rag` of the same version of Spaceport."
Report = Callable[[int, int], None]


def make_workload(
    questions: Path,
    sources: Sequence[str],
    out: Path,
    rag: Sequence[str] = RAG,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Write the prompts that the chat page would send for these questions; `sources` say over which documents.

    `say` gets what `rag` says meanwhile.
    """
    run_rag([*rag, "workload", "--questions", str(questions), *sources, "--out", str(out)], on_note=say)


def score_run(
    run: Run, workload: Path, rag: Sequence[str] = RAG, report: Report = lambda done, total: None
) -> list[Score]:
    """Score every complete measured answer of a run; equal answers to a question are scored once.

    `report` gets how many answers are scored, and how many there are.
    """
    from compare.schema import parse_score  # pydantic: a command's --help must not wait for it

    questions = run.questions
    keys = {
        number: (questions[record.prompt].id, record.answer)
        for number, record in enumerate(run.records)
        if record.phase == "measured"
        and record.ok
        and record.answer is not None
        and 0 <= record.prompt < len(questions)
    }
    if not keys:
        return []
    answers = list(dict.fromkeys(keys.values()))
    lines = "".join(json.dumps({"id": name, "answer": answer}) + "\n" for name, answer in answers)
    seconds = SECONDS_TO_START + SECONDS_PER_ANSWER * len(answers)
    report(0, len(answers))
    output = run_rag(
        [*rag, "score", "--workload", str(workload)], lines, seconds, lambda done: report(done, len(answers))
    )
    scores = dict(zip(answers, _parse(output, [name for name, _ in answers]), strict=True))
    return [parse_score({"request": number, **scores[key]}, len(run.records)) for number, key in keys.items()]


def add_scores(path: Path, workload: Path, rag: Sequence[str] = RAG, report: Report = lambda done, total: None) -> None:
    """Score the answers of a stored run, and add the scores to its file."""
    try:
        run_file.append(score_run(run_file.read(path), workload, rag, report), path)
    except ValueError as error:
        raise WorkloadError(f"The program that scores answers wrote a wrong line ({error}).", BAD_OUTPUT) from error


def _parse(lines: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the scores without their ids, which have to be those of the answers, in order."""
    entries = [json.loads(line) for line in lines]
    if [str(entry.pop("id", "")) if isinstance(entry, dict) else None for entry in entries] != list(names):
        raise ValueError(f"there are {len(entries)} scores for {len(names)} answers, or their ids differ")
    return entries
