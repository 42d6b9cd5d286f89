"""Small files that take a reader much time or memory."""

from __future__ import annotations

import io
from functools import cache


@cache
def nested_forms(depth: int = 26) -> bytes:
    """A PDF whose forms each draw the previous one twice: 2 ** depth words."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(buffer := io.BytesIO())
    canvas.beginForm("form0")
    canvas.drawString(9, 9, "word")
    canvas.endForm()
    for number in range(1, depth + 1):
        canvas.beginForm(f"form{number}")
        canvas.doForm(f"form{number - 1}")
        canvas.doForm(f"form{number - 1}")
        canvas.endForm()
    canvas.doForm(f"form{depth}")
    canvas.save()
    return buffer.getvalue()


@cache
def many_cells(count: int = 148_000) -> bytes:
    """A Word file of a few kB with a table of empty cells: megabytes of XML."""
    import docx
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    document = docx.Document()
    cells = "<w:tc><w:p/></w:tc>" * count
    document.element.body.append(parse_xml(f"<w:tbl {nsdecls('w')}><w:tr>{cells}</w:tr></w:tbl>"))
    document.save(buffer := io.BytesIO())
    return buffer.getvalue()


@cache
def backticks(megabytes: int = 2) -> bytes:
    """A CSV file whose cells are nothing but backticks, which begin code in Markdown."""
    return b"`,```,``\n" * (megabytes * 1_000_000 // 9)
