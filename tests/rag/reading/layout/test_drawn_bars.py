"""Output of programs in PDF pages: bars between its columns, and lines that a listing wrapped."""

from __future__ import annotations

from rag.commands.read import document_json
from rag.reading.layout.drawn_bars import read_bars
from rag.reading.layout.text_lines.lines import Line
from rag.reading.layout.text_lines.segments import Segment
from tests.rag import make_documents as make
from tests.security.linear_time import assert_linear

_OUTPUT = """$ boats list
skarv      | 3.22.1-3       | summer        | oars, mast
skarv      | 3.22.1-3       | summer-rain   | oars
skarv      | 3.30.2-3+old10 | autumn        | oars, mast, wheel
skarv      | 3.38.2-1       | winter        | oars
skarv      | 40.4-1         | not-yet-built | oars, mast"""
_QUERY = """name       | fee | keeper
-----------+-----+---------
skarv      |  14 | Ann Lund
holm       |   7 | Bo
vik        |  12 | Cy Dal"""


def _listing(text: str) -> bytes:
    def draw(sheet):
        sheet.setFont("Courier", 10)
        for number, line in enumerate(text.splitlines()):
            sheet.drawString(60, 740 - 12 * number, line)

    return make.pdf_drawn(draw)


def test_bars_that_a_program_wrote_stay_in_their_lines(read):
    document = read("a.pdf", _listing(_OUTPUT))
    assert document.text.splitlines() == [" ".join(line.split()) for line in _OUTPUT.splitlines()]
    assert not document.tables


def test_bars_and_rules_make_a_table(read):
    document = read("a.pdf", _listing(_QUERY))
    assert document_json(document)["tables"][0]["rows"] == [
        ["name", "fee", "keeper"],
        ["skarv", "14", "Ann Lund"],
        ["holm", "7", "Bo"],
        ["vik", "12", "Cy Dal"],
    ]
    assert document.text.splitlines()[1] == "skarv | 14 | Ann Lund"


def test_a_rule_that_has_bars_too_is_no_row(read):
    listing = "\n".join(line.replace("+", "|") for line in _QUERY.splitlines())
    rows = document_json(read("a.pdf", _listing(listing)))["tables"][0]["rows"]
    assert rows[0] == ["name", "fee", "keeper"]
    assert len(rows) == 4


def test_a_bar_in_a_formula_is_no_column(read):
    rows = [("x | y", "either of two"), ("x & y", "both of two"), ("! x | ! y", "not both"), ("x", "one")]
    document = read("a.pdf", make.pdf_drawn(lambda sheet: make.draw_rows(sheet, rows, (60, 200))))
    assert document_json(document)["tables"][0]["rows"] == [list(row) for row in rows]


def test_the_rest_of_a_wrapped_line_of_a_listing_follows_it():
    texts = ["keepers: Ann (af),␣", "˓→Bo (bg), Cy␣", "˓→ (cs)", "˓→+10"]
    lines = [Line([Segment(text, range(len(text)), 60, 160, -12.0 * n, 10, n)]) for n, text in enumerate(texts)]
    ((segment,),) = [line.segments for line in read_bars(lines, None)]
    assert segment.text == "keepers: Ann (af), Bo (bg), Cy  (cs)+10"
    assert len(segment.indexes) == len(segment.text)


def test_thousands_of_wrapped_lines_take_linear_time():
    def work(size: int) -> None:
        segments = [Segment("˓→ keeper", range(9), 60, 160, -12.0 * n, 10, n) for n in range(size // 9)]
        read_bars([Line([segment]) for segment in segments], None)

    assert_linear(work, "characters")
