"""Limits for one visitor's documents, and the errors beyond them."""

from __future__ import annotations

import pytest

from backends import NotConfigured
from rag.documents import Document, Page
from rag.library.quota import (
    UNLIMITED,
    Quota,
    QuotaExceeded,
    Size,
    page_count,
)
from ui.process.environment import int_setting


def test_the_environment_sets_the_limits() -> None:
    environment = {
        "SPACEPORT_MAX_FILES": "3",
        "SPACEPORT_MAX_PAGES": "40",
        "SPACEPORT_MAX_MB": " 5 ",
    }
    assert Quota.from_environment(environment) == Quota(3, 40, 5)
    assert Quota.from_environment({"SPACEPORT_MAX_FILES": ""}) == Quota()


@pytest.mark.parametrize("name", ["SPACEPORT_MAX_FILES", "SPACEPORT_MAX_PAGES", "SPACEPORT_MAX_MB"])
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


def test_a_text_without_pages_counts_by_its_length() -> None:
    pages = tuple(Page(number, 0, 1) for number in range(1, 4))
    assert page_count(Document("a", "a.pdf", "x" * 90_000, pages, "application/pdf")) == 3
    assert page_count(Document("a", "a.txt", "x" * 3_000, (), "text/plain")) == 1
    assert page_count(Document("a", "a.txt", "x" * 3_001, (), "text/plain")) == 2
