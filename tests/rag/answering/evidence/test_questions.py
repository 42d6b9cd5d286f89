from __future__ import annotations

import pytest

from rag.answering.evidence.answer_spans import answer_span, candidates
from rag.answering.evidence.asked.mentions import covered_years, find_missing
from rag.answering.evidence.asked.questions import Kind, Question
from rag.answering.evidence.asked.typos import read_question
from rag.answering.evidence.sentences import split_sentences
from rag.documents import Document, Passage


def document(text: str, name: str = "report.txt") -> Document:
    return Document("d", name, text, (), "text/plain")


def passage(text: str) -> Passage:
    return Passage(1, "d", "report.txt", None, "", 0, len(text), text, 1.0, None, None)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How much did they pay for the bridge?", Kind.MONEY),
        ("What was the net income in 2022?", Kind.MONEY),
        ("What percentage of sales came from Europe?", Kind.PERCENT),
        ("How many people live there?", Kind.NUMBER),
        ("When did the war end?", Kind.DATE),
        ("In which year was it larger?", Kind.DATE),
        ("Who wrote the report?", Kind.PERSON),
        ("Where was it built?", Kind.PLACE),
        ("Why did sales decline?", Kind.REASON),
        ("How long does the warranty last?", Kind.DURATION),
        ("Did sales decline?", Kind.YES_NO),
        ("What is a heron?", Kind.OTHER),
    ],
)
def test_the_kind_of_answer(question: str, kind: Kind) -> None:
    assert Question(question).kind is kind


@pytest.mark.parametrize(
    ("question", "sentence", "answer"),
    [
        ("How much was paid for it?", "In 2022 it was bought for $1.28 billion, and $3 million left.", "$1.28 billion"),
        ("What share of sales is online?", "Of 12 shops, online sales are 35% of all sales.", "35%"),
        ("When was it founded?", "The company was founded on May 3, 1954 with 12 people.", "May 3, 1954"),
        ("Who founded the company?", "The company was founded by Ada M. Lund in 1954.", "Ada M. Lund"),
        ("Why did sales fall?", "Sales fell due to weak demand.", "due to weak demand."),
        ("How long is the lease?", "The lease has a term of 12 years.", "12 years"),
        ("What is a heron?", "A heron is a bird.", "A heron is a bird."),
        ("How much was paid in 2023?", "In 2024 and 2023 $9 and $8 were paid, respectively.", "$8"),
        ("How much was paid?", "$9 and $8 were paid, respectively.", "$9 and $8 were paid, respectively."),
        (
            "What were net sales?",
            "Net sales increased 2% during 2022 compared to 2021, driven by services.",
            "Net sales increased 2% during 2022 compared to 2021, driven by services.",
        ),
    ],
)  # fmt: skip
def test_the_words_that_answer(question: str, sentence: str, answer: str) -> None:
    start, end = answer_span(sentence, Question(question))
    assert sentence[start:end] == answer


@pytest.mark.parametrize(
    ("question", "sentence", "figures"),
    [
        ("What were net sales?", "Net sales increased 2% or $1.5 billion.", []),
        ("What were net sales?", "Net sales increased by $1.5 billion to $83 billion.", ["$83 billion"]),
        ("What were net sales?", "Net sales rose 2% to $83 billion.", ["$83 billion"]),
        ("How many pairs nested?", "The pairs fell by 40 and 310 nested.", ["310"]),
        ("By how much did net sales increase?", "Net sales increased 2% or $1.5 billion.", ["$1.5 billion"]),
        ("How much more was spent?", "Spending grew by $3 million.", ["$3 million"]),
    ],
)
def test_a_change_is_no_answer_to_how_much_there_is(question: str, sentence: str, figures: list[str]) -> None:
    asked = Question(question)
    found = [sentence[start:end] for start, end in candidates(asked.kind, sentence, asked)]
    assert found == figures


def test_a_sentence_does_not_end_at_an_abbreviation_or_a_decimal() -> None:
    text = (
        "# Costs\n\nAcme Inc. paid $1.28 billion to the U.S. Treasury on Jan. 5. Prof. Lund of No. 7 agreed.\n"
        "- First item\n- Second item, e.g. this one\n\n12\n\n* * *\n"
    )
    assert [text[start:end] for start, end in split_sentences(text)] == [
        "Acme Inc. paid $1.28 billion to the U.S. Treasury on Jan. 5.",
        "Prof. Lund of No. 7 agreed.",
        "- First item",
        "- Second item, e.g. this one",
    ]


def test_names_and_years_that_no_document_has() -> None:
    documents = [document("Apple's sales in fiscal 2022 and 2023. Intelligent people.", "apple.txt")]
    assert find_missing(Question("What was Microsoft's revenue in 2022?"), documents).names == ("Microsoft",)
    assert find_missing(Question("What was Intel's revenue?"), documents).names == ("Intel",)
    assert find_missing(Question("What were Apples sales in March 2020?"), documents).years == ("2020",)
    missing = find_missing(Question("What did President Apple say in FY22?"), documents)
    assert (missing.names, missing.years) == ((), ())
    assert covered_years(documents) == ("2022", "2023")


def test_a_misspelt_word_is_read_as_one_of_the_passages() -> None:
    passages = [passage("The Bendigo office counted 340 herons.")]
    assert read_question("How many herns did Bedigo count in Sydney?", passages).text == (
        "How many herons did Bendigo count in Sydney?"
    )
