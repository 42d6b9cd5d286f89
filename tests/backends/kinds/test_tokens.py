"""Tokens become text: whole characters, stop strings, thoughts."""

from __future__ import annotations

import pytest

from backends import Delta
from backends.kinds.transformers.tokens import TokenReader


def decode(ids: list[int]) -> str:
    """A tokenizer whose tokens are bytes; 0 is a token without text."""
    return bytes(filter(None, ids)).decode("utf-8", "replace")


def read(text: str | bytes, *stop: str, in_thought: bool = False) -> tuple[list[Delta], bool]:
    reader = TokenReader(decode, stop, in_thought=in_thought)
    deltas: list[Delta] = []
    for token in text.encode() if isinstance(text, str) else text:
        if reader.at_stop:
            break
        deltas += reader.read(token)
    deltas += reader.flush()
    assert all(delta.text for delta in deltas)
    return deltas, reader.at_stop


def joined(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def test_characters_are_never_cut() -> None:
    deltas, _ = read("né 👩‍🔬深")
    assert [delta.text for delta in deltas] == list("né 👩‍🔬深")


def test_invalid_bytes_become_replacement_characters_at_the_end() -> None:
    assert joined(read(b"a\xf0\x9f")[0]) == "a\ufffd"
    assert joined(read(b"a\xf0b")[0]) == "a\ufffdb"


def test_a_token_without_text_has_no_delta() -> None:
    assert read(b"a\x00\x00b\x00")[0] == [Delta("a"), Delta("b")]


@pytest.mark.parametrize(
    ("text", "stop", "expected"),
    [
        ("one END two", ("END",), "one "),
        ("one EN ENDE", ("END",), "one EN "),
        ("ENEND", ("END",), "EN"),
        ("a🙂b", ("🙂",), "a"),
        ("one two", ("two", "one"), ""),
        ("aab", ("ab",), "a"),
        ("ends in EN", ("END",), "ends in EN"),
        ("nothing", ("", "END"), "nothing"),
    ],
)
def test_stop_strings(text: str, stop: tuple[str, ...], expected: str) -> None:
    deltas, at_stop = read(text, *stop)
    assert joined(deltas) == expected
    assert at_stop is (expected != text)


def test_thoughts_are_split_from_the_answer() -> None:
    deltas, _ = read("<think>hm</think>so")
    assert joined([delta for delta in deltas if delta.kind == "thought"]) == "hm"
    assert joined([delta for delta in deltas if delta.kind == "answer"]) == "so"


def test_a_thought_that_the_template_opened() -> None:
    deltas, _ = read("hm</think>so", in_thought=True)
    assert joined([delta for delta in deltas if delta.kind == "thought"]) == "hm"
