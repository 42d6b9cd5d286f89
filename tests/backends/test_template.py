"""Chunks that differ in their text alone are read without parsing: never another text than parsing would give."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backends.chat.events import ChatReader
from backends.template import ChunkTemplate
from backends.types import Delta

TEXTS = ["a", " word", "", "é", "🙂", "}]}", "<", "<think>", "  "]
SPELLED = ['"', "\\", "\n", "\t", "\u2028", '","x":"', '"content":"x"']  # not as they are, or not for certain


def chunk(text: str, spaces: bool = False, **more: Any) -> str:
    said = {"choices": [{"index": 0, "delta": {"content": text} | more, "finish_reason": None}], "created": 7}
    return json.dumps(said, ensure_ascii=False, separators=None if spaces else (",", ":"))


def learned(text: str = "once") -> ChunkTemplate:
    template = ChunkTemplate()
    template.learn(chunk(text), text)
    return template


@pytest.mark.parametrize("text", TEXTS + SPELLED)
@pytest.mark.parametrize("before", TEXTS + SPELLED)
def test_what_is_read_is_what_parsing_gives(before: str, text: str) -> None:
    found = learned(before).read(chunk(text))
    assert found in (None, text)


@pytest.mark.parametrize("text", TEXTS)
def test_a_plain_text_is_read(text: str) -> None:
    assert learned().read(chunk(text)) == text


def test_nothing_is_read_before_something_is_learned() -> None:
    assert ChunkTemplate().read(chunk("a")) is None


@pytest.mark.parametrize(
    "other",
    [
        chunk("a").replace("7", "8"),
        chunk("a", spaces=True),
        chunk("a", reasoning_content="b"),
        chunk("a")[:-1],
        chunk("a").replace('"a"', '"'),  # what stands before and what stands after share the quote
        chunk("a") + " ",
        "",
    ],
    ids=["another figure", "spaces", "a thought", "cut", "overlapping", "longer", "nothing"],
)
def test_any_other_difference_is_left_to_the_parser(other: str) -> None:
    assert learned().read(other) is None


def test_a_chunk_of_two_answers_is_not_learned() -> None:
    both = {"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "a"}}]}
    template = ChunkTemplate()
    template.learn(json.dumps(both, separators=(",", ":")), "a")
    assert template.read(json.dumps(both, separators=(",", ":"))) is None


def test_an_answer_is_the_same_as_if_each_chunk_was_parsed() -> None:
    texts = ["Hi", " there", ' "quoted"', "\n", "a `<", "b", "<think>", "hm", "</th", "ink>", "🙂", " end"]

    def read(*, spaces: bool) -> list[Delta]:
        reader = ChatReader()
        deltas = [delta for text in texts for delta in reader.read(chunk(text, spaces=spaces))]
        deltas += reader.read(chunk("", reasoning_content="late"))
        assert reader.last == "empty"
        return [*deltas, *reader.read(chunk(" x")), *reader.finish(["[DONE]"])]

    assert read(spaces=False) == read(spaces=True)  # no template knows spaces: there each is parsed


def test_a_thought_beside_a_text_is_not_lost() -> None:
    reader = ChatReader()
    both = chunk("a", reasoning_content="b")
    assert reader.read(both) == reader.read(both) == [Delta("b", "thought"), Delta("a")]
