"""What was added to a PDF page: boxes over words, marks, and comments beside them."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Highlight, Rectangle, Text
from pypdf.generic import ArrayObject, FloatObject, NameObject, TextStringObject

from rag.documents import Note, NoteKind
from tests.rag import make_documents as make

OVER_14 = (126, 756, 143, 774)


def with_annotations(text, *annotations):
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make.pdf(text))))
    for annotation in annotations:
        writer.add_annotation(0, annotation)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def mark(left, bottom, right, top, comment=""):
    corners = (left, top, right, top, left, bottom, right, bottom)
    marked = Highlight(rect=(left, bottom, right, top), quad_points=ArrayObject(map(FloatObject, corners)))
    marked[NameObject("/Contents")] = TextStringObject(comment)
    return marked


def test_words_under_a_filled_box_that_was_added_are_left_out_and_counted(read):
    box = Rectangle(rect=OVER_14, interior_color="000000")
    document = read("a.pdf", with_annotations("The fee is 14 crowns.\nThe last line.", box))
    assert document.text == "The fee is crowns.\nThe last line."
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 1, ("1",)),)


@pytest.mark.parametrize("annotation", [Rectangle(rect=OVER_14), mark(*OVER_14)], ids=["frame", "mark"])
def test_framed_and_marked_words_stay(read, annotation):
    document = read("a.pdf", with_annotations("The fee is 14 crowns.", annotation))
    assert document.text == "The fee is 14 crowns."
    assert not document.notes


def test_comments_come_after_the_page(read):
    note = Text(text="Raised to 16\nin May.", rect=(300, 750, 320, 770))
    marked, copied = mark(*OVER_14, "Check this."), mark(70, 756, 110, 774, "The fee")
    text = read("a.pdf", with_annotations("The fee is 14 crowns.", note, marked, copied)).text
    assert text.splitlines() == ["The fee is 14 crowns.", "Comment: Raised to 16 in May.", "Comment: Check this."]
