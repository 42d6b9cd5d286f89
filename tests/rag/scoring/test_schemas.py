"""Answers that a JSON schema has to judge, however odd their numbers are."""

from __future__ import annotations

from typing import Any

import pytest

from rag.scoring.schemas import is_well_formed


@pytest.mark.parametrize(
    ("schema", "answer", "expected"),
    [
        ({"type": "number", "multipleOf": 0.01}, "1.25", True),
        ({"type": "number", "multipleOf": 0.01}, "1e400", False),
        ({"type": "number", "multipleOf": 0.5}, "1" * 401, False),
        ({"type": "number", "multipleOf": 0.5}, "-1e999", False),
        ({"type": "integer"}, "1" * 5_000, False),
        ({"properties": {"a": {"$ref": "#/$defs/nope"}}}, '{"a": 1}', False),
        ({"properties": {"a": {"$ref": "http://127.0.0.1:9/a"}}}, '{"a": 1}', False),
        ({"properties": {"a": {"$ref": "#"}}}, '{"a": ' * 5_000 + "1" + "}" * 5_000, False),
        ({"properties": {"a": {"$ref": "#"}}}, '{"a": {"a": 1}}', True),
        (None, "1e400", None),
    ],
)
def test_an_answer_is_valid_or_not(schema: Any, answer: str, expected: bool | None) -> None:
    assert is_well_formed(answer, schema) is expected
