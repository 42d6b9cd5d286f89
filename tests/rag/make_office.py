"""Spreadsheets, presentations and OpenDocument files that the tests read."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote

from tests.rag.make_documents import archive

_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"


def workbook(fill: Callable[[Any], None]) -> bytes:
    """Return an XLSX file that `fill` has filled, with openpyxl."""
    import openpyxl

    book = openpyxl.Workbook()
    fill(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def workbook_with_rows(rows: str) -> bytes:
    """Return an XLSX file with a table of two rows, and below it the XML `rows`."""
    import zipfile

    def fill(book: Any) -> None:
        for row in (("Port", "Fee"), ("Skarv", 14)):
            book.active.append(row)

    with zipfile.ZipFile(io.BytesIO(workbook(fill))) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"</sheetData>", rows.encode() + b"</sheetData>")
    return archive(parts)


def old_workbook() -> bytes:
    """Return an XLS file with a title, a table with formats, and a hidden sheet."""
    import xlwt

    def style(number_format: str) -> Any:
        result = xlwt.XFStyle()
        result.num_format_str = number_format
        return result

    book = xlwt.Workbook()
    sheet = book.add_sheet("Dues")
    sheet.write_merge(0, 0, 0, 2, "Harbour dues")
    for column, text in enumerate(("Port", "Share", "From")):
        sheet.write(1, column, text)
    sheet.write(2, 0, "Skarv")
    sheet.write(2, 1, 0.25, style("0%"))
    sheet.write(2, 2, date(2024, 3, 1), style("YYYY-MM-DD"))
    hidden = book.add_sheet("Costs")
    hidden.visibility = 1
    hidden.write(0, 0, "secret")
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def open_document(body: str, styles: str = "", parts: dict[str, bytes] | None = None) -> bytes:
    """Return an ODT or ODS file with the XML of its body and its automatic styles."""
    names = {name: f"{_OASIS}{name}:1.0" for name in ("office", "table", "text", "style")} | {
        "draw": f"{_OASIS}drawing:1.0",
        "fo": f"{_OASIS}xsl-fo-compatible:1.0",
        "xlink": "http://www.w3.org/1999/xlink",
    }
    namespaces = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in names.items())
    content = (
        f"<office:document-content {namespaces}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body>{body}</office:body></office:document-content>"
    )
    return archive({"mimetype": b"application/vnd.oasis.opendocument", "content.xml": content.encode()} | (parts or {}))


def diagram(*texts: str) -> bytes:
    """Return the part of an office file with the texts of a diagram (SmartArt)."""
    names = " ".join(
        f'xmlns:{prefix}="http://schemas.openxmlformats.org/drawingml/2006/{name}"'
        for prefix, name in (("a", "main"), ("d", "diagram"))
    )
    points = "".join(f"<d:pt><d:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></d:t></d:pt>" for text in texts)
    return f"<d:dataModel {names}><d:ptLst>{points}</d:ptLst></d:dataModel>".encode()


def slides() -> bytes:
    """Return a PPTX file: a slide with text, a merged table and notes, a hidden slide, and one more."""
    from pptx import Presentation
    from pptx.util import Inches

    presentation = Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[5])
    box = [Inches(1)] * 4
    table = first.shapes.add_table(3, 3, *box).table
    first.shapes.title.text = "Harbour dues"
    first.shapes.add_textbox(*box).text_frame.text = "Paid at the gate."
    for row, values in enumerate((("Port", "Dues", ""), ("Skarv", "14", "9"), ("Holm", "15", "10"))):
        for column, value in enumerate(values):
            table.cell(row, column).text = value
    table.cell(0, 1).merge(table.cell(0, 2))
    first.notes_slide.notes_text_frame.text = "Say that dues rise."
    for title, show in (("secret", "0"), ("Lamps", "1")):
        slide = presentation.slides.add_slide(presentation.slide_layouts[5])
        slide.shapes.title.text = title
        slide.element.set("show", show)
    stream = io.BytesIO()
    presentation.save(stream)
    return stream.getvalue()


def book(
    chapters: dict[str, str],
    titles: dict[str, str] | None = None,
    declaration: str = "",
    extra: dict[str, bytes] | None = None,
) -> bytes:
    """Return an EPUB file with the XHTML of its chapters by name, their titles in its contents, and `extra` parts."""
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
        'full-path="OEBPS/content.opf"/></rootfiles></container>'
    )
    items = "".join(
        f'<item id="c{number}" href="{quote(name)}" media-type="application/xhtml+xml"/>'
        for number, name in reversed(list(enumerate(chapters)))
    )
    spine = "".join(f'<itemref idref="c{number}"/>' for number in range(len(chapters)))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        "<dc:title>Tern Island</dc:title><dc:creator>A. Keeper</dc:creator></metadata>"
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    points = "".join(
        f'<navPoint><navLabel><text>{title}</text></navLabel><content src="{name}#x"/></navPoint>'
        for name, title in (titles or {}).items()
    )
    contents = f'<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "x"><ncx><navMap>{points}</navMap></ncx>'
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{}</body></html>'
    parts = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": container,
        "OEBPS/content.opf": package,
        "OEBPS/toc.ncx": contents,
        **{f"OEBPS/{name}": declaration + page.format(body) for name, body in chapters.items()},
    }
    return archive({name: text.encode() for name, text in parts.items()} | (extra or {}))
