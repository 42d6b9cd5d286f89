"""Several tables on one sheet, tables with empty columns and rows inside, and headers of several rows."""

from __future__ import annotations

import pytest

from tests.rag import make_office as make


def tables(read, *lines, merged=(), first_row=1):
    """Return the rows of each table of a sheet; a None is a blank cell."""

    def fill(book):
        for number, line in enumerate(lines, first_row):
            for column, value in enumerate(line, 1):
                if value is not None:
                    book.active.cell(number, column, value)
        for place in merged:
            book.active.merge_cells(place)

    document = read("a.xlsx", make.workbook(fill))
    found = []
    for table in document.tables:
        cells: dict[int, dict[int, str]] = {}
        for cell in table.cells:
            cells.setdefault(cell.row, {})[cell.column] = document.text[cell.start : cell.end]
        width = max(cell.column + cell.column_span for cell in table.cells)
        found.append([[row.get(column, "") for column in range(width)] for _, row in sorted(cells.items())])
    headers = [{cell.row for cell in table.cells if cell.header} for table in document.tables]
    return found, headers, [table.caption for table in document.tables]


def test_narrow_empty_columns_do_not_part_figures_from_their_labels(read):
    (table,), headers, _ = tables(
        read,
        ["In millions", None, None, None, None, None, "June 2023"],
        [None, "Sales", "Profit", None, "Other income", "of which costs", "Depreciation"],
        [],
        ["Zone North", 12553, 2713, None, -81, -44, -337],
        ["Zone South", 9467, 1570, None, -197, -140, -414],
        ["Total", 22020, 4283, None, -278, -184, -751],
    )
    assert table == [
        ["In millions", "", "", "", "", "June 2023"],
        ["", "Sales", "Profit", "Other income", "of which costs", "Depreciation"],
        ["Zone North", "12553", "2713", "-81", "-44", "-337"],
        ["Zone South", "9467", "1570", "-197", "-140", "-414"],
        ["Total", "22020", "4283", "-278", "-184", "-751"],
    ]
    assert headers == [{0, 1}]


def test_a_column_of_numbers_behind_an_empty_one_belongs_to_the_rows_beside_it(read):
    (table,), _, _ = tables(
        read, ["Topic", "Period", None, "Page"], ["Revenue", "2 years", None, 4], ["Churn", "one year", None, 7]
    )
    assert table == [["Topic", "Period", "Page"], ["Revenue", "2 years", "4"], ["Churn", "one year", "7"]]


def test_numbers_before_an_empty_column_count_the_rows_beside_it(read):
    (table,), _, _ = tables(
        read,
        ["1.1", None, "Rated voltage", "kV", 130],
        ["1.2", None, "Frequency", "Hz", 134],
        ["1.3", None, "Current", "A", 135],
    )
    assert table[1] == ["1.2", "Frequency", "Hz", "134"]


@pytest.mark.parametrize(
    ("right", "rows"),
    [
        ([("Boat", "Berth"), ("Tern", 4), ("Gull", 5)], 3),  # names
        ([("Year", "Boats"), (2023, 12), (2024, 15)], 3),  # years
        ([("No.", "Boat"), (1, "Tern"), (2, "Gull")], 3),  # numbers of names
    ],
)
def test_tables_beside_each_other_are_apart(read, right, rows):
    left = [("Port", "Fee"), ("Skarv", 14), ("Holm", 9)]
    found, headers, _ = tables(read, *([*one, None, *other] for one, other in zip(left, right, strict=True)))
    assert found == [[list(map(str, row)) for row in left], [list(map(str, row)) for row in right]]
    assert headers == [{0}, {0}]


def test_tables_below_each_other_are_apart_beside_a_longer_one(read):
    found, headers, _ = tables(
        read,
        ["Port", "Fee", None, "Boat", "Berth"],
        ["Skarv", 14, None, "Tern", 3],
        [None, None, None, "Gull", 4],
        ["Year", "Cost", None, "Auk", 5],
        [2023, 77, None, "Skua", 6],
        [2024, 88, None, "Eider", 7],
    )
    assert [table[0] for table in found] == [["Port", "Fee"], ["Year", "Cost"], ["Boat", "Berth"]]
    assert found[1][1:] == [["2023", "77"], ["2024", "88"]]
    assert headers == [{0}, {0}, {0}]


def test_a_title_over_two_tables_does_not_join_them(read):
    found, _, captions = tables(
        read,
        ["Harbour report"],
        ["Port", "Fee", None, "Boat", "Berth"],
        ["Skarv", 14, None, "Tern", 3],
        merged=["A1:E1"],
    )
    assert found == [[["Port", "Fee"], ["Skarv", "14"]], [["Boat", "Berth"], ["Tern", "3"]]]
    assert captions == ["Harbour report", ""]


@pytest.mark.parametrize("title", [["Costs", None], None])
def test_a_second_header_begins_another_table_without_an_empty_row(read, title):
    lines = [["Port", "Fee"], ["Skarv", 14], ["Holm", 9], title, ["Port", "Cost"], ["Skarv", 5], ["Holm", 6]]
    found, headers, captions = tables(read, *filter(None, lines))
    assert found == [
        [["Port", "Fee"], ["Skarv", "14"], ["Holm", "9"]],
        [["Port", "Cost"], ["Skarv", "5"], ["Holm", "6"]],
    ]
    assert headers == [{0}, {0}]
    assert captions == ["", "Costs" if title else ""]


def test_titles_of_sections_do_not_end_a_table(read):
    lines = [["Item", 2023, 2024], ["Assets"], ["Cash", 1, 2], ["Debts"], ["Loans", 3, 4], ["Fees", "unknown", "none"]]
    found, headers, _ = tables(read, *lines)
    assert len(found) == 1
    assert headers == [{0}]


@pytest.mark.parametrize(
    "second",
    [
        [None, "EUR m", "EUR m", "%"],
        ["Unit", "(million)", "(million)", "(%)"],
        [None, "Plan", "Actual", "Share"],
    ],
)
def test_a_second_row_of_units_belongs_to_the_header(read, second):
    (table,), headers, _ = tables(
        read, ["Region", "Sales", "Costs", "Share"], second, ["North", 12, 7, 3], ["South", 13, 8, 4]
    )
    assert headers == [{0, 1}]
    assert len(table) == 4


@pytest.mark.parametrize("second", [["Anna", "n/a", "n/a", "none"], ["Anna", "yes", "no", "no"], [None, "-", "-", "-"]])
def test_a_first_row_of_data_is_no_header(read, second):
    _, headers, _ = tables(read, ["Name", "Age", "Fee", "Share"], second, ["Bert", 12, 7, 3], ["Cleo", 13, 8, 4])
    assert headers == [{0}]


def test_groups_of_columns_reach_to_the_next_group_without_merged_cells(read):
    (table,), headers, _ = tables(
        read,
        [None, "2023", None, "2024", None],
        ["Region", "Plan", "Actual", "Plan", "Actual"],
        ["North", 12, 7, 3, 5],
        ["South", 13, 8, 4, 6],
    )
    assert headers == [{0, 1}]
    assert table[1] == ["Region", "Plan", "Actual", "Plan", "Actual"]


def test_group_spans_reach_over_their_columns(read):
    def fill(book):
        for line in (
            [None, "2023", None, "2024", None],
            ["Region", "Plan", "Actual", "Plan", "Actual"],
            ["North", 12, 7, 3, 5],
        ):
            book.active.append(line)

    document = read("a.xlsx", make.workbook(fill))
    assert "|  | 2023 | 2023 | 2024 | 2024 |" in document.text
    assert [cell.column_span for cell in document.tables[0].cells][:2] == [2, 2]


def test_a_block_at_the_corner_of_another_is_a_table_of_its_own(read):
    found, headers, _ = tables(
        read,
        ["Port", "Fee"],
        ["Skarv", 14],
        [None, None, "Boat", "Berth"],
        [None, None, "Tern", 3],
        [None, None, "Gull", 4],
    )
    assert found == [[["Port", "Fee"], ["Skarv", "14"]], [["Boat", "Berth"], ["Tern", "3"], ["Gull", "4"]]]
    assert headers == [{0}, {0}]


def test_notes_over_all_columns_are_lines(read):
    def fill(book):
        for row, line in enumerate(
            (["Port", "Fee"], ["Skarv", 14], [], ["(a) Without boats."], ["(b) With taxes."]), 1
        ):
            for column, value in enumerate(line, 1):
                book.active.cell(row, column, value)
        book.active.merge_cells("A4:B4")
        book.active.merge_cells("A5:B5")

    document = read("a.xlsx", make.workbook(fill))
    assert len(document.tables) == 1
    assert document.text.endswith("| Skarv | 14 |\n\n(a) Without boats.\n\n(b) With taxes.")


def test_a_column_of_labels_belongs_to_the_values_behind_an_empty_one(read):
    (table,), _, _ = tables(
        read, ["Voltage", None, "kV", ":", 130], ["Frequency", None, "Hz", ":", 50], ["Phases", None, None, ":", 3]
    )
    assert table[1] == ["Frequency", "Hz", ":", "50"]
