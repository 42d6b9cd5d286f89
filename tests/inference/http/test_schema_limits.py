"""Schemas whose grammar would block the engine, and with it all answers, are rejected before they reach it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backends import Rejected
from inference.http.schema_limits import check_schemas, pattern_choices
from tests.inference.http.test_prompt_limits import engine_seconds
from tests.inference.servers import Server, question
from tests.inference.test_bad_input import CHAT, assert_rejected


def response_format(schema: Any) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}


def doubled(levels: int) -> dict[str, Any]:
    """A schema of a few lines that names 2 ** levels alternatives."""
    names = {f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n - 1}"}] * 2} for n in range(1, levels + 1)}
    return {"$ref": f"#/$defs/a{levels}", "$defs": {"a0": {"type": "string"}, **names}}


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"anyOf": [schema, {"type": "null"}]}
    return schema


TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"left": {"$ref": "#/$defs/node"}}}]}
    },
}
DATE = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"enum": [f"v{number}" for number in range(700)]}, "more than 200 values"),
        ({"type": "array", "items": {"enum": list(range(201))}}, "more than 200 values"),
        ({"type": "object", "properties": {f"p{number}": {} for number in range(700)}}, "more than 200 values"),
        (doubled(30), "more than 200 values"),
        (deep(2000), "too deeply"),
        ({"type": "string", "pattern": f"^{'(a?)' * 300}$"}, "pattern"),
        ({"type": "string", "pattern": f"^{'[a-z]*' * 24}$"}, "pattern"),
        ({"type": "string", "pattern": "^([a-z]?){900}$"}, "pattern"),
        ({"type": "string", "pattern": f"^({'|'.join(['[a-z]*'] * 500)})*$"}, "pattern"),
        ({"type": "string", "maxLength": 1001}, "more than 1,000 items"),
    ],
    ids=["values", "inner values", "properties", "references", "depth", "groups", "sequence", "times", "or", "bound"],
)
def test_a_schema_that_blocks_the_engine_is_rejected(schema: Any, reason: str) -> None:
    with pytest.raises(Rejected, match=reason) as caught:
        check_schemas(response_format(schema))
    assert (caught.value.status, bool(caught.value.remedy)) == (400, True)
    if reason != "too deeply":  # what has this depth can't be written as JSON
        function = {"name": "f", "parameters": {"type": "object", "properties": {"a": schema, **schema}}}
        function["parameters"]["$defs"] = schema.get("$defs", {})
        with pytest.raises(Rejected, match=reason):
            check_schemas({"tools": [{"type": "function", "function": function}]})


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": [f"v{number}" for number in range(200)]},
        TREE,
        doubled(7),
        {"type": "string", "pattern": DATE},
        {"type": "string", "pattern": r"^[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,50}$"},
        {"$ref": "#"},
        {"$ref": "#/nowhere/at/all", "type": 7, "anyOf": None, "enum": {}, "pattern": []},
        ["no schema"],
        None,
    ],
    ids=["values", "tree", "references", "date", "address", "loop", "odd", "list", "nothing"],
)
def test_other_schemas_pass(schema: Any) -> None:
    assert check_schemas(response_format(schema)) > 0


@pytest.mark.parametrize("unit", ["[", "{1", "{1,", "(", "\\", "[\\", "a?", "(a?){9}", "(?P<"])
def test_a_broken_pattern_is_counted(unit: str) -> None:
    assert pattern_choices(unit * 5000) >= 0


def test_one_request_does_not_stop_the_answers_of_others(server: Server) -> None:
    """300 bytes of pattern held the only thread of the engine for minutes, also when the client had left."""
    before = engine_seconds(server)
    pattern = {"type": "string", "pattern": f"^{'(a?)' * 300}$"}
    assert_rejected(server.post(CHAT, question(**response_format(pattern))), 400, "A pattern has more than 12")
    assert engine_seconds(server) - before < 0.5


def test_half_of_a_character_in_a_schema_is_replaced(server: Server) -> None:
    body = json.dumps(question(**response_format({"enum": ["\ud800"]}))).encode()
    answer = server.post(CHAT, content=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == '"\ufffd"'
