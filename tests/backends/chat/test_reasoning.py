"""Thoughts are split from answers, wherever the chunks are cut."""

from __future__ import annotations

import pytest

from backends import Delta
from backends.chat.thoughts.reasoning import Reasoning, ThoughtSplitter


def split(*chunks: str, reasoning: Reasoning = "auto", tag: str = "", whole: bool = True) -> list[tuple[str, str]]:
    """The pieces by kind, with neighbours of one kind joined."""
    splitter = ThoughtSplitter(reasoning, tag)
    deltas = [delta for chunk in chunks for delta in splitter.feed(chunk)] + splitter.flush(whole=whole)
    joined: list[tuple[str, str]] = []
    for delta in deltas:
        assert delta.text
        delta.text.encode()
        if joined and joined[-1][0] == delta.kind:
            joined[-1] = (delta.kind, joined[-1][1] + delta.text)
        else:
            joined.append((delta.kind, delta.text))
    return joined


TEXTS = {
    "<think>hm</think>so": [("thought", "hm"), ("answer", "so")],
    "\n<think>b</think>\n\n<think>d</think> e": [("thought", "bd"), ("answer", "e")],
    "<think> is a tag.": [("thought", " is a tag."), ("answer", "<think> is a tag.")],
    "<think></think>so": [("answer", "so")],
    "<think>hm</think>\n": [("thought", "hm")],
    "a < b, <thin> and <thinking>": [("answer", "a < b, <thin> and <thinking>")],
    "no tag named <think>, and text": [("answer", "no tag named <think>, and text")],
    "the tag `<think>` opens, `</think>` closes": [("answer", "the tag `<think>` opens, `</think>` closes")],
    "<think>use `x`</think>so": [("thought", "use `x`"), ("answer", "so")],
    "<think>use `</think>so": [("thought", "use `"), ("answer", "so")],
    "<thi": [("answer", "<thi")],
    " \n": [("answer", " \n")],
    "<think>ends in </thi": [("thought", "ends in "), ("answer", "<think>ends in </thi")],
    "<think>深く</think>👩‍🔬": [("thought", "深く"), ("answer", "👩‍🔬")],
    "<thinking>a</think></thinking>b": [("thought", "a</think>"), ("answer", "b")],
    "[THINK]a[/THINK]b [THINK]": [("thought", "a"), ("answer", "b [THINK]")],
    "<|channel|>analysis<|message|>a < b<|end|><|start|>assistant<|channel|>final<|message|>so <|x|>": [
        ("thought", "a < b"),
        ("answer", "so <|x|>"),
    ],
    "<|start|>assistant<|message|>so<|return|>": [("answer", "so")],
    "assistants and final analysis": [("answer", "assistants and final analysis")],
    "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>so<|END_RESPONSE|>": [("thought", "hm"), ("answer", "so")],
    "<|START_RESPONSE|>so<|END": [("answer", "so<|END")],
    "<|begin_of_thought|>hm<|end_of_thought|>\n\n<|begin_of_solution|>so": [("thought", "hm"), ("answer", "so")],
    "<|channel>thought\nhm<channel|>so": [("thought", "hm"), ("answer", "so")],
    "Here is my cat.": [("answer", "Here is my cat.")],
    "</think>\n\nso": [("answer", "so")],
    "<think>hm</think><answer>so</answer>": [("thought", "hm"), ("answer", "<answer>so</answer>")],
    "": [],
}


@pytest.mark.parametrize("text", TEXTS)
def test_cut_at_every_position(text: str) -> None:
    assert split(text) == TEXTS[text]
    for at in range(len(text)):
        for to in range(at, len(text)):
            assert split(text[:at], text[at:to], text[to:]) == TEXTS[text], (at, to)
    assert split(*text) == TEXTS[text]


def test_text_without_a_tag_is_not_held_back() -> None:
    splitter = ThoughtSplitter()
    assert splitter.feed("<t") == []
    assert splitter.feed("d>") == [Delta("<td>")]
    assert splitter.feed("a <") == [Delta("a <")]


def test_a_thought_that_the_template_opened() -> None:
    for at in range(20):
        text = "The user asks.\n</think>\n\nHello <think>"
        assert split(text[:at], text[at:], reasoning="opened") == [
            ("thought", "The user asks.\n"),
            ("answer", "Hello <think>"),
        ]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("\nHm.[/THINK]\nHello", [("thought", "Hm."), ("answer", "Hello")]),
        ("[THINK]Hm.[/THINK]Hello", [("thought", "Hm."), ("answer", "Hello")]),  # the model opens it once more
        ("[/THINK]Hello", [("answer", "Hello")]),
        ("Hm.[/THINK]", [("thought", "Hm.")]),
    ],
)
def test_a_thought_that_the_server_says_is_opened(text: str, pieces: list[tuple[str, str]]) -> None:
    for at in range(len(text)):
        assert split(text[:at], text[at:], tag="[/THINK]") == pieces, at


def test_an_opened_thought_that_is_never_closed_is_the_answer() -> None:
    """The deltas have gone as a thought by then; what the model said must not be missing from the answer."""
    thought = [("thought", "Hello </thi")]
    assert split("Hello ", "</thi", reasoning="opened") == [("thought", "Hello "), ("answer", "Hello </thi")]
    assert split("Hello ", "</thi", reasoning="opened", whole=False) == thought  # a limit cut the thought off
    assert split("<think>", "Hello </thi", whole=False) == thought
    assert split(" ", reasoning="opened") == [("answer", " ")]


def test_thoughts_that_come_apart_leave_none_opened() -> None:
    splitter = ThoughtSplitter("opened")
    assert splitter.feed("\n") == []
    splitter.start_answer()
    assert splitter.feed("Hello") == [Delta("\nHello")]


def test_the_phrases_of_granite() -> None:
    text = "Here is my thought process: hm Here is my response: so"
    for at in range(len(text)):
        assert split(text[:at], text[at:], reasoning="granite") == [("thought", " hm "), ("answer", "so")]
    assert split(text) == [("answer", text)]
    assert split(text[:30], reasoning="granite")[-1] == ("answer", text[:30])
    assert ThoughtSplitter().feed("Here") == [Delta("Here")]


@pytest.mark.parametrize(
    "begin", [["assistant", "<|channel|>", "analysis", "<|message|>"], ["analysis", "<|message|>"]]
)
def test_a_header_without_its_first_tokens(begin: list[str]) -> None:
    rest = ["a<|end|><|start|>assistant<|channel|>final<|message|>so"]
    assert split(*begin, *rest) == split("".join(begin + rest)) == [("thought", "a"), ("answer", "so")]


def test_a_target_without_thoughts() -> None:
    assert split("<think>a</think>", reasoning="none") == [("answer", "<think>a</think>")]


def test_surrogates_are_joined() -> None:
    assert split("a\ud83d", "\ude42b") == [("answer", "a🙂b")]
    assert split("\ud83d", "\ude42") == [("answer", "🙂")]
    assert split("<think>\ud83d", "\ude42</think>") == [("thought", "🙂")]
    assert split("a<\ud83d", "\ude42") == [("answer", "a<🙂")]


def test_lone_surrogates_become_replacement_characters() -> None:
    assert split("a\ud83d") == [("answer", "a\ufffd")]
    assert split("\ude42b") == [("answer", "\ufffdb")]
    assert split("a\ud83db") == [("answer", "a\ufffdb")]
