"""Scores of answers, by the command that reads them."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rag.__main__ import main

TEXT = "NORTH HARBOUR LTD\nRevenue was $4,648 million in 2023. The harbour has 12 cranes and opened in 1987."
SCHEMA = {"type": "object", "required": ["revenue"], "properties": {"revenue": {"type": "string"}}}


def question(identifier: str, text: str, **fields: Any) -> dict[str, Any]:
    passages = [{"text": TEXT, "source": "harbour.txt", "page": 1}]
    empty: dict[str, Any] = {"answers": [], "spans": [], "answerable": None, "schema": None}
    return {"question": {"id": identifier, "text": text, "passages": passages} | empty | fields}


QUESTIONS = [
    question("revenue", "What was the revenue in 2023?", answers=["4,648 million"], answerable=True),
    question(
        "json", "What was the revenue in 2023? As JSON.", answers=["4,648 million"], answerable=True, schema=SCHEMA
    ),
    question("ferries", "How many ferries does the harbour have?", answerable=False),
    question("open", "What does the harbour have?"),
    question("span", "How many cranes are there?", spans=["The harbour has 12 cranes and opened in 1987."]),
]


class Scores:
    """Runs `rag score` with lines on stdin."""

    def __init__(self, workload: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.workload, self._monkeypatch, self._capsys = workload, monkeypatch, capsys
        workload.write_text("".join(f"{json.dumps(each)}\n" for each in QUESTIONS), encoding="utf-8")

    def run(self, stdin: bytes) -> tuple[int, list[dict[str, Any]], str]:
        self._monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
        status = main(["score", "--workload", str(self.workload)])
        out, err = self._capsys.readouterr()
        return status, [json.loads(line) for line in out.splitlines()], err

    def of(self, identifier: str, answer: str) -> dict[str, Any]:
        status, (score,), _ = self.run(json.dumps({"id": identifier, "answer": answer}).encode())
        assert status == 0
        return score


@pytest.fixture
def scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Scores:
    return Scores(tmp_path / "workload.jsonl", monkeypatch, capsys)


def test_a_right_answer(scores: Scores) -> None:
    assert scores.of("revenue", "Revenue in 2023 was **$4.648 billion** [1].") == {
        "id": "revenue",
        "correct": True,
        "supported": 1.0,
        "refused": False,
        "well_formed": None,
        "words": 6,
        "reason": "it says 4,648 million",
    }


def test_a_wrong_answer_that_the_passages_do_not_support(scores: Scores) -> None:
    score = scores.of("revenue", "Revenue in 2023 was $4,684 million. The harbour has 12 cranes.")
    assert (score["correct"], score["supported"]) == (False, 0.5)


def test_a_refusal_is_wrong_if_there_is_an_answer_and_right_if_there_is_none(scores: Scores) -> None:
    refusal = "The passages do not mention this [1]."
    wrong, right = scores.of("revenue", refusal), scores.of("ferries", refusal)
    assert (wrong["correct"], wrong["refused"], wrong["supported"]) == (False, True, None)
    assert (right["correct"], right["refused"], right["supported"]) == (True, True, None)
    assert scores.of("ferries", "The harbour has 12 ferries.")["correct"] is False


def test_without_gold_nothing_is_right_or_wrong(scores: Scores) -> None:
    score = scores.of("open", "The harbour has 12 cranes.")
    assert (score["correct"], score["supported"]) == (None, 1.0)
    assert scores.of("open", "I don't know.")["correct"] is None


def test_an_empty_answer(scores: Scores) -> None:
    for identifier, correct in (("revenue", False), ("ferries", False), ("open", None)):
        score = scores.of(identifier, " \n")
        assert (score["correct"], score["supported"], score["refused"], score["words"]) == (correct, None, False, 0)
    assert scores.of("json", "")["well_formed"] is False


@pytest.mark.parametrize(
    ("answer", "well_formed", "correct"),
    [
        ('{"revenue": "4,648 million"}', True, True),
        ('{"revenue": "4,684 million"}', True, False),
        ('{"amount": "4,648 million"}', False, True),
        ('```json\n{"revenue": "4,648 million"}\n```', False, True),
        ('{"revenue": 4648, "scale": "million"}', False, True),
        ('{"revenue": NaN}', False, False),
        ("The revenue was 4,648 million.", False, True),
    ],
)
def test_json_is_valid_by_the_schema_and_is_read(scores: Scores, answer: str, well_formed: bool, correct: bool) -> None:
    score = scores.of("json", answer)
    assert (score["well_formed"], score["correct"]) == (well_formed, correct)


def test_a_span_of_the_document_is_gold(scores: Scores) -> None:
    assert scores.of("span", "It has 12 cranes.")["correct"] is True
    assert scores.of("span", "It has 13 cranes.")["correct"] is False
    assert scores.of("span", "The harbour has cranes, and opened long ago.")["correct"] is True


def test_lines_are_scored_in_their_order(scores: Scores) -> None:
    lines = [{"id": "open", "answer": "Cranes."}, {"id": "revenue", "answer": "$4,648 million"}] * 2
    status, found, _ = scores.run(b"\n".join(json.dumps(line).encode() for line in lines))
    assert status == 0
    assert [each["id"] for each in found] == ["open", "revenue", "open", "revenue"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            b'{"id": "nobody", "answer": "3"}',
            "Line 2 of stdin answers a question that the workload doesn't have: 'nobody'",
        ),
        (b'{"answer": "3"}', "Line 2 of stdin answers a question that the workload doesn't have: None"),
        (b'{"id": "open"}', "Line 2 of stdin has no answer."),
        (b'{"id": "open", "answer": 3}', "Line 2 of stdin has no answer."),
        (b'{"id": "open", "answer": "3"', "Line 2 of stdin isn't JSON"),
        (b'{"id": "open", "answer": "gr\xf6\xdfer"}', "Line 2 of stdin isn't UTF-8: it has the byte 0xF6."),
    ],
)
def test_a_line_that_cannot_be_scored_is_named(scores: Scores, line: bytes, words: str) -> None:
    status, found, err = scores.run(b'{"id": "open", "answer": "Cranes."}\n' + line)
    assert status == 1
    assert len(found) == 1
    assert words in err


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"messages": []}',
        '{"question": {"id": "a"}}',
        '{"question": 3}',
        '{"question": {"id": "a", "text": "", "passages": [3]}}',
        '{"question": {"id": "a", "text": "", "passages": [{"text": "b", "source": "c", "start": "d"}]}}',
        '{"question": {"id": "a", "text": "", "passages": [{"text": "b", "source": "c", "start": 1e400}]}}',
    ],
)
def test_a_file_that_is_no_workload(scores: Scores, line: str) -> None:
    scores.workload.write_text(line, encoding="utf-8")
    status, found, err = scores.run(b'{"id": "a", "answer": "3"}')
    assert (status, found) == (1, [])
    assert "Traceback" not in err


def test_the_same_answers_get_the_same_scores(scores: Scores) -> None:
    line = json.dumps({"id": "revenue", "answer": "Revenue was $4,648 million or $5,431 million [1]."}).encode()
    assert scores.run(line) == scores.run(line)


def test_an_answer_is_scored_in_milliseconds(scores: Scores) -> None:
    answer = "Revenue was $4,648 million in 2023, and the harbour has 12 cranes [1]."
    stdin = b"".join(json.dumps({"id": "revenue", "answer": answer}).encode() + b"\n" for _ in range(1_000))
    start = time.process_time()
    status, found, _ = scores.run(stdin)
    assert (status, len(found)) == (0, 1_000)
    assert time.process_time() - start < 8
