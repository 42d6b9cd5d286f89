"""Tests of the detector that ends an answer which repeats itself."""

from __future__ import annotations

import pytest

from rag.answering.repetition import RepetitionDetector

FERRY = "The first ferry leaves the quay at 07:10."


def repeats(text: str, size: int) -> bool:
    detector = RepetitionDetector()
    return any(detector.add(text[at : at + size]) for at in range(0, len(text), size))


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    ("text", "repetition"),
    [
        (f"{FERRY} It is blue. {FERRY} It", True),
        (f"{FERRY} It is blue. {FERRY}", False),  # the last sentence may go on
        ("".join(f"The cost of one launch is {n}.9 million marks.\n\n" for n in range(5)), True),
        ("".join(f"- Pad {n} costs {n} million marks.\n" for n in range(3)), False),
        ("Yes. Yes. Yes. No. No. No. ", False),
        ("One thing is said here once only. Another thing is said there just once. ", False),
        ("".join(f"| {sea} | seals |\n| --- | --- | --- |\n| {sea} | 2 |\n\n" for sea in "ABC"), False),
    ],
)
def test_repetition_is_detected(text: str, repetition: bool, size: int) -> None:
    assert repeats(text, size) is repetition
