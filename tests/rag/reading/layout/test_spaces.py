"""Spaces that a typesetter draws by moving on, and letters that are spaced."""

from __future__ import annotations

import pytest

from tests.rag import make_documents as make


def drawn(*pieces: tuple[str, float]) -> bytes:
    """Return a PDF with texts on a line, each with the space after it, in points."""

    def draw(sheet):
        sheet.setFont("Times-Roman", 10)
        left = 72.0
        for text, space in pieces:
            sheet.drawString(left, 700, text)
            left += sheet.stringWidth(text) + space

    return make.pdf_drawn(draw)


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (
            (("A", 1.6), ("shell", 1.6), ("reads an", 0), ("y", 1.6), ("name.", 1.6), ("If", 0)),
            "A shell reads any name. If",
        ),
        ((("fi", 0.1), ("le", 0), ("s of the k", -0.2), ("eeper", 0)), "files of the keeper"),
        (tuple((letter, 1.2) for letter in "HARBOUR"), "HARBOUR"),
        ((("4", 1.2), ("210 in 2", 1.2), ("024", 0)), "4210 in 2024"),
    ],
    ids=["moved on", "kerned", "spaced letters", "figures"],
)
def test_a_space_between_words_that_was_not_written(read, pieces, text):
    assert read("a.pdf", drawn(*pieces)).text == text
