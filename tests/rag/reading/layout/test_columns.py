"""The columns of tables in PDF pages: which cells make them, and the time that thousands of them take."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from rag.reading.layout.tables.grid import find_columns
from rag.reading.layout.text_lines.lines import Line
from rag.reading.layout.text_lines.segments import Segment
from tests.security.linear_time import assert_linear

_LABEL_EDGE = 50.0


def _line(bottom: float, places: Iterable[tuple[float, float]]) -> Line:
    cells = [Segment("1", [0], left, right, bottom, 10.0, order) for order, (left, right) in enumerate(places)]
    return Line([Segment("Port", [0], 0.0, 40.0, bottom, 10.0, 0), *cells])


def _columns(*rows: list[tuple[float, float]]) -> list[tuple[float, float]]:
    lines = [_line(-12.0 * number, places) for number, places in enumerate(rows)]
    return [(column.left, column.right) for column in find_columns(lines, [], _LABEL_EDGE)]


def test_narrow_cells_make_the_columns_and_wide_ones_span_them():
    assert _columns([(60, 70), (90, 100)], [(58, 72), (92, 99)], [(60, 99)]) == [(0, 40), (58, 72), (90, 100)]


def test_close_columns_that_never_have_a_cell_in_one_line_are_one():
    assert _columns([(60, 70)], [(72, 80)], [(82, 90)]) == [(0, 40), (60, 90)]
    assert _columns([(60, 70)], [(72, 80)], [(60, 70), (72, 80)]) == [(0, 40), (60, 70), (72, 80)]


def test_a_cell_over_two_columns_doesnt_keep_them_apart():
    assert _columns([(60, 70)], [(72, 80)], [(60, 70)], [(60, 80)]) == [(0, 40), (60, 80)]


@pytest.mark.parametrize(
    "rows",
    [
        lambda columns: [[(60.0 + 20 * n, 70.0 + 20 * n) for n in range(columns)]] * 2,
        lambda columns: [[(60.0 + 12 * n, 70.0 + 12 * n) for n in range(part, columns, 2)] for part in range(2)],
        lambda columns: [[(60.0 + 12 * n, 70.0 + 12 * n)] for n in range(columns)],
    ],
    ids=["side by side", "in turn", "stairs"],
)
def test_thousands_of_columns_take_linear_time(rows):
    def work(columns: int) -> None:
        _columns(*rows(columns))

    assert_linear(work, "columns", sizes=(400, 4_000))
