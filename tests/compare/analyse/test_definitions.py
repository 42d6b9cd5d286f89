"""One request under four definitions, because metrics of two tools can't be compared without them."""

from __future__ import annotations

from typing import Any

import pytest

from compare.analyse.metrics.definitions import DEFINITIONS, TITLES, Timing
from compare.runs.records import Record
from tests.compare.make_runs import record

# The role at 50 ms, a thought at 100 ms, three texts, an empty event at 850 ms that ends the choice, usage at 900 ms.
MARKS = {"headers": 0.04, "empty": [0.05, 0.85], "usage": 0.9, "done": 0.95}


def answer(tokens: int | None = 5) -> Record:
    return record(0.3, 0.4, 0.8, thoughts=[0.1], marks=MARKS, ended=1.0, tokens=tokens)


def values(timing: Timing) -> dict[str, Any]:
    return {name: getattr(timing, name) for name in Timing.__slots__}


@pytest.mark.parametrize(
    ("definition", "first", "gaps", "per_token", "end"),
    [
        ("spaceport", 0.1, (0.2, 0.1, 0.4), 0.9 / 4, 1.0),
        ("vllm", 0.05, (0.05, 0.2, 0.1, 0.4, 0.05), 0.85 / 4, 0.9),
        ("aiperf", 0.1, (0.7 / 4,), 0.7 / 4, 0.8),
        ("guidellm", 0.1, (0.7 / 4,), 0.8 / 5, 1.0),
    ],
)
def test_one_request_by_hand(
    definition: str, first: float, gaps: tuple[float, ...], per_token: float, end: float
) -> None:
    timing = DEFINITIONS[definition](answer())
    assert timing.first_token == pytest.approx(first)
    assert timing.gaps == pytest.approx(gaps)
    assert timing.per_output_token == pytest.approx(per_token)
    assert timing.end_to_end == pytest.approx(end)


@pytest.mark.parametrize(
    ("definition", "gaps", "per_token"),
    [
        ("spaceport", (0.2, 0.1, 0.4), None),
        ("vllm", (0.05, 0.2, 0.1, 0.4, 0.05), None),
        ("aiperf", (), None),
        ("guidellm", (0.7 / 3,), 0.8 / 4),  # it counts texts as tokens
    ],
)
def test_only_guidellm_guesses_unreported_tokens(
    definition: str, gaps: tuple[float, ...], per_token: float | None
) -> None:
    timing = DEFINITIONS[definition](answer(tokens=None))
    assert timing.gaps == pytest.approx(gaps)
    assert timing.per_output_token == (None if per_token is None else pytest.approx(per_token))


@pytest.mark.parametrize("tokens", [0, 1])
@pytest.mark.parametrize(
    ("definition", "per_token"), [("spaceport", None), ("vllm", None), ("aiperf", None), ("guidellm", 0.5)]
)
def test_one_token_has_no_time_per_further_token(definition: str, tokens: int, per_token: float | None) -> None:
    timing = DEFINITIONS[definition](record(0.5, tokens=tokens))
    assert timing.gaps == ()
    assert timing.per_output_token == (per_token if tokens else None)


def test_answers_and_thoughts_are_separate() -> None:
    spaceport = DEFINITIONS["spaceport"]
    assert (spaceport(answer()).first_thought, spaceport(answer()).first_answer) == (0.1, 0.3)
    only = spaceport(record(0.2, 0.3))
    assert (only.first_token, only.first_answer, only.first_thought) == (0.2, 0.2, None)
    silent = spaceport(record(thoughts=[0.2, 0.3]))
    assert (silent.first_token, silent.first_answer, silent.first_thought) == (0.2, None, 0.2)


def test_a_thought_after_the_answer_is_not_its_first() -> None:
    timing = DEFINITIONS["spaceport"](record(0.2, 0.9, thoughts=[0.1, 0.5]))
    assert (timing.first_answer, timing.first_thought) == (0.2, 0.1)
    assert timing.gaps == pytest.approx((0.1, 0.3, 0.4))


def test_a_request_without_empty_events_is_the_same_to_vllm() -> None:
    plain = record(0.1, 0.2, 0.4, tokens=3)
    ours, theirs = values(DEFINITIONS["spaceport"](plain)), values(DEFINITIONS["vllm"](plain))
    for name in ("first_token", "gaps", "per_output_token", "end_to_end"):
        assert ours[name] == theirs[name]


def test_texts_of_one_network_read_have_no_gap() -> None:
    assert DEFINITIONS["spaceport"](record(0.1, 0.1, 0.3)).gaps == pytest.approx((0, 0.2))


def test_each_definition_has_a_title() -> None:
    assert set(TITLES) == set(DEFINITIONS)
