"""PDFs with known words, figures and tables, in several layouts."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

_NAMES = "Skarv Holm Grunn Vik Sand Berg Dal Nes Lund Strand Fjell Odde Havn Eid Lom Voss Mo Bø Hov Ask"
_NOUNS = "lantern crane harbour keeper storm roof pier boat rock island ferry season wage engine barge"
_VERBS = "rebuilt raised measured painted repaired reached carried closed opened counted paid ordered"
NAMES, NOUNS, VERBS = _NAMES.split(), _NOUNS.split(), _VERBS.split()
Rows = list[list[str]]


@dataclass(frozen=True)
class Sample:
    """A PDF, the rows of its tables with their headers, spans filled in, and its words in reading order."""

    content: bytes
    tables: Sequence[Rows] = ()
    words: Sequence[str] = ()
    figures: Sequence[str] = field(default=())


def samples(layout: str, count: int) -> Iterator[Sample]:
    """Yield `count` samples of a layout, each with other content, the same in each run."""
    for number in range(count):
        yield LAYOUTS[layout](random.Random(f"{layout} {number}"))


def _figure(generator: random.Random, *, blank: bool = False) -> str:
    kinds: list[Callable[[], str]] = [
        lambda: str(generator.randrange(10)),
        lambda: f"{generator.randrange(10, 1000)}",
        lambda: f"{generator.randrange(1000, 10**6):,}",
        lambda: f"({generator.randrange(1, 5000):,})",
        lambda: f"{generator.uniform(0, 100):.1f}%",
        lambda: "—",
    ]
    if blank:
        kinds += [lambda: ""] * 4
    return generator.choice(kinds)()


def _rows(generator: random.Random, columns: int, *, blank: bool = False) -> Rows:
    names = generator.sample(NAMES, generator.randrange(5, 14))
    header = ["Port", *(str(year) for year in range(2024 - columns + 1, 2024))]
    body = [[name, *(_figure(generator, blank=blank) for _ in header[1:])] for name in names]
    # A row with all its figures, and a column with one at least, as in any real table.
    body[0][1:] = [f"{generator.randrange(10, 1000)}" for _ in header[1:]]
    return [header, *body]


def _canvas(draw: Callable[[Canvas], None], rotation: int = 0) -> bytes:
    from reportlab.pdfgen import canvas

    stream = io.BytesIO()
    sheet = canvas.Canvas(stream)
    if rotation:
        sheet.setPageRotation(rotation)
    draw(sheet)
    sheet.showPage()
    sheet.save()
    return stream.getvalue()


def _draw(
    sheet: Canvas, rows: Rows, *, right: bool, currency: bool = False, left: float = 60, top: float = 740
) -> None:
    """Draw each cell in its column; with `currency`, a sign stands at the left edge of the first row's cells."""
    width = 400 / len(rows[0])
    sheet.setFont("Helvetica", min(12, width / 5))
    for line, row in enumerate(rows):
        for column, text in enumerate(row):
            x, y = left + column * width + (60 if column else 0), top - 16 * line
            if right and column:
                sheet.drawRightString(x + width - 14, y, text)
                if currency and line == 1:
                    sheet.drawString(x, y, "$")
            else:
                sheet.drawString(x, y, text)


def _table(generator: random.Random, *, columns: int = 4, blank: bool = False, **options: Any) -> Sample:
    rotation = options.pop("rotation", 0)
    rows = _rows(generator, columns, blank=blank)
    content = _canvas(lambda sheet: _draw(sheet, rows, **options), rotation)
    drawn_rows = [row[:] for row in rows]
    if options.get("currency"):
        drawn_rows[1][1:] = [f"$ {text}" for text in rows[1][1:]]
    return Sample(content, [drawn_rows])


def _two_headers(generator: random.Random) -> Sample:
    rows = _rows(generator, 5)
    groups = ["", "Quarter ended", "Quarter ended", "Year ended", "Year ended"]

    def draw(sheet: Canvas) -> None:
        _draw(sheet, rows, right=True, top=724)
        width = 400 / 5
        for first, text in ((1, groups[1]), (3, groups[3])):
            start, end = 60 + first * width + 60, 60 + (first + 2) * width + 60
            sheet.drawCentredString((start + end) / 2 + 10, 740, text)

    return Sample(_canvas(draw), [[groups, *rows]])


def _label_between_headers(generator: random.Random) -> Sample:
    """Return a table whose label of the first column is in the middle of two header rows."""
    rows = _rows(generator, 5)
    groups = ["", "Quarter ended", "Quarter ended", "Year ended", "Year ended"]
    spans = [("SPAN", (0, 0), (0, 1)), ("SPAN", (1, 0), (2, 0)), ("SPAN", (3, 0), (4, 0))]
    style = [*spans, ("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("ALIGN", (1, 0), (-1, -1), "CENTER")]
    drawn = [["Port", groups[1], "", groups[3], ""], ["", *rows[0][1:]], *rows[1:]]
    return Sample(_flow(drawn, colWidths=[90, 70, 70, 70, 70], style=style), [[groups, *rows]])


def _flow(rows: Rows, place: str = "BOTTOM", **options: Any) -> bytes:
    """Return a PDF with a table; cells with several words wrap, unless the table has a style."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

    style, stream = getSampleStyleSheet()["Normal"], io.BytesIO()
    wraps = "style" not in options
    cells = [[Paragraph(text, style) if " " in text and wraps else text for text in row] for row in rows]
    options = {"style": [("VALIGN", (0, 0), (-1, -1), place)]} | options
    SimpleDocTemplate(stream).build([Table(cells, **options)])
    return stream.getvalue()


def _wrapped(generator: random.Random, place: str = "BOTTOM") -> Sample:
    header = ["Machine", "What was done", "Since"]
    rows = [
        [generator.choice(NAMES), _sentence(generator)[:-1], str(generator.randrange(1990, 2024))]
        for _ in range(generator.randrange(4, 9))
    ]
    return Sample(_flow([header, *rows], place, colWidths=[80, 170, 60]), [[header, *rows]])


def _long(generator: random.Random) -> Sample:
    rows = [["Device", "Serial", "Flow"]]
    rows += [[generator.choice(NAMES), str(100 + n), str(generator.randrange(100))] for n in range(90)]
    return Sample(_flow(rows), [rows])


def _sentence(generator: random.Random) -> str:
    nouns, verb, place = generator.sample(NOUNS, 3), generator.choice(VERBS), generator.choice(NAMES)
    count = f"{generator.randrange(2, 90_000):,}"
    return f"The {nouns[0]} was {verb} by the {nouns[1]} of {place} for {count} crowns at the {nouns[2]}."


def _prose(generator: random.Random, columns: int, *, by_line: bool) -> Sample:
    from reportlab.pdfbase.pdfmetrics import stringWidth

    width = (595 - 100 - 20 * (columns - 1)) / columns
    parts, words = [], []
    for column in range(columns):
        text = " ".join(_sentence(generator) for _ in range(24 // columns)).split()
        words += text
        line, y = "", 760.0
        for word in [*text, ""]:
            if word and stringWidth(f"{line} {word}", "Helvetica", 11) < width:
                line = f"{line} {word}".strip()
            else:
                parts.append((50 + column * (width + 20), y, line))
                line, y = word, y - 14
    if by_line:
        parts.sort(key=lambda part: -part[1])

    def draw(sheet: Canvas) -> None:
        sheet.setFont("Helvetica", 11)
        for part in parts:
            sheet.drawString(*part)

    return Sample(_canvas(draw), words=words)


def _columns_below_a_table(generator: random.Random) -> Sample:
    """Return a narrow table at the left, and two columns of prose below it that begin at different heights."""
    rows = _rows(generator, 3)[:6]
    lines, texts = [], []
    for left, top in ((60, 636.0), (320, 644.0)):
        text = " ".join(_sentence(generator) for _ in range(6)).split()
        texts += text
        lines += [(left, top - 14 * n, " ".join(text[6 * n : 6 * n + 6])) for n in range(-(-len(text) // 6))]

    def draw(sheet: Canvas) -> None:
        sheet.setFont("Helvetica", 10)
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                sheet.drawString(60 + 70 * column, 740 - 16 * number, text)
        for line in lines:
            sheet.drawString(*line)

    return Sample(_canvas(draw), [rows], texts)


def _notes(generator: random.Random) -> Sample:
    figures = [f"{generator.randrange(100, 90_000):,}" for _ in range(12)]

    def draw(sheet: Canvas) -> None:
        for number, figure in enumerate(figures):
            line = sheet.beginText(60, 760 - 20 * number)
            for text, size, rise in (
                (f"The {generator.choice(NOUNS)} cost {figure}", 11, 0),
                (str(generator.randrange(1, 10)), 7, 4),
                (" crowns in all.", 11, 0),
            ):
                line.setFont("Helvetica", size)
                line.setRise(rise)
                line.textOut(text)
            sheet.drawText(line)

    return Sample(_canvas(draw), figures=figures)


LAYOUTS: dict[str, Callable[[random.Random], Sample]] = {
    "table, columns at the left": lambda generator: _table(generator, right=False),
    "table, figures at the right": lambda generator: _table(generator, right=True),
    "table, currency signs apart": lambda generator: _table(generator, right=True, currency=True),
    "table, ten columns": lambda generator: _table(generator, columns=10, right=True),
    "table, blank cells": lambda generator: _table(generator, columns=5, blank=True, right=True),
    "table, turned page": lambda generator: _table(generator, right=False, rotation=90, top=540),
    "table, two header rows": _two_headers,
    "table, label between headers": _label_between_headers,
    "table, cells of several lines": _wrapped,
    "table, cells in the middle": lambda generator: _wrapped(generator, "MIDDLE"),
    "table over pages": _long,
    "prose, one column": lambda generator: _prose(generator, 1, by_line=True),
    "prose, two columns by line": lambda generator: _prose(generator, 2, by_line=True),
    "prose, three columns": lambda generator: _prose(generator, 3, by_line=False),
    "prose, columns below a table": _columns_below_a_table,
    "figures with notes": _notes,
}
