"""The words of a server's error, in objects that servers nest."""

from __future__ import annotations

from typing import Any

from backends.http.failures.error_words import error_words


def nested(depth: int) -> Any:
    value: Any = {"message": "no room"}
    for _ in range(depth):
        value = {"error": value}
    return value


def test_the_object_in_an_error_says_more_than_the_title_beside_it() -> None:
    assert error_words({"message": "Bad request", "error": {"message": "no room"}}) == "no room"
    assert error_words({"message": "Bad request", "error": {}}) == "Bad request"
    assert error_words(nested(5)) == "no room"


def test_an_object_that_is_nested_often_costs_nothing() -> None:
    assert error_words(nested(300)) == ""
    empty: Any = {}
    for _ in range(300):
        empty = {"error": empty}
    assert error_words(empty) == ""
