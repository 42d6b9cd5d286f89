"""Hand-made runs over questions, whose answers have scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from compare.runs.records import Record, Run, Score
from tests.compare.make_runs import build_run, failure, record

# "+" right, "-" wrong, "?" without gold, "refused" wrongly, "refused right", "failed".
Mark = Literal["+", "-", "?", "refused", "refused right", "failed"]
CORRECT: dict[str, bool | None] = {"+": True, "-": False, "?": None, "refused": False, "refused right": True}


def scored_run(
    answers: Mapping[str, Sequence[Sequence[Mark]]], *, answerable: Sequence[bool | None] = (), temperature: float = 0.0
) -> Run:
    """Return a run in which each target answers each question once or several times, with these marks."""
    records: list[Record] = []
    marks: list[Mark] = []
    for target, questions in answers.items():
        for prompt, each in enumerate(questions):
            for repeat, mark in enumerate(each):
                one = failure(target=target) if mark == "failed" else record(0.1, 0.2, target=target, tokens=4)
                text = None if mark == "failed" else f"{target} says {mark} to {prompt}"
                records.append(replace(one, prompt=prompt, block=repeat, answer=text))
                marks.append(mark)
    run = build_run(*records, targets=tuple(answers))
    count = max(len(each) for each in answers.values())
    add_questions(run, count, answerable)
    run.header["plan"]["temperature"] = temperature
    run.scores = {number: score(number, mark) for number, mark in enumerate(marks) if mark != "failed"}
    return run


def with_questions(run: Run, count: int, wrong: Mapping[str, Sequence[int]] | None = None) -> Run:
    """Return a run whose requests are questions in turn, answered right but for those that are `wrong`."""
    turns: dict[str, int] = {}
    for number, each in enumerate(run.records):
        prompt = turns.get(each.target, 0) % count
        turns[each.target] = turns.get(each.target, 0) + 1
        mark: Mark = "-" if prompt in (wrong or {}).get(each.target, ()) else "+"
        run.records[number] = replace(each, prompt=prompt, answer=f"{each.target} says {mark} to {prompt}")
        run.scores[number] = score(number, mark)
    add_questions(run, count)
    return run


def add_questions(run: Run, count: int, answerable: Sequence[bool | None] = ()) -> None:
    known = [*answerable, *[None] * count][:count]
    run.header["workload"] |= {
        "prompts": count,
        "questions": [
            {"id": f"q{number}", "text": f"Question {number}?", "answers": [], "answerable": known[number]}
            for number in range(count)
        ],
    }


def score(number: int, mark: Mark) -> Score:
    refused = mark.startswith("refused")
    return Score(number, CORRECT[mark], None if refused else 1.0, refused, None, 5, f"because of {mark}")
