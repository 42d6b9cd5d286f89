"""Lines of prose whose spaces are as wide as those between columns, and small letters in them."""

from __future__ import annotations

from rag.reading.layout.text_lines.lines import make_lines
from rag.reading.layout.text_lines.segments import Segment
from tests.rag import make_documents as make

LEFT, RIGHT = 60, 460
PARAGRAPH = (
    ("If a package is released for the next season, the notice is sent to everybody.",),
    ("It is never printed on the board.", "Boats without a name get a letter of their own"),
    ("from the harbour office instead, whose keeper also enters the name in the ledger",),
    ("and", "everybody who wants to read the ledger has to ask him for the key of the room"),
    ("before noon, because he leaves then.",),
)


def justified(lines):
    """Return a PDF with lines whose last word ends at the right margin; the pieces of a line are apart."""

    def draw(sheet):
        sheet.setFont("Times-Roman", 11)
        for number, pieces in enumerate(lines):
            y, left = 700 - 13 * number, LEFT
            for piece in pieces[:-1]:
                sheet.drawString(left, y, piece)
                left += sheet.stringWidth(piece) + 14
            text = sheet.beginText(left, y)
            if number + 1 < len(lines):
                text.setWordSpace((RIGHT - left - sheet.stringWidth(pieces[-1])) / pieces[-1].count(" "))
            text.textOut(pieces[-1])
            text.setWordSpace(0)  # else it's that of the next line, too
            sheet.drawText(text)

    return make.pdf_drawn(draw)


def test_a_wide_space_in_a_justified_line_is_no_column(read):
    document = read("a.pdf", justified(PARAGRAPH))
    assert document.text.splitlines() == [" ".join(pieces) for pieces in PARAGRAPH]
    assert not document.tables


def test_spaces_above_each_other_are_none_either_if_the_paragraph_goes_on_around_them(read):
    lines = [
        *PARAGRAPH[:2],
        ("It is read aloud in the evening.", "Ask the keeper of the light, who has a copy"),
        *PARAGRAPH[2:],
    ]
    document = read("a.pdf", justified(lines))
    assert document.text.splitlines() == [" ".join(pieces) for pieces in lines]


def test_small_capitals_are_in_their_line():
    def segment(text: str, left: float, right: float, bottom: float, size: float, order: int) -> Segment:
        return Segment(text, range(len(text)), left, right, bottom, size, order)

    # A font whose line reaches far below its letters: the edge of the smaller ones' is higher.
    segments = [
        segment("with the shell of the", 147.6, 346.6, 618.3, 9.7, 0),
        segment("posix", 350.4, 378.4, 620.5, 5.6, 1),
        segment("standard.", 382.1, 460.9, 618.3, 9.7, 2),
    ]
    assert [line.text for line in make_lines(segments)] == ["with the shell of the posix standard."]
