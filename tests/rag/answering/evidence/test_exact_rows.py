"""A figure of a long report is sure if it has the label and the period of a question, and no table another one."""

from __future__ import annotations

import pytest

from rag.answering.evidence.exact_rows import is_exactly_asked, is_part_of_larger
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.split import Unit, find_units
from rag.documents import Document, Passage
from rag.reading.markdown.find_tables import find_markdown_tables

REPORT = """# Brio Inc.

Results (in millions, except per share data):

| | Three Months Ended June 30, 2025 | Three Months Ended June 30, 2024 |
|---|---|---|
| Net sales | 9,450 | 8,210 |
| Fulfillment | 2,130 | 1,980 |
| Operating income | 768 | 331 |
| Cash flows from financing activities: | | |
| Dividends paid | (99) | (98) |

Segments (in millions):

| | Three Months Ended June 30, 2025 | Three Months Ended June 30, 2024 |
|---|---|---|
| North | | |
| Operating income | 502 | 211 |
| South | | |
| Operating income | 266 | 120 |

The effect of exchange rates (in millions):

| | As Reported Three Months Ended June 30, 2025 | Exchange Effect Three Months Ended June 30, 2025 |
|---|---|---|
| Operating income | 768 | (10) |

Compensation in shares is as follows (in millions):

| | Three Months Ended June 30, 2025 | Three Months Ended June 30, 2024 |
|---|---|---|
| Fulfillment | 93 | 76 |
"""


@pytest.fixture(scope="module")
def units() -> list[Unit]:
    tables = tuple(find_markdown_tables(REPORT))
    document = Document("d", "brio.md", REPORT, (), "text/markdown", tables=tables)
    passage = Passage(1, "d", "brio.md", None, "", 0, len(REPORT), REPORT, 1.0, None, None)
    return find_units([passage], {"d": document})


@pytest.mark.parametrize(
    ("question", "figure", "is_exact"),
    [
        ("What was Brio's operating income in the second quarter of 2025?", "768", True),
        ("How much did Brio pay in cash dividends in the second quarter of 2025?", "(99)", True),
        ("What were Brio's net sales in the second quarter of 2024?", "8,210", True),
        ("What were Brio's net sales in the second quarter of 2024?", "9,450", False),  # of another period
        ("What were Brio's net sales?", "9,450", False),  # of any period
        ("How much did Brio spend on fulfillment in the second quarter of 2025?", "93", False),  # 2,130 as well
        ("What were Brio's net sales of boats in the second quarter of 2025?", "9,450", False),
        ("By how much did operating income grow in the second quarter of 2025?", "768", False),
    ],
)
def test_the_only_figure_for_what_is_asked(units: list[Unit], question: str, figure: str, is_exact: bool) -> None:
    unit = next(unit for unit in units if unit.cell and unit.cell.text == figure)
    assert is_exactly_asked(Question(question), unit) is is_exact


@pytest.mark.parametrize(
    ("question", "figure", "is_part"),
    [
        ("How much did Brio spend on fulfillment in the second quarter of 2025?", "93", True),
        ("How much did Brio spend on fulfillment in the second quarter of 2025?", "2,130", False),
        ("What was Brio's operating income in the second quarter of 2025?", "768", False),
        ("What were the costs of boats for fulfillment in the second quarter of 2025?", "93", False),
        ("What was the operating income of Brio in the North in the second quarter of 2025?", "502", False),
    ],
)
def test_another_table_has_more_of_what_is_asked(units: list[Unit], question: str, figure: str, is_part: bool) -> None:
    unit = next(unit for unit in units if unit.cell and unit.cell.text == figure)
    assert is_part_of_larger(Question(question), unit) is is_part
