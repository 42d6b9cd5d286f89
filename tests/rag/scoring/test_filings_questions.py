"""The questions about three filings: each gold answer stands on the page that its note names."""

from __future__ import annotations

import re

import pypdfium2
import pytest

from rag.scoring.questions import GoldQuestion, read_gold_questions
from rag.scoring.score import Scorer
from rag.scoring.workload import AskedQuestion
from tests.conftest import DATA, ROOT, missing

PATH = ROOT / "benchmarks" / "questions" / "filings.jsonl"
QUESTIONS = read_gold_questions(PATH)
PAGE = re.compile(r"(.*\.pdf), page (\d+)")


def page_text(name: str, page: int) -> str:
    """Return the text of a page as PDFium reads it, without this project's reader."""
    path = DATA / "filings" / name
    if not path.is_file():
        missing(f"{path} (SPACEPORT_TEST_DATA is the folder with filings/)")
    pdf = pypdfium2.PdfDocument(path)
    try:
        return " ".join(pdf[page - 1].get_textpage().get_text_range().split())
    finally:
        pdf.close()


def written(answer: str) -> str:
    """Return the part of a gold answer that a page has: the digits of a figure, or the words."""
    digits = re.search(r"\d[\d,.]*\d|\d", answer)
    return digits[0] if digits else answer


def test_there_are_twelve_questions_and_two_have_no_answer() -> None:
    assert len(QUESTIONS) == 12
    assert sum(question.gold.answerable is False for question in QUESTIONS) == 2


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_the_gold_answer_stands_on_its_page(question: GoldQuestion) -> None:
    place = PAGE.match(question.note)
    if question.gold.answerable is False and not place:
        return
    assert place
    text = page_text(place[1], int(place[2])).replace(" ,", ",")
    for answer in question.gold.answers:
        assert re.search(rf"(?<![\d,.]){re.escape(written(answer))}(?![\d]|,\d)", text)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_the_gold_answer_is_right_and_a_refusal_only_where_there_is_none(question: GoldQuestion) -> None:
    answerable = question.gold.answerable is not False
    scorer, asked = Scorer({}, {}), AskedQuestion(question.id, question.text, question.gold, ())
    for answer in question.gold.answers:
        assert scorer.score(asked, f"It is {answer} [1].").correct is True
    assert scorer.score(asked, "The passages do not mention it.").correct is not answerable
    assert scorer.score(asked, "It is $1,111 million.").correct is False


def test_what_is_not_answered_is_in_no_filing() -> None:
    def pages(name: str, count: int, words: str) -> list[int]:
        return [page for page in range(1, count + 1) if re.search(words, page_text(name, page), re.IGNORECASE)]

    assert pages("2022 Q3 AAPL.pdf", 28, r"\bIndia\b") == [19]
    assert not pages("2023 Q1 NVDA.pdf", 47, r"\d (?:full-time )?employees|headcount|employed \d")
