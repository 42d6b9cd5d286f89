"""reStructuredText: its headings, its tables of four kinds, and its comments."""

from __future__ import annotations

import pytest

from rag.commands.read import document_json

GRID = """
+-------+--------+--------+
| Port  | Summer | Winter |
+=======+========+========+
| Skarv | 14     | 9      |
+-------+--------+--------+
| Holm  | closed          |
+-------+--------+--------+
| Outer | - 12   | 7      |
| rock  | - 13   |        |
+-------+--------+--------+
"""
SIMPLE = """
=====  ======  ======
           Dues
-----  --------------
Port   Summer  Winter
=====  ======  ======
Skarv  14      9
Holm           7, or
               8
=====  ======  ======
"""
LIST = """
.. list-table:: Dues
   :header-rows: 1
   :widths: 20 10

   * - Port
     - Fee
   * - Skarv
     - 14, at
       night 9
"""
CSV = """
.. csv-table:: Dues
   :header: "Port", "Fee"

   "Skarv, North", 14
"""


@pytest.mark.parametrize(
    ("text", "rows", "headers"),
    [
        (
            GRID,
            [
                ["Port", "Summer", "Winter"],
                ["Skarv", "14", "9"],
                ["Holm", "closed", "closed"],
                ["Outer rock", "- 12 - 13", "7"],
            ],
            1,
        ),
        (
            SIMPLE,
            [["", "Dues", "Dues"], ["Port", "Summer", "Winter"], ["Skarv", "14", "9"], ["Holm", "", "7, or 8"]],
            2,
        ),
        (LIST, [["Port", "Fee"], ["Skarv", "14, at night 9"]], 1),
        (CSV, [["Port", "Fee"], ["Skarv, North", "14"]], 1),
    ],
)
@pytest.mark.parametrize("indent", ["", "   "])
def test_tables_have_their_structure(read, text, rows, headers, indent):
    if indent and not text.startswith("\n.."):
        text = ".. table:: Dues\n   :align: left\n" + text.replace("\n", f"\n{indent}")
    document = read("a.rst", f"Before.\n{text}\nAfter.\n")
    (table,) = document_json(document)["tables"]
    assert (table["rows"], table["header_rows"]) == (rows, headers)
    assert table["caption"] == ("Dues" if ".. " in text else "")
    assert document.text.startswith("Before.\n\n")
    assert document.text.endswith("\n\nAfter.")


@pytest.mark.parametrize(
    "text",
    [
        "+----+----+\n| Skarv | 14 |\n+----+\n",
        "====  ====\nSkarv  14\n",
        ".. csv-table:: Dues\n   :file: dues.csv\n",
        "+-+-+\n" * 40,
    ],
)
def test_a_table_that_is_damaged_or_elsewhere_stays_text(read, text):
    document = read("a.rst", text)
    assert document.text.split() == text.split()
    assert document.tables == ()


def test_headings_have_the_levels_in_which_their_marks_appear(read):
    text = "=====\nTitle\n=====\n\nDues\n****\n\nText.\n\nWinter\n''''''\n\nPaid.\n----\n\nMore\n****\n\nText.\n"
    headings = document_json(read("a.rst", text))["headings"]
    assert [heading["path"] for heading in headings] == [
        *("Title", "Title > Dues", "Title > Dues > Winter", "Title > Dues > Winter > Paid."),
        "Title > More",
    ]


def test_comments_are_left_out_and_counted(read):
    text = "Fee: 14.\n\n.. not yet\n   decided\n\n.. _anchor:\n\n.. note:: Paid in cash.\n\n.. [1] A footnote.\n"
    document = read("a.rst", text)
    assert document.text == "Fee: 14.\n\n\n\n.. note:: Paid in cash.\n\n.. [1] A footnote."
    assert [(note.kind, note.count) for note in document.notes] == [("hidden_text", 1)]
