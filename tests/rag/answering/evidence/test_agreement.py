"""How likely the first quote answers by itself."""

from __future__ import annotations

import pytest

from rag.answering.evidence.agreement import is_one_of_many, joint_probability, probabilities_of_texts
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.split import Unit
from rag.answering.quotes import Quote
from rag.documents import Document

KEY, BOAT, OAR = "The key hangs in the hall.", "The boat lies in the hall.", "The oar is in the shed."
QUESTION = "Where does the key hang?"


def quote(text: str, answer: str, probability: float, *labels: str) -> Quote:
    start = text.index(answer)
    end = start + len(answer)
    return Quote("d", "note.md", None, "", 0, len(text), text, start, end, probability, labels)


@pytest.mark.parametrize(
    ("question", "quotes", "is_one"),
    [
        (QUESTION, [quote(KEY, KEY, 0.2), quote(OAR, OAR, 0.2)], True),
        (QUESTION, [quote(KEY, KEY, 0.4), quote(OAR, OAR, 0.2)], False),
        (QUESTION, [quote(KEY, "hall", 0.2), quote(BOAT, "hall", 0.2)], False),
        (QUESTION, [quote(KEY, "hall", 0.2), quote(OAR, "shed", 0.2)], True),
        (QUESTION, [quote(KEY, "hall", 0.2, "Key", "Place")], False),
        ("Wo hängt denn der Schlüssel von unserem Boot?", [quote(KEY, KEY, 0.2)], False),
    ],
)
def test_a_sentence_beside_others_that_are_as_likely_is_one_of_many(
    question: str, quotes: list[Quote], is_one: bool
) -> None:
    of_texts = {each.text: each.probability for each in quotes}
    assert is_one_of_many(Question(question), quotes, of_texts) == is_one


def test_the_same_sentence_in_many_places_counts_together() -> None:
    document = Document("d", "note.md", KEY, (), "text/markdown")
    units = [Unit(document, place, place + len(KEY), KEY) for place in range(4)]
    of_texts = probabilities_of_texts(units, [0.1] * 4)
    quotes = [quote(KEY, KEY, 0.1), quote(KEY, KEY, 0.1)]
    assert joint_probability(quotes, of_texts) == pytest.approx(0.4)
    assert not is_one_of_many(Question(QUESTION), quotes, of_texts)
