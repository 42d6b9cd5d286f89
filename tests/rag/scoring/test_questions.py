"""Files of questions, with the faults that they have."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag.errors import RagError
from rag.scoring.questions import Gold, read_gold_questions

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write lines, as they are or as JSON, into a file of questions."""

    def write_lines(*lines: dict[str, Any] | str | bytes) -> Path:
        path = tmp_path / "questions.jsonl"
        encoded = [line if isinstance(line, bytes) else _text(line).encode() for line in lines]
        path.write_bytes(b"\n".join(encoded))
        return path

    return write_lines


def _text(line: dict[str, Any] | str) -> str:
    return line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)


def problem(path: Path) -> str:
    with pytest.raises(RagError) as error:
        read_gold_questions(path)
    return str(error.value)


def test_all_keys_of_a_question(write: Write) -> None:
    schema = {"type": "object"}
    line = {"id": "q1", "question": " How high is it? ", "answers": ["3 m"], "spans": ["It is 3 m high."]}
    (question,) = read_gold_questions(write(line | {"documents": ["a.pdf"], "schema": schema, "note": "page 3"}))
    assert question.id == "q1"
    assert question.text == "How high is it?"
    assert question.gold == Gold(("3 m",), ("It is 3 m high.",), answerable=True, schema=schema)
    assert question.documents == ("a.pdf",)


def test_questions_without_gold_and_without_ids(write: Write) -> None:
    first, second = read_gold_questions(write({"question": "Why?"}, "", {"question": "How?", "answers": []}))
    assert (first.id, second.id) == (1, 3)
    assert first.gold == second.gold == Gold()


def test_a_byte_order_mark_and_windows_lines(write: Write) -> None:
    (question,) = read_gold_questions(write(b'\xef\xbb\xbf{"question": "Gr\xc3\xb6\xc3\x9fe?"}\r\n'))
    assert question.text == "Größe?"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16"])
def test_another_encoding_is_named_with_its_line(write: Write, encoding: str) -> None:
    path = write({"question": "First?"}, '{"question": "Größe?"}'.encode(encoding))
    assert f"Line 2 of {path} isn't UTF-8" in problem(path)


def test_a_broken_line_is_named(write: Write) -> None:
    path = write({"question": "First?"}, '{"question": "Second?"')
    assert f"Line 2 of {path} isn't JSON" in problem(path)


@pytest.mark.parametrize("line", ["[1]", '"Why?"', "null", "[" * 100_000])
def test_a_line_that_is_no_object(write: Write, line: str) -> None:
    assert "Line 1 of" in problem(write(line))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"quesion": "Why?"}, "unknown key: quesion"),
        ({"answers": ["3"]}, "no question"),
        ({"question": " "}, "no question"),
        ({"question": "x" * 10_001}, "10,001 characters"),
        ({"question": "Why?", "id": 1.5}, "id"),
        ({"question": "Why?", "id": True}, "id"),
        ({"question": "Why?", "answers": "3"}, '"answers" isn\'t a list of texts'),
        ({"question": "Why?", "answers": [3]}, '"answers" isn\'t a list of texts'),
        ({"question": "Why?", "spans": [""]}, '"spans" isn\'t a list of texts'),
        ({"question": "Why?", "answerable": "no"}, '"answerable" is neither true nor false'),
        ({"question": "Why?", "answerable": 0}, '"answerable" is neither true nor false'),
        ({"question": "Why?", "answerable": False, "answers": ["3"]}, "isn't answerable"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(write: Write, line: dict[str, Any], words: str) -> None:
    assert words in problem(write(line))


@pytest.mark.parametrize(
    "schema",
    [
        "object",
        3,
        ["a"],
        {"type": "thing"},
        {"properties": 3},
        {"$ref": "#/nowhere"},
        {"$ref": "http://127.0.0.1:9/a"},
        {"properties": {"a": {"$ref": "#/$defs/nope"}}},
        {"items": {"anyOf": [{"type": "string"}, {"$ref": "http://127.0.0.1:9/a"}]}},
        {"properties": {"a": {"$dynamicRef": "#nope"}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {"$ref": "#/nope"}}},
        {"pattern": "("},
    ],
)
def test_a_schema_that_is_none(write: Write, schema: Any) -> None:
    assert "isn't a JSON schema" in problem(write({"question": "Why?", "schema": schema}))


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {"properties": {"a": {"$ref": "#/$defs/text"}}, "$defs": {"text": {"type": "string"}}},
        {"$id": "http://127.0.0.1:9/a", "properties": {"a": {"$ref": "b"}}, "$defs": {"b": {"$id": "b"}}},
        {"type": "object", "properties": {"$ref": {"type": "string"}, "child": {"$ref": "#"}}},
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "items": {"$ref": "#/definitions/a"},
            "definitions": {"a": {}},
        },
        {"enum": [{"$ref": "#/nope"}], "default": {"$ref": "#/nope"}},
    ],
)
def test_a_schema_with_references_inside_of_it(write: Write, schema: Any) -> None:
    (question,) = read_gold_questions(write({"question": "Why?", "schema": schema}))
    assert question.gold.schema == schema


def test_ids_that_are_there_twice(write: Write) -> None:
    path = write({"id": "a", "question": "Why?"}, {"id": "b", "question": "How?"}, {"id": "a", "question": "When?"})
    assert f"Lines 1 and 3 of {path} have the same id: a." in problem(path)
    assert "same id: 1" in problem(write({"id": 1, "question": "Why?"}, {"id": "1", "question": "How?"}))


def test_a_question_that_is_there_twice_is_left_out(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    line = {"question": "How high?", "answers": ["3 m"]}
    questions = read_gold_questions(write(line, line | {"question": " how  high? "}, {"question": "Why?"}))
    assert [question.text for question in questions] == ["How high?", "Why?"]
    assert capsys.readouterr().err == "Line 2 asks the same as line 1, and is left out.\n"


def test_a_question_that_is_there_twice_with_other_answers(write: Write) -> None:
    line = {"question": "How high?"}
    path = write(line | {"answers": ["3 m"]}, line | {"answers": ["4 m"]})
    assert f"Lines 1 and 2 of {path} ask the same with other answers." in problem(path)
    path = write(line | {"answers": ["3 m"], "documents": ["a"]}, line | {"answers": ["4 m"], "documents": ["b"]})
    assert len(read_gold_questions(path)) == 2


def test_no_questions(write: Write, tmp_path: Path) -> None:
    assert "has no questions" in problem(write(""))
    assert "Can't read" in problem(tmp_path / "none.jsonl")
    assert "Can't read" in problem(tmp_path)


def test_ten_thousand_questions_are_read_in_a_second(write: Write) -> None:
    path = write(
        *({"question": f"How high is crane {number}?", "answers": [f"{number} m"]} for number in range(10_000))
    )
    start = time.process_time()
    assert len(read_gold_questions(path)) == 10_000
    assert time.process_time() - start < 3
