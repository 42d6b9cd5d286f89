"""Characters of a PDF whose font doesn't name them, or that are outside of the basic plane."""

from __future__ import annotations

import pytest

from rag.documents import Note, NoteKind
from rag.reading.layout.text_lines.characters import known_characters
from tests.rag import make_documents as make


def test_a_character_outside_of_the_basic_plane_is_one_character(read):
    document = read("a.pdf", make.pdf_with_letters("The mean is 𝑥 and the rate 𝑦."))
    assert document.text == "The mean is 𝑥 and the rate 𝑦."
    document.text.encode()
    assert not document.notes


def test_half_of_a_character_is_marked_and_counted(read):
    document = read("a.pdf", make.pdf_with_letters("The \udb62ox is 4 m."))
    assert document.text == "The \ufffdox is 4 m."
    assert document.notes == (Note(NoteKind.UNKNOWN_CHARACTERS, 1, ("1",)),)


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        (
            b"The e\x0ecient re\x0cned \x0dow o\x0b, in \x0cve \x0fi.",
            "The efficient refined flow off, in five ffli.",
        ),
        (b"The e\x1ecient re\x1cned \x1dow o\x1b", "The efficient refined flow off"),
    ],
)
def test_ligatures_of_a_font_without_names_are_read(read, codes, text):
    document = read("a.pdf", make.pdf_of_codes(codes))
    assert document.text == text
    assert not document.notes


def test_other_codes_in_words_are_marked_and_counted(read):
    document = read("a.pdf", make.pdf_of_codes(b"The \x05ort is 4\x06 m \x07 deep."))
    assert document.text == "The \ufffdort is 4\ufffd m deep."
    assert document.notes == (Note(NoteKind.UNKNOWN_CHARACTERS, 2, ("1",)),)


def test_each_index_of_pdfium_keeps_its_character():
    text = "one\r\ntwo\x02three\x0cnd \ud835\udc61 \ud835."
    known = known_characters(text)
    assert len(known) == len(text)
    assert known.startswith("one\r\ntwo\x02three")
