"""Chunks: exact spans, no lost text, a maximum size, and headings."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from rag.documents import Chunk, Document, Page
from rag.reading.chunk import chunk_document
from tests.security.linear_time import assert_linear

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MEDIA_TYPES = ["text/plain", "text/markdown", "text/html", DOCX, "text/csv", "application/pdf"]
PIECES = (
    *("# Title\n", "## Part *two*\n\n", "### Deep ###\n", "A sentence with words. ", "Another one! "),
    *("\n", "\n\n", "\r\n", "\t", "* item\n", "  - nested\n", "1. one\n", "| a | b |\n| - | - |\n| 1 | 2 |\n"),
    *("```\n# no heading\n```\n", "    indented code\n", "> quoted\n", "---\n", "<b>bold</b>", "[a](http://b.c) "),
    *("日本語の文章です。", "😀👨\u200d👩\u200d👧 ", "é" * 30, "x" * 150, " " * 40),
)


def document(text: str, media_type: str = "text/markdown", pages: tuple[Page, ...] = ()) -> Document:
    return Document("0123456789abcdef", "a.md", text, pages, media_type)


def paged(*texts: str) -> Document:
    pages, start = [], 0
    for number, text in enumerate(texts, 1):
        pages.append(Page(number, start, start + len(text)))
        start += len(text) + 2
    return document("\n\n".join(texts), "application/pdf", tuple(pages))


def check(source: Document, chunks: list[Chunk], size: int) -> None:
    covered = bytearray(len(source.text))
    for chunk in chunks:
        assert chunk.text == source.text[chunk.start : chunk.end]
        assert 0 < len(chunk.text) <= size
        assert chunk.text.strip()
        assert (chunk.document_id, chunk.document) == (source.id, source.name)
        covered[chunk.start : chunk.end] = b"\1" * (chunk.end - chunk.start)
    lost = [
        character
        for character, is_covered in zip(source.text, covered, strict=True)
        if not is_covered and not character.isspace()
    ]
    assert lost == []
    for before, after in pairwise(chunks):
        assert before.start < after.start
        assert before.end < after.end


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
@pytest.mark.parametrize(("size", "overlap"), [(1000, 100), (300, 0), (80, 40), (17, 5), (1, 0)])
def test_any_text(media_type, size, overlap):
    generator = random.Random(size)
    for length in (1, 5, 40, 300):
        text = "".join(generator.choices(PIECES, k=length))
        source = document(text, media_type)
        check(source, chunk_document(source, size=size, overlap=overlap), size)


TABLE = "| name | value |\n|---|---|\n" + "".join(f"| row {number} | {number * 37} |\n" for number in range(40))
PASTED_TABLE = "in millions | 2017 | 2016\n" + "".join(f"row {number} | {number * 37} | 2\n" for number in range(40))


@pytest.mark.parametrize(
    ("table", "media_type", "header"),
    [
        (TABLE, "text/markdown", "Title > name | value"),
        (TABLE, "text/plain", "name | value"),
        (PASTED_TABLE, "text/markdown", "Title > in millions | 2017 | 2016"),
        (PASTED_TABLE, "application/pdf", "in millions | 2017 | 2016"),
    ],
)
def test_a_table_is_split_between_rows_and_its_parts_keep_the_header(table, media_type, header):
    source = document(f"# Title\n\nBefore it.\n\n{table}\nAfter it, on and on.\n", media_type)
    chunks = chunk_document(source, size=200, overlap=0)
    check(source, chunks, 200)
    rows = [chunk for chunk in chunks if chunk.start > source.text.index("row 0") and "row" in chunk.text]
    assert len(rows) > 2
    assert {chunk.heading for chunk in rows} == {header}
    assert all(source.text[chunk.start - 1] == "\n" for chunk in rows)
    assert "name" not in chunks[0].heading


def test_bars_outside_of_a_table():
    text = "# One\n\na | b\n\nnothing more\n\nx || y || z\nu | v\nw | v\n\n" + "more text " * 30
    assert {chunk.heading for chunk in chunk_document(document(text), size=40, overlap=0)} == {"One"}


@pytest.mark.parametrize("text", ["", " \n\n ", "\n"])
@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_an_empty_document_has_no_chunks(text, media_type):
    assert chunk_document(document(text, media_type), size=1000, overlap=100) == []


def test_neighbours_overlap():
    source = document(" ".join(f"word{number}" for number in range(500)), "text/plain")
    chunks = chunk_document(source, size=200, overlap=50)
    assert all(0 < before.end - after.start <= 50 for before, after in pairwise(chunks))


def test_chunks_never_cross_a_page():
    source = paged("Short page.", "", "word " * 500 + "end", "\n", "Last page.")
    chunks = chunk_document(source, size=200, overlap=50)
    check(source, chunks, 200)
    for chunk in chunks:
        page = source.pages[chunk.page - 1]
        assert page.start <= chunk.start < chunk.end <= page.end
    assert sorted({chunk.page for chunk in chunks}) == [1, 3, 5]


def test_chunks_of_a_format_without_pages_have_no_page():
    assert chunk_document(document("text"), size=1000, overlap=100)[0].page is None


def test_csv_chunks_have_whole_rows():
    rows = [f"name: row {number}; value: {'x' * (number % 50)}" for number in range(200)]
    source = document("\n".join(rows), "text/csv")
    chunks = chunk_document(source, size=300, overlap=100)
    check(source, chunks, 300)
    assert [row for chunk in chunks for row in chunk.text.split("\n")] == rows
    assert len(chunks) < 60


def test_a_csv_row_longer_than_a_chunk_is_split():
    source = document("a: 1\na: " + "long " * 200 + "\na: 3", "text/csv")
    chunks = chunk_document(source, size=100, overlap=100)
    check(source, chunks, 100)
    assert chunks[0].text == "a: 1"
    assert chunks[-1].text == "a: 3"


def headings_of(text: str, *, size: int = 30, media_type: str = "text/markdown") -> dict[str, str]:
    """Return the heading path of the chunk of each word of the text."""
    chunks = chunk_document(document(text, media_type), size=size, overlap=0)
    return {word: chunk.heading for chunk in chunks for word in chunk.text.split()}


def test_heading_path():
    text = (
        "before\n\n# One\n\nalpha\n\n## Two ##\n\nbeta\n\n#### Four\n\ngamma\n\n## Three\n\ndelta\n\n# Five\n\nepsilon"
    )
    headings = headings_of(text, size=20)
    assert headings["before"] == ""
    assert headings["alpha"] == "One"
    assert headings["beta"] == "One > Two"
    assert headings["gamma"] == "One > Two > Four"
    assert headings["delta"] == "One > Three"
    assert headings["epsilon"] == "Five"


def test_a_chunk_that_starts_with_headings_has_the_last_of_them():
    chunks = chunk_document(document("# One\n\n## Two\n\nalpha\n\n## Three\n\nbeta"), size=1000, overlap=100)
    assert [chunk.heading for chunk in chunks] == ["One > Two"]


@pytest.mark.parametrize("fence", ["```", "~~~", "````", "```python"])
def test_no_heading_inside_a_code_fence(fence):
    closing = fence.removesuffix("python")
    text = f"# Real\n\n{fence}\n# comment\n~~ `` \n{closing}\n\nafter the code is more text\n\n## Next\n\nlast"
    headings = headings_of(text)
    assert headings["after"] == "Real"
    assert headings["last"] == "Real > Next"


def test_lines_that_only_look_like_headings():
    text = "# Real\r\n\r\n#hashtag\n\n    # indented code\n\n```inline``` code\n\n####### seven\n\nafter"
    assert headings_of(text)["after"] == "Real"


@pytest.mark.parametrize("media_type", ["text/plain", "application/pdf", "text/csv"])
def test_other_formats_have_no_headings(media_type):
    assert set(headings_of("# One\n\nalpha\n", media_type=media_type).values()) == {""}


def test_a_very_long_heading_is_truncated():
    chunks = chunk_document(document("# " + "long " * 1000 + "\n\ntext"), size=1000, overlap=100)
    assert all(len(chunk.heading) <= 120 for chunk in chunks)


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
@pytest.mark.parametrize(
    "unit",
    ["lorem ipsum dolor ", "a", "*a ", "> ", "[", "#", "\n", " ", "\r\n", "# a\n", "a\n", "日本", "|", "a|\n", "|-"],
)
def test_long_lines_are_not_slow(media_type, unit):
    def work(characters):
        chunks = chunk_document(document(unit * (characters // len(unit)), media_type), size=1000, overlap=100)
        assert all(len(chunk.text) <= 1000 for chunk in chunks)

    assert_linear(work, repr(unit), sizes=(20_000, 200_000))
