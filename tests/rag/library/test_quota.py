"""Limits for one visitor's documents and questions, and the errors beyond them."""

from __future__ import annotations

import threading

import pytest

from backends import NotConfigured
from rag.documents import Document, Page
from rag.library.quota import (
    UNLIMITED,
    QuestionLimit,
    Quota,
    QuotaExceeded,
    Size,
    TooManyQuestions,
    page_count,
)
from rag.settings import int_setting


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_environment_sets_the_limits() -> None:
    environment = {
        "SPACEPORT_MAX_FILES": "3",
        "SPACEPORT_MAX_PAGES": "40",
        "SPACEPORT_MAX_MB": " 5 ",
        "SPACEPORT_QUESTIONS_A_MINUTE": "0",
    }
    assert Quota.from_environment(environment) == Quota(3, 40, 5, 0)
    assert Quota.from_environment({"SPACEPORT_MAX_FILES": ""}) == Quota()


@pytest.mark.parametrize(
    "name", ["SPACEPORT_MAX_FILES", "SPACEPORT_MAX_PAGES", "SPACEPORT_MAX_MB", "SPACEPORT_QUESTIONS_A_MINUTE"]
)
@pytest.mark.parametrize("value", ["many", "-1", "1.5", "1e3", "٣", "0x10"])
def test_a_wrong_value_is_an_error_with_its_name(name: str, value: str) -> None:
    with pytest.raises(NotConfigured) as caught:
        Quota.from_environment({name: value})
    assert name in caught.value.message
    assert value in caught.value.message
    assert "Set it to a number such as" in caught.value.remedy


def test_a_setting_can_have_a_minimum() -> None:
    assert int_setting("MINUTES", 60, {"MINUTES": "1"}, least=1) == 1
    with pytest.raises(NotConfigured, match="a whole number of at least 1"):
        int_setting("MINUTES", 60, {"MINUTES": "0"}, least=1)


def test_documents_fit_to_the_last_byte() -> None:
    quota = Quota(files=2, pages=10, megabytes=1)
    quota.check("a.pdf", Size(1, 4, 400_000), Size(1, 6, 600_000))
    for addition in (Size(1, 5, 400_000), Size(1, 4, 400_001), Size(2, 4, 400_000)):
        with pytest.raises(QuotaExceeded) as caught:
            quota.check("a.pdf", addition, Size(1, 6, 600_000), "b.pdf")
        assert caught.value.remedy.startswith("Remove")


def test_0_means_no_limit() -> None:
    UNLIMITED.check("a.pdf", Size(1_000, 1_000_000, 10**12), Size(1_000, 1_000_000, 10**12))
    questions = QuestionLimit(0, Clock())
    for _ in range(1_000):
        questions.take()


def test_a_text_without_pages_counts_by_its_length() -> None:
    pages = tuple(Page(number, 0, 1) for number in range(1, 4))
    assert page_count(Document("a", "a.pdf", "x" * 90_000, pages, "application/pdf")) == 3
    assert page_count(Document("a", "a.txt", "x" * 3_000, (), "text/plain")) == 1
    assert page_count(Document("a", "a.txt", "x" * 3_001, (), "text/plain")) == 2


def test_questions_are_counted_over_any_minute() -> None:
    clock = Clock()
    questions = QuestionLimit(2, clock)
    questions.take()
    clock.now += 40
    questions.take()
    clock.now += 5
    with pytest.raises(TooManyQuestions) as caught:
        questions.take()
    assert str(caught.value) == "You have reached the limit of 2 questions per minute. Try again in 15 seconds."
    assert caught.value.retry_after == pytest.approx(15)
    clock.now += 14.9
    with pytest.raises(TooManyQuestions, match="in 1 second\\."):
        questions.take()
    clock.now += 0.1
    questions.take()  # the first one is a minute old, and rejected questions don't count
    with pytest.raises(TooManyQuestions, match="in 40 seconds"):
        questions.take()


def test_threads_are_counted_together() -> None:
    questions, errors = QuestionLimit(10, Clock()), []

    def ask() -> None:
        for _ in range(5):
            try:
                questions.take()
            except TooManyQuestions as error:
                errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 30
