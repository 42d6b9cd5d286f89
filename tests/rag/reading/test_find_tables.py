from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from rag.documents import Table
from rag.reading.markdown.find_tables import find_markdown_tables
from rag.reading.parse import read_document

WriteFile = Callable[[str, str], Path]


def rows(text: str, table: Table) -> list[list[str]]:
    count = max(cell.row for cell in table.cells) + 1
    return [[text[cell.start : cell.end] for cell in table.cells if cell.row == row] for row in range(count)]


def test_a_markdown_file_has_its_tables(write_file: WriteFile) -> None:
    text = "# Fees\n\nBelow:\n\n| Fee | 2022 |\n|:---|---:|\n| Late \\| early | $ 12 |\n|  | 7 |\n\nEnd | of.\n"
    document = read_document(write_file("fees.md", text))
    (table,) = document.tables
    assert rows(text, table) == [["Fee", "2022"], ["Late \\| early", "$ 12"], ["7"]]
    assert text[table.start : table.end] == text[text.index("| Fee") : text.index("\n\nEnd")]
    assert [cell.column for cell in table.cells if cell.row == 2] == [1]
    assert [cell.header for cell in table.cells] == [True, True, False, False, False]


def test_a_table_without_a_frame_and_a_rule() -> None:
    text = "($ in millions) | 2017 | 2016\nnotes due 5.000% (5.000%) | 600 | -\ntotal | 1279 | 1278"
    (table,) = find_markdown_tables(text)
    assert rows(text, table)[1] == ["notes due 5.000% (5.000%)", "600", "-"]
    assert not any(cell.header for cell in table.cells)


def test_a_bar_in_a_line_is_no_table() -> None:
    assert find_markdown_tables("a | b\n\nc | d | e\nf | g\n") == ()


def test_a_short_row_has_only_its_cells() -> None:
    text = "|a|b|c|\n|-|-|-|\n|1|2|\n"
    assert rows(text, find_markdown_tables(text)[0]) == [["a", "b", "c"], ["1", "2"]]


def test_tables_in_html_and_in_quotations_are_tables(write_file: WriteFile) -> None:
    html = "<table><tr><th>Port<th>Fee<tr><td>Skarv<td>14</table>"
    text = f"Below:\n\n{html}\n\n```\n{html}\n```\n\n> | Port | Fee |\n> |---|---|\n> | Holm | 9 |\n"
    document = read_document(write_file("fees.md", text))
    first, second = document.tables
    assert rows(document.text, first) == [["Port", "Fee"], ["Skarv", "14"]]
    assert rows(document.text, second) == [["Port", "Fee"], ["Holm", "9"]]
    assert f"```\n{html}\n```" in document.text


def test_the_text_of_a_notebook_has_tables(write_file: WriteFile) -> None:
    source = ["# Fees\n", "\n", "| Port | Fee |\n", "|---|---|\n", "| Skarv | 14 |"]
    cell = json.dumps({"cell_type": "markdown", "source": source})
    document = read_document(write_file("fees.ipynb", f'{{"cells": [{cell}]}}'))
    assert [rows(document.text, table) for table in document.tables] == [[["Port", "Fee"], ["Skarv", "14"]]]
