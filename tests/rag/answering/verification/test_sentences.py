"""A sentence without figures holds if a sentence, a row or a list of a passage says the same."""

from __future__ import annotations

import pytest

from rag.answering.verification.verifier import Verifier
from rag.documents import Document, Page, Passage

TOWER = "The Eiffel Tower in Paris was built by Gustave Eiffel."


def is_supported(sentence: str, text: str) -> bool | None:
    """Return the verdict on a sentence about a text; None if there is none."""
    document = Document("t", "text.txt", text, (Page(1, 0, len(text)),), "text/plain")
    passage = Passage(1, "t", "text.txt", 1, "", 0, len(text), text, 1.0, None, None)
    verdict = Verifier([passage], {"t": document}).check(sentence)
    return verdict and verdict.supported


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("The documents do not mention the height of the Eiffel Tower in Paris.", None),
        ("The documents do not say who designed the Eiffel Tower in Paris.", None),
        ("The documents do not mention that the Eiffel Tower in Paris was built by Gustave Eiffel.", False),
    ],
)
def test_only_what_a_passage_says_whole_is_not_missing(sentence: str, supported: bool | None) -> None:
    assert is_supported(sentence, TOWER) == supported
