"""What was added to a PDF page: boxes over words, marks, and comments beside them."""

from __future__ import annotations

import pytest
from pypdf.annotations import Highlight, Rectangle, Text
from pypdf.generic import ArrayObject, FloatObject, NameObject, TextStringObject

from rag.documents import Note, NoteKind
from rag.reading.layout.visibility import hidden_words
from rag.reading.layout.visibility.covers import cut_places
from tests.rag import make_documents as make

OVER_14 = (126, 756, 143, 774)


def with_annotations(text, *annotations):
    return make.with_annotations(make.pdf(text), *annotations)


def sticky(text):
    return Text(text=text, rect=(300, 750, 320, 770))


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
    note = sticky("Raised to 16\nin May.")
    marked, copied = mark(*OVER_14, "Check this."), mark(70, 756, 110, 774, "The fee")
    text = read("a.pdf", with_annotations("The fee is 14 crowns.", note, marked, copied)).text
    assert text.splitlines() == ["The fee is 14 crowns.", "Comment: Raised to 16 in May.", "Comment: Check this."]


def test_a_word_that_the_page_end_breaks_does_not_go_on_in_a_comment(read):
    pages = make.pdf("This is an exam-", "ple of a word.")
    text = read("a.pdf", make.with_annotations(pages, sticky("Check"))).text
    assert text.splitlines() == ["This is an example", "Comment: Check", "", "of a word."]


def test_a_table_goes_on_behind_a_comment(read):
    rows = [["Pier", "Fee", "Lamps"], *([f"Quay {number}", str(7 * number), str(number)] for number in range(70))]
    content = make.pdf_table(rows)
    plain, commented = read("a.pdf", content), read("b.pdf", make.with_annotations(content, sticky("Check")))
    assert len(plain.pages) == len(commented.pages) > 1
    assert len(plain.tables) == len(commented.tables) == 1
    assert len(plain.tables[0].cells) == len(commented.tables[0].cells)
    assert "Comment: Check" in commented.text.splitlines()


def test_comments_alone_are_text_but_not_of_a_page_that_cannot_be_read(read, refusal, monkeypatch):
    monkeypatch.setenv("SPACEPORT_OCR", "none")
    assert read("a.pdf", with_annotations("", sticky("Check"))).text == "Comment: Check"
    scan = make.with_annotations(make.pdf_of_images(), sticky("Check"))
    assert "has no text" in refusal("b.pdf", scan).message


@pytest.mark.parametrize(
    "annotation",
    [sticky("No"), sticky("Notice"), mark(70, 756, 110, 774, "No"), mark(*OVER_14, "Notice"), mark(*OVER_14, "1")],
    ids=["part of a word", "a word", "part of a marked word", "a word elsewhere", "part of a figure"],
)
def test_comments_that_repeat_other_words_stay(read, annotation):
    text = read("a.pdf", with_annotations("Notice: fee 14.", annotation)).text
    assert text == f"Notice: fee 14.\nComment: {annotation['/Contents']}"


def test_a_comment_that_repeats_marked_words_of_two_lines_is_left_out(read):
    marked = mark(70, 740, 300, 774, "14 crowns. The last")
    assert read("a.pdf", with_annotations("The fee is 14 crowns.\nThe last line.", marked)).text.endswith("line.")


def test_each_box_over_words_is_compared_once_and_many_as_one(read, monkeypatch):
    monkeypatch.setattr(hidden_words, "_MOST_ANNOTATIONS", 2)
    compared = []

    def cut(places, box):
        compared.append(box)
        return cut_places(places, box)

    monkeypatch.setattr(hidden_words, "cut_places", cut)
    same = Rectangle(rect=(300, 700, 320, 720), interior_color="000000")
    boxes = [
        Rectangle(rect=rect, interior_color="000000") for rect in ((300, 650, 320, 670), (50, 50, 60, 60), OVER_14)
    ]
    document = read("a.pdf", with_annotations("The fee is 14 crowns.", *[same] * 5, *boxes))
    assert document.text == "The fee is crowns."
    assert len(compared) == 3
