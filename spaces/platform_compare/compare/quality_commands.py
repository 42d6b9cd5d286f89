"""Questions over documents: `python -m rag` makes their prompts and scores the answers.

What a right answer is, `rag` decides, which this package doesn't import: the two exchange JSON lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from compare.capacity.answer_scores import ScoredRecord, with_score
from compare.errors import WorkloadError
from compare.rag_process import RAG, RagConversation, run_rag
from compare.runs import run_file
from compare.runs.records import Question, Record, Run, Score

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
    from compare.runs.schema import parse_score  # pydantic: a command's --help must not wait for it

    questions = run.questions
    keys = {
        number: (questions[record.prompt].id, record.answer)
        for number, record in enumerate(run.records)
        if record.phase == "measured" and _has_answer(record, questions)
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
        raise _bad_output(error) from error


class AnswerScorer:
    """Scores answers while a run goes on, by one process of `rag` that waits between them."""

    def __init__(self, workload: Path, questions: Sequence[Question], rag: Sequence[str] = RAG) -> None:
        self._questions = questions
        self._process = RagConversation([*rag, "score", "--workload", str(workload)])
        self._known: dict[tuple[str, str], dict[str, Any]] = {}

    def score(self, records: Mapping[int, Record]) -> list[Score]:
        """Return the scores of complete answers, whose records have these numbers in the run's file."""
        from compare.runs.schema import parse_score  # pydantic: a command's --help must not wait for it

        answered = {number: each for number, each in records.items() if _has_answer(each, self._questions)}
        keys = {number: (self._questions[each.prompt].id, str(each.answer)) for number, each in answered.items()}
        new = [key for key in dict.fromkeys(keys.values()) if key not in self._known]
        lines = [json.dumps({"id": name, "answer": answer}) for name, answer in new]
        replies = self._process.ask(lines, SECONDS_TO_START + SECONDS_PER_ANSWER * len(new))
        try:
            self._known |= zip(new, _parse(replies, [name for name, _ in new]), strict=True)
            return [parse_score({"request": at, **self._known[key]}, at + 1) for at, key in keys.items()]
        except ValueError as error:
            raise _bad_output(error) from error

    def add_to(self, record: Record, score: Score | None) -> ScoredRecord:
        """Return a request with its mark."""
        return with_score(record, self._questions[record.prompt], score)

    def stop(self) -> None:
        """End a score that another thread waits for."""
        self._process.stop()

    def close(self) -> None:
        """End the process, and close what it was read from."""
        self._process.close()


def _has_answer(record: Record, questions: Sequence[Question]) -> bool:
    return record.ok and record.answer is not None and 0 <= record.prompt < len(questions)


def _bad_output(error: ValueError) -> WorkloadError:
    return WorkloadError(f"The program that scores answers wrote a wrong line ({error}).", BAD_OUTPUT)


def _parse(lines: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the scores without their ids, which have to be those of the answers, in order."""
    entries = [json.loads(line) for line in lines]
    if [str(entry.pop("id", "")) if isinstance(entry, dict) else None for entry in entries] != list(names):
        raise ValueError(f"there are {len(entries)} scores for {len(names)} answers, or their ids differ")
    return entries
