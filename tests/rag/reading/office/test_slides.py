"""Presentations: slides as pages, tables, notes, and hidden slides."""

from __future__ import annotations

import pytest

from rag.documents import Note, NoteKind
from tests.rag import make_office as make
from tests.rag.make_documents import archive


@pytest.mark.parametrize("name", ["a.pptx", "a.pptm"])
def test_slides_are_pages(read, name):
    document = read(name, make.slides())
    assert [document.text[page.start : page.end].strip() for page in document.pages] == [
        "# Harbour dues\n\n| Port | Dues | Dues |\n| --- | --- | --- |\n| Skarv | 14 | 9 |\n| Holm | 15 | 10 |\n\n"
        "Paid at the gate.\n\nNotes: Say that dues rise.",
        "",
        "# Lamps",
    ]
    assert document.page_of(document.text.index("Lamps")) == 3
    (table,) = document.tables
    spans = [(cell.column_span, document.text[cell.start : cell.end], cell.header) for cell in table.cells[:2]]
    assert spans == [(1, "Port", True), (2, "Dues", True)]
    assert document.notes == (Note(NoteKind.HIDDEN_SLIDES, 1, ("2",)),)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive({"[Content_Types].xml": b"wordprocessingml"}), "not a presentation"),
        (archive({"ppt/presentation.xml": bytes(30_000_000)}), "unpack to 30 MB"),
        (make.slides()[:5000], "damaged"),
    ],
)
def test_slides_that_cannot_be_read(refusal, content, words):
    assert words in refusal("a.pptx", content).message
