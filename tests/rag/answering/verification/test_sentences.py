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


@pytest.mark.parametrize(
    ("sentence", "text", "supported"),
    [
        (
            "The report found no evidence that coffee is harmful.",
            "We find no evidence that coffee is harmful.",
            True,
        ),
        (
            "We did not find evidence that coffee is harmful.",
            "The authors found no evidence that coffee is harmful.",
            True,
        ),
        ("We said nothing about the new taxes.", "We did not say anything about the new taxes.", True),
        (
            "Wir haben keine Belege gefunden, dass Kaffee schädlich ist.",
            "Wir finden keine Belege, dass Kaffee schädlich ist.",
            True,
        ),
        (
            "The report found no evidence that coffee is harmful.",
            "We mention evidence that coffee is harmful.",
            False,
        ),
    ],
)
def test_a_verb_is_the_same_in_all_its_forms(sentence: str, text: str, supported: bool) -> None:
    assert is_supported(sentence, text) == supported
