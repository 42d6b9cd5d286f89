"""Questions over documents: `python -m rag` makes their prompts and scores the answers.

What a right answer is, `rag` decides, which this package doesn't import: the two exchange JSON lines.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compare import run_file
from compare.errors import WorkloadError
from compare.records import Run, Score

# A schema with a hostile pattern, or a text without end, must not keep a process busy forever.
SECONDS_TO_START, SECONDS_PER_ANSWER = 120, 10
RAG = (sys.executable, "-m", "rag")
INSTALL = "Run it in a checkout of Spaceport, where `python -m rag` is."
BAD_OUTPUT = "Use `compare` and `rag` of the same version of Spaceport."


def check_rag() -> None:
    """Raise `WorkloadError` if this installation has no `rag`, as in a published comparator."""
    if importlib.util.find_spec("rag") is None:
        raise WorkloadError("Questions need the package `rag`, which isn't installed here.", INSTALL)


def make_workload(questions: Path, sources: Sequence[str], out: Path, rag: Sequence[str] = RAG) -> None:
    """Write the prompts that the chat page would send for these questions; `sources` say over which documents."""
    _call([*rag, "workload", "--questions", str(questions), *sources, "--out", str(out)])


def score_run(run: Run, workload: Path, rag: Sequence[str] = RAG) -> list[Score]:
    """Score every complete measured answer of a run; equal answers to a question are scored once."""
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
    output = _call([*rag, "score", "--workload", str(workload)], lines, seconds)
    scores = dict(zip(answers, _parse(output.splitlines(), [name for name, _ in answers]), strict=True))
    return [parse_score({"request": number, **scores[key]}, len(run.records)) for number, key in keys.items()]


def add_scores(path: Path, workload: Path, rag: Sequence[str] = RAG) -> None:
    """Score the answers of a stored run, and add the scores to its file."""
    try:
        run_file.append(score_run(run_file.read(path), workload, rag), path)
    except ValueError as error:
        raise WorkloadError(f"The program that scores answers wrote a wrong line ({error}).", BAD_OUTPUT) from error


def _parse(lines: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the scores without their ids, which have to be those of the answers, in order."""
    entries = [json.loads(line) for line in lines if line.strip()]
    if [str(entry.pop("id", "")) if isinstance(entry, dict) else None for entry in entries] != list(names):
        raise ValueError(f"there are {len(entries)} scores for {len(names)} answers, or their ids differ")
    return entries


def _call(command: Sequence[str], text: str = "", seconds: float | None = None) -> str:
    """Run a command of `rag` and return what it prints; its error becomes one of this program."""
    check_rag()
    try:
        process = subprocess.run(  # noqa: S603
            command, input=text, capture_output=True, text=True, encoding="utf-8", timeout=seconds
        )
    except OSError as error:
        raise WorkloadError(f"Can't start `python -m rag` ({error.strerror}).", INSTALL) from error
    except subprocess.TimeoutExpired as error:
        raise WorkloadError(f"The answers were not scored within {seconds:g} s.", "Ask fewer questions.") from error
    if process.returncode:
        raise _error(process.stderr, process.returncode)
    return process.stdout


def _error(stderr: str, status: int) -> WorkloadError:
    """Return the error that a command of `rag` printed: its message, and the remedy on the next line."""
    lines = stderr.strip().splitlines()
    at = next((number for number in reversed(range(len(lines))) if lines[number].startswith("error: ")), len(lines) - 1)
    message = lines[at].removeprefix("error: ") if lines else f"`python -m rag` ended with status {status}."
    return WorkloadError(message, " ".join(lines[at + 1 :]).strip() or "Look at the log.")
