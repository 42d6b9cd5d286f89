"""The question of a line of a workload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from compare.errors import WorkloadError
from compare.runs.records import Question

MAX_ID = 200


def parse_question(entry: dict[str, Any]) -> Question:
    """Return a question; the rest of its entry, such as its passages, is for the program that scores answers."""
    if not isinstance(answers := entry.get("answers") or [], list):
        raise TypeError(f"answers are {answers!r:.40}")
    name = str(entry["id"]) if type(entry["id"]) is int else entry["id"]
    question = Question(name, entry["text"], tuple(answers), entry.get("answerable"))
    for text in (question.id, question.text, *question.answers):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"a text of the question is {text!r:.40}")
        text.encode()  # half a surrogate pair can't be sent
    if len(question.id) > MAX_ID or question.answerable not in (True, False, None):
        raise ValueError(f"the question has the id {question.id!r:.40} and answerable {question.answerable!r:.40}")
    return question


def check_questions(file: str, questions: Sequence[Question | None]) -> None:
    """Raise `WorkloadError` unless all prompts of a file have a question of their own, or none has one."""
    ids = [question.id for question in questions if question]
    if ids and len(ids) < len(questions):
        raise WorkloadError(
            f"{len(questions) - len(ids):,} prompts of {file} have no question, and {len(ids):,} have one.",
            "Put them into two files, and measure each.",
        )
    if twice := next((name for name, count in Counter(ids).items() if count > 1), None):
        raise WorkloadError(f"Two questions of {file} have the id {twice!r:.60}.", "Give each its own.")
