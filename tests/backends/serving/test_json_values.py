"""The number of values in a JSON text, counted without parsing it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backends.serving.json_values import ValueCounter

VALUES: list[Any] = [
    [[]] * 1_000,
    [{}] * 1_000,
    [1] * 1_000,
    [""] * 1_000,
    ["a"] * 1_000,
    {f"name {number}": number for number in range(1_000)},
    ["\\", '"', "\\" + '"', "[", "]]"] * 200,
]
ONE_STRING = ["[" * 1_000, "," * 1_000, "{" * 1_000, '"[' * 1_000, "\\[" * 1_000, "\\" + '",' * 1_000, "é[" * 1_000]


def count(data: bytes, size: int) -> int:
    counter = ValueCounter()
    for start in range(0, len(data), size):
        counter.add(data[start : start + size])
    return counter.count


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100_000])
@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32-be"])
def test_each_value_is_counted_however_the_text_arrives(value: Any, size: int, encoding: str) -> None:
    assert count(json.dumps(value).encode(encoding), size) >= 1_000


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100_000])
@pytest.mark.parametrize("text", ONE_STRING, ids=range(len(ONE_STRING)))
def test_what_is_inside_of_a_string_is_not_counted(text: str, size: int) -> None:
    data = json.dumps({"text": text}, ensure_ascii=False).encode()
    assert count(data + data, size) <= 10


def test_a_letter_that_looks_like_half_of_a_quotation_mark_hides_nothing() -> None:
    assert count(json.dumps(["\u2230", [[]] * 1_000], ensure_ascii=False).encode("utf-16"), 64) >= 1_000
