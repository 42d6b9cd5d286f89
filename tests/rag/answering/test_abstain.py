"""Whether documents answer a question is told from what the search found."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.answering.abstain import asks_for_the_whole, cover, evidence, lacking
from rag.answering.retrieve import retrieve
from rag.documents import Passage
from rag.library.library import Library, SampleLibrary
from rag.search.embedders import Embedder
from tests.conftest import ROOT


def passage(text: str, dense: float | None) -> Passage:
    return Passage(1, "d", "notes.txt", None, "", 0, len(text), text, 1.0, dense, None)


def test_words_are_held_whatever_their_ending_and_in_any_passage() -> None:
    texts = ["The cranes lifted 40 tonnes.", "Dogs wait at the quay."]
    assert cover("According to the text, is the crane lifting dogs or cats at the quays?", texts) == 4 / 5
    assert cover("Opera?", texts) == 0
    assert cover("", texts) == 0
    assert cover("Crane?", []) == 0


def test_nothing_found_is_no_answer() -> None:
    assert evidence("When is high water?", []).score == 0
    assert lacking("When is high water?", [])
    assert lacking("Summarise this report", [])


def test_the_best_cosine_counts_and_a_missing_one_does_not() -> None:
    found = evidence("High water?", [passage("Low tide.", None), passage("High water.", 0.8), passage("Sea.", 0.3)])
    assert (found.dense, found.cover) == (0.8, 1.0)
    assert evidence("High water?", [passage("Low tide.", None)]).dense == 0


def test_more_of_either_never_turns_an_answer_down() -> None:
    question, text = "When is high water at the quay?", "High water at the quay."
    verdicts = [lacking(question, [passage(text, dense / 20)]) is None for dense in range(-10, 21)]
    assert verdicts == sorted(verdicts)


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ("Summarise this report.", True),
        ("What are the main points of the document?", True),
        ("What is this about?", True),
        ("Give me a short overview", True),
        ("What does the report say about terns?", False),
        ("Who is the president?", False),
    ],
)
def test_a_question_about_documents_as_a_whole_is_known(question: str, whole: bool) -> None:
    assert asks_for_the_whole(question) is whole


def test_what_was_not_measured_is_not_judged() -> None:
    found = [passage("フェリーは七時に出ます。", 0.3)]
    assert lacking("フェリーは何時に出ますか", found) is None
    assert lacking("Когда отходит паром?", found) is None
    assert lacking("What does β-catenin do?", found)
    assert lacking("Wann fährt die Fähre?", found)


@pytest.fixture(scope="module")
def samples(embedder: Embedder) -> Library:
    return SampleLibrary(Path(ROOT, "spaces/chat_rag/corpus"), embedder)


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("How many visitors does the viewing deck hold?", True),
        ("What is the exclusion zone?", True),
        ("How did the number of Arctic terns change?", True),
        ("When does the ferry leave?", True),
        ("Are dogs allowed?", True),
        ("Can I bring my dog to the viewing deck?", True),
        ("What does a launch from Pad 2 cost?", True),
        ("What documents are there?", True),
        ("What is the capital of France?", False),
        ("How do I bake sourdough bread?", False),
        ("Who won the world cup in 2014?", False),
        ("What is the boiling point of ethanol?", False),
        ("Write a Python function that sorts a list of numbers", False),
    ],
)
def test_the_samples_answer_what_is_in_them(
    samples: Library, embedder: Embedder, question: str, answered: bool
) -> None:
    found = retrieve([samples], question, embedder, limit=5)
    assert (lacking(question, found) is None) is answered
