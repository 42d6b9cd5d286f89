"""Tests of the decision whether documents answer a question."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.answering.abstain import (
    AbstentionKind,
    is_about_whole_documents,
    measure_evidence,
    missing_evidence,
    word_coverage,
)
from rag.answering.retrieve import retrieve_passages
from rag.documents import Passage
from rag.library.library import Library
from rag.library.samples import SampleLibrary
from rag.search.embedders import Embedder
from tests.conftest import ROOT


def passage(text: str, dense: float | None) -> Passage:
    return Passage(1, "d", "notes.txt", None, "", 0, len(text), text, 1.0, dense, None)


def test_words_count_with_any_ending_and_in_any_passage() -> None:
    texts = ["The cranes lifted 40 tonnes.", "Dogs wait at the quay."]
    assert word_coverage("According to the text, is the crane lifting dogs or cats at the quays?", texts) == 4 / 5
    assert word_coverage("Opera?", texts) == 0
    assert word_coverage("", texts) == 0
    assert word_coverage("Crane?", []) == 0


def test_no_passages_are_no_evidence() -> None:
    assert measure_evidence("When is high water?", []).score == 0
    assert missing_evidence("When is high water?", [])
    abstention = missing_evidence("Summarise this report", [])
    assert abstention
    assert abstention.kind == AbstentionKind.NO_PASSAGES


def test_an_abstention_has_a_kind_and_its_evidence() -> None:
    passages = [passage("Low tide.", 0.3)]
    abstention = missing_evidence("Who wrote the opera?", passages)
    assert abstention
    assert abstention.kind == AbstentionKind.WEAK_EVIDENCE
    assert abstention.evidence == measure_evidence("Who wrote the opera?", passages)


def test_the_best_cosine_counts_and_a_missing_one_does_not() -> None:
    passages = [passage("Low tide.", None), passage("High water.", 0.8), passage("Sea.", 0.3)]
    evidence = measure_evidence("High water?", passages)
    assert (evidence.similarity, evidence.coverage) == (0.8, 1.0)
    assert measure_evidence("High water?", [passage("Low tide.", None)]).similarity == 0


def test_more_evidence_never_causes_an_abstention() -> None:
    question, text = "When is high water at the quay?", "High water at the quay."
    answered = [missing_evidence(question, [passage(text, dense / 20)]) is None for dense in range(-10, 21)]
    assert answered == sorted(answered)


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
def test_questions_about_whole_documents_are_detected(question: str, whole: bool) -> None:
    assert is_about_whole_documents(question) is whole


def test_other_scripts_never_cause_an_abstention() -> None:
    passages = [passage("フェリーは七時に出ます。", 0.3)]
    assert missing_evidence("フェリーは何時に出ますか", passages) is None
    assert missing_evidence("Когда отходит паром?", passages) is None
    assert missing_evidence("What does β-catenin do?", passages)
    assert missing_evidence("Wann fährt die Fähre?", passages)


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
def test_the_samples_answer_their_own_questions_only(
    samples: Library, embedder: Embedder, question: str, answered: bool
) -> None:
    passages = retrieve_passages([samples], question, embedder, limit=5)
    assert (missing_evidence(question, passages) is None) is answered
