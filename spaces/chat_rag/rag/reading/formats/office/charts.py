"""The figures of a chart in an office file, as a table: a row for each category, a column for each series."""

from __future__ import annotations

from typing import Any

from rag.reading.formats.office.diagrams import drawn_text
from rag.reading.formats.office.number_format import display_value
from rag.reading.markdown.cells import GridCell
from rag.reading.markdown.content_writer import ContentWriter

_SERIES, _CATEGORIES, _VALUES = "{*}ser", ("{*}cat", "{*}xVal"), ("{*}val", "{*}yVal")


def add_chart(writer: ContentWriter, root: Any) -> None:
    """Add the table of a chart, with its title as caption; the file stores the figures that it shows."""
    series = list(root.iter(_SERIES))
    categories: dict[int, str] = {}
    for one in series:
        categories |= {number: text for number, text in _points(one, _CATEGORIES).items() if number not in categories}
    columns = [_points(one, _VALUES) for one in series]
    numbers = sorted(set(categories).union(*columns))
    cells = [GridCell(0, column, _name(one), header=True) for column, one in enumerate(series, 1)]
    for row, number in enumerate(numbers, 1):
        texts = [categories.get(number, ""), *(points.get(number, "") for points in columns)]
        cells += [GridCell(row, column, text) for column, text in enumerate(texts) if text]
    title = next((title for title in root.iter("{*}title") if title.getparent().tag.endswith("}chart")), None)
    writer.add_table(cells, drawn_text(title) if title is not None else "")


def _name(series: Any) -> str:
    return " ".join(value.text or "" for value in series.iterfind("{*}tx//{*}v"))


def _points(series: Any, names: tuple[str, str]) -> dict[int, str]:
    """Return the texts of points by their numbers; a category of several levels is the outer one and the inner one."""
    points: dict[int, list[str]] = {}
    for name in names:
        for element in series.iterchildren(name):
            number_format = element.findtext(".//{*}formatCode") or "General"
            for point in element.iter("{*}pt"):
                text = point.findtext("{*}v") or ""
                if point.getparent().tag.endswith("}numCache"):
                    text = _figure(text, number_format)
                points.setdefault(int(point.get("idx", "0")), []).append(text)
    return {number: " ".join(reversed(texts)) for number, texts in points.items()}


def _figure(text: str, number_format: str) -> str:
    from openpyxl.styles.numbers import is_date_format
    from openpyxl.utils.datetime import from_excel

    try:
        value = float(text)
        return display_value(from_excel(value) if is_date_format(number_format) else value, number_format)
    except (ValueError, OverflowError):
        return text
