"""Questions with the answers that are right, as a JSONL file has them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from rag.answering.options import MAX_QUESTION_CHARACTERS
from rag.errors import RagError
from rag.json_lines import read_json_lines
from rag.scoring.schemas import check_schema

EXAMPLE = 'Write {"question": "…", "answers": ["4,648 million"]}, or "answerable": false in place of the answers.'
_KEYS = frozenset({"id", "question", "answers", "spans", "answerable", "documents", "schema", "note"})

Identifier = str | int


@dataclass(frozen=True, slots=True)
class Gold:
    """What is known about the right answer.

    Any of `answers` is right, and so is one with the words of any of `spans`. `answerable` is False if a refusal is
    right, and None if nothing is known. The answer has to be JSON by `schema`, if there is one.
    """

    answers: tuple[str, ...] = ()
    spans: tuple[str, ...] = ()
    answerable: bool | None = None
    schema: Mapping[str, Any] | bool | None = None


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question to documents, all of them or those with the names `documents`, with its gold.

    `note` is for the readers of the file, such as the page of the answer.
    """

    id: Identifier
    text: str
    gold: Gold
    documents: tuple[str, ...] = ()
    note: str = ""


def read_gold_questions(path: Path) -> list[GoldQuestion]:
    """Return the questions of a file; one that is there twice with the same answers is left out, with a note on stderr.

    Raises `RagError`, which names the line, for what isn't a question, for an id that is there twice, and for a
    question that is there twice with other answers.
    """
    lines = read_json_lines(path, EXAMPLE)
    numbered = [(number, _question(line, number, f"Line {number} of {path}")) for number, line in lines]
    _check_ids(numbered, path)
    unique: dict[tuple[str, tuple[str, ...]], tuple[int, GoldQuestion]] = {}
    for number, question in numbered:
        key = " ".join(question.text.casefold().split()), tuple(sorted(question.documents))
        before, other = unique.setdefault(key, (number, question))
        if other.gold != question.gold:
            raise RagError(
                f"Lines {before} and {number} of {path} ask the same with other answers.",
                "Delete one of them, or put all right answers into one.",
            )
        if before != number:
            print(f"Line {number} asks the same as line {before}, and is left out.", file=sys.stderr)
    if not unique:
        raise RagError(f"{path} has no questions.", EXAMPLE)
    return [question for _, question in unique.values()]


def _check_ids(questions: Sequence[tuple[int, GoldQuestion]], path: Path) -> None:
    ids: dict[str, int] = {}
    for number, question in questions:
        first = ids.setdefault(str(question.id), number)
        if first != number:
            raise RagError(f"Lines {first} and {number} of {path} have the same id: {question.id}.", "Change one.")


def _question(line: Mapping[str, Any], number: int, place: str) -> GoldQuestion:
    if unknown := sorted(line.keys() - _KEYS):
        raise RagError(f"{place} has an unknown key: {unknown[0]}.", f"The keys are {', '.join(sorted(_KEYS))}.")
    text = line.get("question")
    if not isinstance(text, str) or not text.strip():
        raise RagError(f"{place} has no question.", EXAMPLE)
    if len(text) > MAX_QUESTION_CHARACTERS:
        raise RagError(
            f"{place} has a question of {len(text):,} characters.", f"Use {MAX_QUESTION_CHARACTERS:,} at most."
        )
    identifier = line.get("id")
    identifier = number if identifier is None else identifier
    if not is_identifier(identifier):
        raise RagError(f"{place} has an id that is neither text nor a whole number.", 'Write "id": "q1".')
    documents, note = _texts(line, "documents", place), str(line.get("note") or "")
    return GoldQuestion(identifier, text.strip(), read_gold(line, place), documents, note)


def is_identifier(value: object) -> TypeGuard[Identifier]:
    """Return whether a value is the id of a question."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def read_gold(line: Mapping[str, Any], place: str) -> Gold:
    """Return the gold in the keys of a question; `place` says in errors where it is."""
    answers, spans = _texts(line, "answers", place), _texts(line, "spans", place)
    answerable = line.get("answerable")
    if answerable not in (True, False, None) or isinstance(answerable, int | float) != isinstance(answerable, bool):
        raise RagError(f'{place}: "answerable" is neither true nor false.', 'Write "answerable": false.')
    if answerable is False and (answers or spans):
        raise RagError(f"{place} has answers to a question that isn't answerable.", "Delete one of the two.")
    if answers or spans:
        answerable = True
    schema = line.get("schema")
    check_schema(schema, place)
    return Gold(answers, spans, answerable, schema)


def _texts(line: Mapping[str, Any], key: str, place: str) -> tuple[str, ...]:
    values = line.get(key)
    values = [] if values is None else values
    if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
        raise RagError(f'{place}: "{key}" isn\'t a list of texts.', f'Write "{key}": ["…"].')
    return tuple(value.strip() for value in values)
