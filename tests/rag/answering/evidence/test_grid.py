from __future__ import annotations

import pytest

from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.cell_kinds import has_kind
from rag.answering.evidence.tables.figure_lines import find_figure_tables
from rag.answering.evidence.tables.figures import (
    find_unit,
    is_blank,
    is_figure,
    is_measure,
    is_period,
    value,
    without_note_mark,
)
from rag.answering.evidence.tables.grid import Grid, LabeledCell
from rag.answering.evidence.tables.row_labels import is_share
from rag.documents import Cell, Limits, Table
from rag.reading.formats.html.page import read_html
from rag.reading.markdown.find_tables import find_markdown_tables


def cells_of(text: str) -> list[LabeledCell]:
    return list(Grid(find_markdown_tables(text)[0], text).labeled_cells())


def labels_of(text: str) -> dict[str, tuple[str, str, str]]:
    return {cell.text: (cell.section, cell.row_label, cell.column_header) for cell in cells_of(text)}


def test_a_figure_has_the_labels_of_all_header_rows() -> None:
    labels = labels_of(
        "|  | Domestic |  | International |  |\n|---|---|---|---|---|\n|  | September 30, |  | September 30, |  |\n"
        "|  | 2019 | 2018 | 2019 | 2018 |\n| Discount rate | 4.00% | 3.75% | 1.90% | 2.80% |\n"
    )
    assert labels["3.75%"] == ("", "Discount rate", "Domestic September 30, 2018")
    assert labels["1.90%"] == ("", "Discount rate", "International September 30, 2019")


def test_a_header_in_the_middle_belongs_to_all_columns() -> None:
    labels = labels_of(
        "|  |  | Fiscal |  |\n|---|---|---|---|\n|  | 2019 | 2018 | 2017 |\n|  |  | (in millions) |  |\n"
        "| Solutions: |  |  |  |\n| Sensors | 914 | 918 | 814 |\n| Total | 1 | 2 | 3 |\n| Cash | 7 | 8 | 9 |\n"
    )
    assert labels["918"] == ("Solutions:", "Sensors", "Fiscal 2018")
    assert labels["8"] == ("", "Cash", "Fiscal 2018"), "a total ends its section"


def test_merged_cells_stand_at_each_of_their_places() -> None:
    text = "Revenue 2022 2021 North 10 20"
    spans = {word: (text.index(word), text.index(word) + len(word)) for word in text.split()}
    cells: tuple[Cell, ...] = (
        Cell(0, 1, *spans["Revenue"], column_span=2, header=True),
        Cell(1, 1, *spans["2022"], header=True),
        Cell(1, 2, *spans["2021"], header=True),
        Cell(2, 0, *spans["North"]),
        Cell(2, 1, *spans["10"]),
        Cell(2, 2, *spans["20"]),
    )
    cells = tuple(sorted(cells, key=lambda cell: (cell.row, cell.column)))
    labels = {cell.text: cell.column_header for cell in Grid(Table(0, len(text), cells), text).labeled_cells()}
    assert labels == {"10": "Revenue 2022", "20": "Revenue 2021"}


FILING = (  # labels are three columns wide, signs have cells of their own, and blank rows keep the others apart
    "<table>"
    "<tr><td colspan=3></td><td colspan=3>Weeks Ended</td></tr>"
    "<tr><td colspan=3></td><td colspan=3>May 3, 2025</td></tr>"
    "<tr><td colspan=3></td><td colspan=3></td></tr>"
    "<tr><td colspan=3>SALES</td><td>$</td><td>810</td><td></td></tr>"
    "<tr><td colspan=3></td><td colspan=3></td></tr>"
    "<tr><td colspan=3>COSTS:</td><td colspan=3></td></tr>"
    "<tr><td colspan=3>Rent</td><td></td><td>200</td><td></td></tr>"
    "<tr><td colspan=3>Fines</td><td></td><td>—</td><td></td></tr>"
    "<tr><td colspan=3>Wages</td><td></td><td>320</td><td></td></tr>"
    "<tr><td colspan=3></td><td></td><td>520</td><td></td></tr>"
    "<tr><td colspan=3></td><td colspan=3></td></tr>"
    "<tr><td colspan=3>MARGIN</td><td></td><td>35.8</td><td>%</td></tr>"
    "</table>"
)


def test_the_rows_of_a_filing_have_their_headers_sections_and_signs() -> None:
    content = read_html(FILING.encode(), "filing.html", Limits())
    cells = Grid(content.tables[0], content.text).labeled_cells()
    assert [(cell.section, cell.row_label, cell.column_header, cell.text) for cell in cells] == [
        ("", "SALES", "Weeks Ended May 3, 2025", "810"),
        ("COSTS:", "Rent", "Weeks Ended May 3, 2025", "200"),
        ("COSTS:", "Wages", "Weeks Ended May 3, 2025", "320"),
        ("", "COSTS", "Weeks Ended May 3, 2025", "520"),
        ("", "MARGIN", "Weeks Ended May 3, 2025", "35.8%"),
    ]


def test_a_row_that_begins_with_a_date_is_named_by_its_words() -> None:
    rows = "| 07/08/2015 | Harlow Foods | 129 |\n| 07/09/2015 | Acme | 50 |\n"
    labels = labels_of(f"| Received | Company | Staff |\n|---|---|---|\n{rows}")
    assert labels["129"] == ("", "07/08/2015 Harlow Foods", "Staff")


def test_a_blank_cell_is_no_answer() -> None:
    assert set(labels_of("| | 2022 | 2021 | 2020 |\n|---|---|---|---|\n| Fees | n/a | — | 12 |\n")) == {"12"}
    assert all(map(is_blank, ["", "—", "-", "n/a", "N/A", "- - %", "$ —", "nm"]))


def test_negative_figures_have_parentheses_or_a_minus() -> None:
    assert [value(text) for text in ("(1,234)", "$ (5)", "-3 (3)", "−7.5%", "12", "$1,452.4")] == [
        -1234, -5, -3, -7.5, 12, 1452.4,
    ]  # fmt: skip
    assert all(map(is_figure, ["(1,234)", "$ (5)", "-3 (3)", "4.25%", "$  1,452.4", "1.5x", "12 (a)"]))


def test_thousands_have_commas_points_or_spaces() -> None:
    assert [value(text) for text in ("1,234,567", "1.234.567", "1.234,56", "1'234", "12,5")] == [
        1234567, 1234567, 1234.56, 1234, 12.5,
    ]  # fmt: skip


def test_figures_with_the_symbol_of_a_unit_are_no_names_of_columns() -> None:
    rows = "| Power | 640 W | 12 W |\n| Area | 45 m² | 7 m² |\n| Weight | 17.4 kg | 2 kg |\n| Price | 329 | 80 |\n"
    labels = labels_of("| | Large | Small |\n|---|---|---|\n" + rows)
    assert labels["640 W"] == ("", "Power", "Large")
    assert labels["80"] == ("", "Price", "Small")
    sizes = labels_of("| Paint | 250 ml | 2 l |\n|---|---|---|\n| White | 4.50 | 19.90 |\n")
    assert sizes["19.90"] == ("", "White", "2 l"), "sizes in the first row name columns"
    assert all(map(is_measure, ["25 l", "640 W", "20 °C", "60 km/h", "5mm"]))
    assert not any(map(is_measure, ["2 yr", "3Q", "12 months", "R290", "2019", "1H"]))


def test_years_and_dates_are_no_figures() -> None:
    assert all(map(is_period, ["2019", "FY19", "June 30, 2022", "Q3 2022", "Fiscal 2019", "Year ended 2018"]))
    assert not any(map(is_figure, ["2019", "FY19", "June 30, 2022", "Total"]))


def test_the_numbers_of_named_rows_are_cells_too() -> None:
    table = "| {} | Article | Price |\n|---|---|---|\n| A-11 | Cutter | 12.50 |\n| A-12 | Mallet | 11.20 |\n"
    cells = {cell.text: cell for cell in cells_of(table.format("Art. no."))}
    assert (cells["A-12"].row_label, cells["A-12"].column_header) == ("A-12 Mallet", "Art. no.")
    assert cells["11.20"].row_words == "Mallet Art. no."
    assert "A-12" not in labels_of(table.format(" "))


def test_a_unit_in_brackets_is_no_footnote_mark() -> None:
    texts = ("Power (W)", "Weight (g)", "Profit (a)")
    assert [*map(without_note_mark, texts)] == ["Power (W)", "Weight (g)", "Profit"]


def test_footnote_marks_are_no_part_of_a_label() -> None:
    labels = labels_of("| | 2022 (a) | 2021 |\n|---|---|---|\n| Services (3) | 12 | 13 |\n| Rent* | 1 | 2 |\n")
    assert labels["12"] == ("", "Services", "2022")
    assert labels["2"] == ("", "Rent", "2021")


def test_the_second_part_of_a_table_has_its_own_header() -> None:
    labels = labels_of("| | 2022 | 2021 |\n|---|---|---|\n| Rent | 1 | 2 |\n| | 2020 | 2019 |\n| Rent | 3 | 4 |\n")
    assert (labels["2"][2], labels["4"][2]) == ("2021", "2019")


def test_a_header_keeps_its_words_beside_its_unit() -> None:
    text = "| Mode | Cost ($ thousands) | Staff |\n|---|---|---|\n| Bus | 58,120 | 612 |\n| Ferry | 9,112 | 58 |\n"
    assert labels_of(text)["9,112"] == ("", "Ferry", "Cost")
    assert {cell.text: cell.unit for cell in cells_of(text)[:2]} == {"58,120": "$ thousands", "612": ""}
    assert Grid(find_markdown_tables(text)[0], text).unit == "", "staff isn't counted in thousands of dollars"


def test_a_unit_below_the_names_of_columns_is_no_name() -> None:
    text = "| | 2019 €m | 2018 |\n|---|---|---|\n| | | (in millions) |\n| Fees | 4 | 5 |\n"
    assert labels_of(text)["4"] == ("", "Fees", "2019")
    assert labels_of(text)["5"] == ("", "Fees", "2018")


def test_the_unit_of_a_table() -> None:
    assert find_unit("(In millions, except per share data)") == "In millions, except per share data"
    assert find_unit("Sales were as follows (in thousands):") == "in thousands"
    assert (find_unit("€ million"), find_unit("Interest in companies")) == ("€ million", "")


PAGE = """Apple Inc.
Net sales were as follows (in millions):
Three Months Ended Nine Months Ended
June 25, 2022 June 26, 2021 June 25, 2022 June 26, 2021
iPhone (1) $ 40,665 $ 39,570 $ 162,863 $ 153,105
Mac 7,382 8,235 28,669 26,012
Odd row 7 8
Cash flow (148) — (74) 1
The amounts of 2022 include sales of 12 and of other things, which were described in the notes above.
"""


def test_lines_of_figures_are_a_table() -> None:
    (table,) = find_figure_tables(PAGE, 0, len(PAGE))
    labels = {cell.text: (cell.row_label, cell.column_header) for cell in Grid(table, PAGE).labeled_cells()}
    assert labels["$ 162,863"] == ("iPhone", "Nine Months Ended June 25, 2022")
    assert labels["8,235"] == ("Mac", "Three Months Ended June 26, 2021")
    assert labels["(74)"] == ("Cash flow", "Nine Months Ended June 25, 2022")
    assert "7" not in labels, "with two figures for four columns, nobody knows their columns"


def test_prose_is_no_table() -> None:
    assert find_figure_tables("2022 was good\nIt had 12\nand 13 more 5\n", 0, 38) == []


def test_a_numbered_row_is_named_by_its_words() -> None:
    labels = labels_of(
        "| Item | Description | Price |\n|---|---|---|\n| 1001 | Oak desk | 389 |\n| 1002 | Chair | 214 |\n"
    )
    assert labels["389"] == ("", "1001 Oak desk", "Price")
    assert labels["Oak desk"] == ("", "1001", "Description")


def test_a_year_names_its_row() -> None:
    labels = labels_of("| Year | Place | Price |\n|---|---|---|\n| 2001 | Oslo | 389 |\n| 2002 | Rome | 214 |\n")
    assert labels["214"] == ("", "2002", "Price")


def test_the_words_of_a_row() -> None:
    cells = cells_of("| Date | From | To | Price |\n|---|---|---|---|\n| 6 June | Oslo | Rome | 120 |\n")
    assert {cell.row_words for cell in cells} == {"Oslo Rome"}


@pytest.mark.parametrize(
    ("question", "header", "text", "expected"),
    [
        ("How much is a chair?", "Unit price (EUR)", "48.90", True),
        ("How much is a chair?", "Quantity", "6", False),
        ("How much is a chair?", "2022", "6", None),
        ("How much is a chair?", "Three Months Ended June 30, 2023", "6", None),  # a period, no duration
        ("How many chairs were ordered?", "Quantity", "6", True),
        ("How many chairs were ordered?", "Net amount (EUR)", "48.90", False),
        ("What is the tax rate?", "VAT rate", "19%", True),
        ("What is the tax rate?", "Net amount", "19", False),
        ("What fraction of chairs is new?", "Fraction", "0.45", True),
        ("What proportion of chairs is new?", "Proportion", "0.45", True),
        ("How long does it take?", "Minutes", "45", True),
        ("How long does it take?", "Price (CHF)", "45", False),
        ("How long is it valid?", "Valid for", "two years", True),
        ("How long does it take?", "Duration", "3 h", True),
        ("How long does it take?", "Interval", "every 8 years", False),
        ("How often is it done?", "Interval", "every 8 years", True),
        ("How often is it done?", "Duration", "3 h", False),
        ("How often is it done?", "Interval", "8 h", None),
        ("When is it due?", "Due", "31 October", True),
        ("Who does it?", "Who", "Marta Kowal", True),
        ("Who does it?", "Price", "45", False),
        ("Who does it?", "Room", "North Hall", False),
        ("Where is it made?", "Workshop", "North Hall", True),
        ("Where is it made?", "Since", "1978", False),
        ("Where is it made?", "Manager", "Marta Kowal", False),
        ("How much does a chair weigh?", "Weight", "398 g", True),
        ("What does a chair cost?", "Weight", "398 g", False),
        ("What percentage is new?", "PCT", ".267", True),
        ("What is a chair?", "Price", "45", None),
        ("How many chairs were sold?", "2023", "45", None),
        ("How many chairs were sold?", "2023", "$ 45", False),
    ],
)  # fmt: skip
def test_the_column_says_what_kind_its_figures_have(
    question: str, header: str, text: str, expected: bool | None
) -> None:
    cell = LabeledCell(Cell(1, 1, 0, len(text)), text, "Chair", "", header, 0, len(text))
    assert has_kind(Question(question), cell) is expected


def test_a_named_row_of_words_below_the_header_has_values() -> None:
    labels = labels_of(
        "| Item | Upper limit | Comment |\n|---|---|---|\n| database size | unlimited | |\n"
        "| relation size | 32 TB | with blocks of 8 kB |\n| columns | 1,600 | fewer with wide ones |\n"
    )
    assert labels["unlimited"] == ("", "database size", "Upper limit")
    assert labels["32 TB"] == ("", "relation size", "Upper limit")


def test_the_corner_above_marked_headers_needs_no_mark() -> None:
    text = "Feature Basic Pro Support email phone"
    spans = {word: (text.index(word), text.index(word) + len(word)) for word in text.split()}
    cells = tuple(
        Cell(number // 3, number % 3, *spans[word], header=word in ("Basic", "Pro"))
        for number, word in enumerate(text.split())
    )
    labeled = Grid(Table(0, len(text), cells), text).labeled_cells()
    assert {cell.text: (cell.row_label, cell.column_header) for cell in labeled} == {
        "email": ("Support", "Basic"),
        "phone": ("Support", "Pro"),
    }


def test_a_share_belongs_to_its_own_section() -> None:
    labels = labels_of(
        "| | Value |\n|---|---|\n| Women | |\n| Mean age | 54 |\n| % of smokers | 12.5 |\n"
        "| Men | |\n| As a % of all | 48 |\n| Mean age | 57 |\n| As a percentage of limit | 63 |\n"
    )
    assert labels["12.5"] == ("Women", "% of smokers", "Value")
    assert labels["48"] == ("Men", "As a % of all", "Value"), "the row above is in another section"
    assert labels["63"] == ("Men: Mean age", "As a percentage of limit", "Value")


def test_a_share_without_a_whole_is_one_of_the_row_above() -> None:
    assert all(
        map(is_share, ["As a percentage of revenue", "As a % of total assets", "% of net sales", "Percent of revenues"])
    )
    assert not any(map(is_share, ["% of smokers", "Percentage of sales online", "Share", "Change as a % of sales"]))


def test_a_row_with_words_and_no_label_has_that_of_the_row_above() -> None:
    labels = labels_of(
        "| Item | Size | Price |\n|---|---|---|\n| Drinks | | |\n| Coffee | Small | 2.50 |\n| | Large | 3.50 |\n"
        "| | 500 ml | 3.90 |\n| Tea | Small | 2.00 |\n| | (a) | 8.40 |\n| Cake | Slice | 4.20 |\n"
    )
    assert labels["3.50"] == ("Drinks", "Coffee", "Price")
    assert labels["3.90"] == ("Drinks", "Coffee", "Price")
    assert labels["2.00"] == ("Drinks", "Tea", "Price")
    assert labels["8.40"] == ("", "Drinks", "Price"), "the mark of a note isn't a word: it's the total"
    assert labels["4.20"] == ("", "Cake", "Price")


def test_a_total_in_another_column_is_none_of_the_row_above() -> None:
    labels = labels_of(
        "| Item | Wood | Price |\n|---|---|---|\n| Desks | | |\n| Desk | Oak | 389 |\n"
        "| | Pine | 214 |\n| | Total | 603 |\n"
    )
    assert labels["214"] == ("Desks", "Desk", "Price")
    assert labels["603"] == ("", "Desks", "Price")
    numbered = labels_of(
        "| Item | Description | Price |\n|---|---|---|\n| 1001 | Oak desk | 389 |\n| 1002 | Chair | 214 |\n"
        "| | Delivery | 20 |\n"
    )
    assert numbered["20"] == ("", "Delivery", "Price")
