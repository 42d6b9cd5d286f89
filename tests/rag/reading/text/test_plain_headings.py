"""Headings of plain text, and words that a program broke at a typographic hyphen."""

from __future__ import annotations

import pytest

from rag.reading.chunk import chunk_document, document_headings
from rag.reading.markdown.headings import find_plain_headings
from tests.security.linear_time import assert_linear

_CHANGES = """# Changelog

All changes of the harbour.

## [1.2.0] – 2022-11-06
### Changed

- The name of Skarv.

## [1.1.0] – 2021-03-01

- A lamp for Holm.
"""
_VERSIONS = """boats (1.2-3) unstable; urgency=low

  * The name of Skarv.

 -- Ann Lund <ann@example.org>  Sun, 06 Nov 2022 10:00:00 +0100

boats (1.2-2) unstable; urgency=low

  * A lamp for Holm.
"""
_UNDERLINED = "The harbour\n===========\n\nIt is old.\n\nFees\r\n----\r\n\nThe fee is 14.\n"


def _headings(read, name: str, text: str) -> list[str]:
    return [heading.path for heading in document_headings(read(name, text))]


def test_lines_like_headings_of_markdown_are_headings(read):
    version = "Changelog > [1.2.0] – 2022-11-06"
    expected = ["Changelog", version, f"{version} > Changed", "Changelog > [1.1.0] – 2021-03-01"]
    assert _headings(read, "changes.txt", _CHANGES) == [expected[0], expected[1], expected[3]]
    spaced = _CHANGES.replace("\n###", "\n\n###")
    assert _headings(read, "changes.txt", spaced) == expected
    assert _headings(read, "changelog", spaced.replace("\n", "\r\n")) == expected
    assert _headings(read, "a.txt", _UNDERLINED) == ["The harbour", "The harbour > Fees"]


def test_the_versions_of_a_changelog_are_headings(read):
    first, second = [line for line in _VERSIONS.splitlines() if line.startswith("boats")]
    assert _headings(read, "changelog", _VERSIONS) == [first, second]
    chunks = chunk_document(read("a.txt", _VERSIONS), size=450, overlap=0)
    assert [chunk.heading for chunk in chunks] == [first, second]  # a chunk of both would be below the wrong one


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.sh", "# Start the engine\n\nstart\n"),
        ("a.txt", "Settings:\n\n# The port of the page\nport = 80\n"),
        ("a.txt", "One\n# Two\n\nThree\n"),
        ("a.txt", "An example:\n\n    # m h dom\n\nThat is all.\n"),
        ("a.txt", "A question\n-\nand so on\n"),
    ],
)
def test_comments_and_dashes_are_no_headings(read, name, text):
    assert _headings(read, name, text) == []


def test_words_that_were_broken_at_a_typographic_hyphen_are_whole(read):
    text = "Die Lampe geht auto‐\n       matisch an. Das E‐\n       Mail‐Fach ist leer. Ein ‐\nZeichen."
    assert read("a.txt", text).text == "Die Lampe geht automatisch an. Das E-Mail‐Fach ist leer. Ein ‐\nZeichen."


@pytest.mark.parametrize("unit", ["## a\n\n", "a\n---\n\n", "a (1) b;", "a (", "auto‐\n  ", "a‐\nb"])
def test_thousands_of_headings_and_hyphens_take_linear_time(read, unit):
    def work(size: int) -> None:
        find_plain_headings(read("a.txt", unit * (size // len(unit))).text)

    assert_linear(work, repr(unit), in_between=True)
