"""Tables inside of a table's cell, and tables of HTML whose rows aren't stored as they are displayed."""

from __future__ import annotations

import pytest

from rag.commands.read import document_json
from tests.rag import make_documents as make
from tests.rag.reading.office.test_open_document import odt

INNER = [["Kind", "Fee"], ["Dinghy", "3"], ["Yacht", "1|7"]]
OUTER = [["Port", "Fees"], ["Skarv", "Kind, Fee; Dinghy, 3; Yacht, 1|7"], ["Holm", "free"]]


def html() -> tuple[str, str]:
    inner = "<table><tr><th>Kind<th>Fee<tr><td>Dinghy<td>3<tr><td>Yacht<td>1|7</table>"
    return "a.html", f"<table><tr><th>Port<th>Fees<tr><td>Skarv<td>{inner}<tr><td>Holm<td>free</table>"


def word() -> tuple[str, bytes]:
    def table(rows: list[list[str]]) -> str:
        cells = "".join("<w:tr>" + "".join(f"<w:tc>{cell}</w:tc>" for cell in row) + "</w:tr>" for row in rows)
        return f"<w:tbl>{cells}</w:tbl>"

    rows = [[make.paragraph(text) for text in row] for row in OUTER]
    rows[1][1] = table([[make.paragraph(text) for text in row] for row in INNER]) + "<w:p/>"
    return "a.docx", make.packed_docx(table(rows))


def open_document() -> tuple[str, bytes]:
    def table(rows: list[list[str]]) -> str:
        cells = "".join(
            "<table:table-row>" + "".join(f"<table:table-cell>{cell}</table:table-cell>" for cell in row)
            + "</table:table-row>"
            for row in rows
        )  # fmt: skip
        return f"<table:table>{cells}</table:table>"

    rows = [[f"<text:p>{text}</text:p>" for text in row] for row in OUTER]
    rows[1][1] = table([[f"<text:p>{text}</text:p>" for text in row] for row in INNER])
    return "a.odt", odt(table(rows))


@pytest.mark.parametrize("file", [html, word, open_document])
def test_a_table_inside_of_a_cell_is_a_table_and_the_text_of_the_cell(read, file):
    document = read(*file())
    outer, inner = document_json(document)["tables"]
    assert outer["rows"] == OUTER
    assert inner["rows"] == INNER
    assert outer["start"] < inner["start"] < inner["end"] < outer["end"]


def test_a_table_that_arranges_a_page_is_none(read):
    inner = "<table><tr><th>Port<th>Fee<tr><td>Skarv<td>3</table>"
    prose = "A sentence about the harbour and its piers. " * 10
    document = read("a.html", f"<table><tr><td>Top<td>Date<tr><td>{prose}<td>{inner}</table>")
    assert [table["rows"] for table in document_json(document)["tables"]] == [[["Port", "Fee"], ["Skarv", "3"]]]
    assert prose.strip() in document.text


@pytest.mark.parametrize(
    ("page", "rows"),
    [
        (
            "<table><thead><tr><td>Zone<td>Fee<tbody><tr><td rowspan=0>A<td>3<tr><td>4<tfoot><tr><td>Sum<td>7</table>",
            [["Zone", "Fee"], ["A", "3"], ["A", "4"], ["Sum", "7"]],
        ),
        (
            "<table><thead><tr><th>Zone<th>Fee<tfoot><tr><td>Sum<td>7<tbody><tr><td>A<td>3<tr><td>B<td>4</table>",
            [["Zone", "Fee"], ["A", "3"], ["B", "4"], ["Sum", "7"]],
        ),
        ("<table><tr><th>Zone<th>Fee<tr><td rowspan=9>A<td>3</table>", [["Zone", "Fee"], ["A", "3"]]),
        (
            "<div role=table><div role=row><b role=columnheader>Zone</b><b role=columnheader>Fee</b></div>"
            "<div role=row><i role=cell>A</i><i role=cell>3</i></div></div>",
            [["Zone", "Fee"], ["A", "3"]],
        ),
    ],
)
def test_rows_are_those_that_a_browser_displays(read, page, rows):
    (table,) = document_json(read("a.html", page))["tables"]
    assert table["rows"] == rows
    assert table["header_rows"] == 1
