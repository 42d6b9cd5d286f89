"""Files that the tests read: valid ones, and each kind of invalid one."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import DATA

if TYPE_CHECKING:
    from pypdf import PdfWriter
    from pypdf.annotations import AnnotationDictionary
    from reportlab.pdfgen.canvas import Canvas

CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONSHIPS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
WORD_NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\xdacd\xf8\xff\xbf"
    b"\x1e\0\x05\x84\x02\x7f\xc2\xa9\xd3\xa8\0\0\0\0IEND\xaeB`\x82"
)


def pdf(*pages: str) -> bytes:
    """Return a PDF with a text layer and one page per argument; "" is an empty page."""
    from reportlab.pdfgen import canvas

    stream = io.BytesIO()
    sheet = canvas.Canvas(stream)
    for page in pages:
        for number, line in enumerate(page.splitlines()):
            sheet.drawString(72, 760 - 16 * number, line)
        sheet.showPage()
    sheet.save()
    return stream.getvalue()


def pdf_table(rows: list[list[str]]) -> bytes:
    """Return a PDF with one ruled table whose cells are drawn separately."""
    from reportlab.platypus import SimpleDocTemplate, Table

    stream = io.BytesIO()
    SimpleDocTemplate(stream).build([Table(rows)])
    return stream.getvalue()


def pdf_paragraph(text: str, width: float) -> bytes:
    """Return a PDF with a paragraph in lines of `width` points, so that words break at their hyphens."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    stream = io.BytesIO()
    margin = (595 - width) / 2
    frame = SimpleDocTemplate(stream, pagesize=(595, 842), leftMargin=margin, rightMargin=margin)
    frame.build([Paragraph(text, getSampleStyleSheet()["Normal"])])
    return stream.getvalue()


def pdf_of_images() -> bytes:
    """Return a scanned PDF: one image per page and no text layer."""
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen import canvas

    stream = io.BytesIO()
    sheet = canvas.Canvas(stream)
    sheet.drawImage(ImageReader(io.BytesIO(PNG)), 0, 0, 500, 700)
    sheet.showPage()
    sheet.save()
    return stream.getvalue()


def pdf_strings(*strings: tuple[float, float, str], width: float = 595) -> bytes:
    """Return a PDF page with texts at (left, bottom), in points, drawn in this order."""
    from reportlab.pdfgen import canvas

    stream = io.BytesIO()
    sheet = canvas.Canvas(stream, (width, 842))
    for left, height, text in strings:
        sheet.drawString(left, height, text)
    sheet.showPage()
    sheet.save()
    return stream.getvalue()


def pdf_scan(*pages: str, with_text: str = "") -> bytes:
    """Return a scanned PDF with an image of each page; `with_text` adds a first page of real text."""
    import pypdfium2
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen import canvas

    stream = io.BytesIO()
    sheet = canvas.Canvas(stream)
    if with_text:
        sheet.drawString(72, 760, with_text)
        sheet.showPage()
    for page in pypdfium2.PdfDocument(pdf(*pages)):
        sheet.drawImage(ImageReader(page.render(scale=200 / 72).to_pil()), 0, 0, *page.get_size())
        sheet.showPage()
    sheet.save()
    return stream.getvalue()


def encrypted_pdf(password: str, *, owner_only: bool = False) -> bytes:
    """Return a PDF that needs a password, or one that opens without it and only restricts printing."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf("A secret page"))))
    writer.encrypt("" if owner_only else password, owner_password=password, algorithm="AES-256")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def docx() -> bytes:
    """Return a Word file with headings, a list, a table and an image."""
    import docx as python_docx

    document = python_docx.Document()
    document.add_heading("Annual report", 1)
    document.add_heading("Sales", 2)
    document.add_paragraph("Sales of first_token units *rose* by 3 %.")
    document.add_paragraph("apples", style="List Bullet")
    document.add_paragraph("pears", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for row, values in enumerate((("Product", "Sold"), ("Phones", "82,959"))):
        for column, value in enumerate(values):
            table.cell(row, column).text = value
    document.add_picture(io.BytesIO(PNG))
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def packed_docx(body: str = "", *, prefix: str = "", extra: dict[str, bytes] | None = None) -> bytes:
    """Return a Word file with the XML `body`, the text `prefix` before the root element, and `extra` parts."""
    document = f'{prefix}<w:document xmlns:w="{WORD_NAMESPACE}"><w:body>{body}</w:body></w:document>'
    parts = {
        "[Content_Types].xml": CONTENT_TYPES.encode(),
        "_rels/.rels": RELATIONSHIPS.encode(),
        "word/document.xml": document.encode(),
    }
    return archive(parts | (extra or {}))


def paragraph(text: str) -> str:
    """Return a paragraph of a Word file as XML."""
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def archive(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP archive of parts by name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return stream.getvalue()


def strict(content: bytes) -> bytes:
    """Return an Office file in the strict format, which has other namespaces."""
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    types = {"[Content_Types].xml": parts.pop("[Content_Types].xml")}
    usual = re.compile(rb"http://schemas\.openxmlformats\.org/(\w+)/2006/")
    return archive(types | {name: usual.sub(rb"http://purl.oclc.org/ooxml/\1/", part) for name, part in parts.items()})


def with_declared_size(packed: bytes, part: str, size: int) -> bytes:
    """Return the archive with a false unpacked size of one part in its directory."""
    directory = packed.rindex(part.encode())
    field = directory - 46 + 24  # of the entry in the central directory
    return packed[:field] + size.to_bytes(4, "little") + packed[field + 4 :]


def quarterly_report(folder: Path) -> Path:
    """Return the path of the beginning of a real quarterly report, or of a generated PDF with the same figures."""
    real = DATA / "filings" / "2022 Q3 AAPL.pdf"
    return first_pages(real, folder) if real.exists() else short_report(folder)


def first_pages(report: Path, folder: Path, pages: int = 10) -> Path:
    """Copy the first pages of a PDF as they are: reading and embedding a whole report takes ten seconds."""
    import pypdfium2

    with pypdfium2.PdfDocument(report) as whole, pypdfium2.PdfDocument.new() as part:
        part.import_pages(whole, list(range(pages)))
        part.save(folder / report.name)
    return folder / report.name


def short_report(folder: Path) -> Path:
    """Return the path of a generated PDF of three pages with figures of that report."""
    path = folder / "quarter.pdf"
    path.write_bytes(
        pdf(
            "Quarterly report for the period ended June 25, 2022.",
            "Total net sales for the quarter were $ 82,959 million.",
            "Research and development expense was $ 6,797 million in the quarter.",
        )
    )
    return path


def pdf_drawn(*pages: Callable[[Canvas], None], **options: object) -> bytes:
    """Return a PDF whose pages are drawn by functions; `rotation` and `crop` are those of each page."""
    from reportlab.pdfgen import canvas

    stream = io.BytesIO()
    sheet = canvas.Canvas(stream)
    for draw in pages:
        if "rotation" in options:
            sheet.setPageRotation(options["rotation"])
        if "crop" in options:
            sheet.setCropBox(options["crop"])
        draw(sheet)
        sheet.showPage()
    sheet.save()
    return stream.getvalue()


def pdf_flow(*flow: object) -> bytes:
    """Return a PDF of paragraphs (texts) and tables, which are divided between pages."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    stream, style = io.BytesIO(), getSampleStyleSheet()["Normal"]
    SimpleDocTemplate(stream).build([Paragraph(part, style) if isinstance(part, str) else part for part in flow])
    return stream.getvalue()


def draw_rows(
    sheet: Canvas, rows: Sequence[Sequence[str]], lefts: Sequence[float], top: float = 740, step: float = 16
) -> None:
    """Draw the cells of rows at the left edges of their columns."""
    for number, row in enumerate(rows):
        for left, text in zip(lefts, row, strict=False):
            sheet.drawString(left, top - step * number, text)


def draw_raised(sheet: Canvas, left: float, height: float, *parts: str | tuple[str, float]) -> None:
    """Draw a line of texts; those with a number are smaller and that much higher."""
    line = sheet.beginText(left, height)
    for part in parts:
        text, rise = part if isinstance(part, tuple) else (part, 0.0)
        line.setFont("Helvetica", 7 if rise else 11)
        line.setRise(rise)
        line.textOut(text)
    sheet.drawText(line)


def pdf_with_letters(text: str, *, left: float = 60, height: float = 700) -> bytes:
    """Return a PDF with a line of letters from left to right, as a font without an encoding shows them.

    Each letter is a small drawing (a Type 3 font), and a table in the file says which one it is.
    """
    letters = sorted(set(text))
    codes = {letter: number + 1 for number, letter in enumerate(letters)}
    to_unicode = "\n".join(
        f"<{code:02x}> <{letter.encode('utf-16-be', 'surrogatepass').hex()}>" for letter, code in codes.items()
    )
    cmap = (
        f"/CMapName /a def 1 begincodespacerange <01> <ff> endcodespacerange {len(codes)} beginbfchar\n{to_unicode}\n"
    )
    names = " ".join(f"/g{code}" for code in codes.values())
    line = "".join(f"{codes[letter]:02x}" for letter in text)
    drawings = " ".join(f"/g{code} {7 if letter.isspace() else 8} 0 R" for letter, code in codes.items())
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 5 0 R >> >> /Contents 4 0 R >>",
        _pdf_stream(f"BT /F 12 Tf {left} {height} Td <{line}> Tj ET"),
        "<< /Type /Font /Subtype /Type3 /FontBBox [0 -200 600 800] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 1 "
        f"/LastChar {len(codes)} /Widths [{' '.join('250' if letter == ' ' else '600' for letter in letters)}] "
        f"/Encoding << /Type /Encoding /Differences [1 {names}] >> /Resources << >> /ToUnicode 6 0 R "
        f"/CharProcs << {drawings} >> >>",
        _pdf_stream(f"/CIDInit /ProcSet findresource begin begincmap {cmap} endbfchar endcmap end"),
        _pdf_stream("250 0 d0"),
        _pdf_stream("600 0 0 0 600 700 d1 30 0 540 700 re f"),
    ]
    return pdf_of_objects(objects)


def pdf_of_codes(codes: bytes) -> bytes:
    """Return a PDF with a line of letters of a bitmap font as TeX makes them, which doesn't say which letters they are.

    Each code is the place of a letter in the font.
    """
    drawings = " ".join(f"/g{code} {7 if code == 32 else 6} 0 R" for code in sorted(set(codes)))
    names = " ".join(f"{code} /g{code}" for code in sorted(set(codes)))
    widths = " ".join("250" if code == 32 else "600" for code in range(128))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 5 0 R >> >> /Contents 4 0 R >>",
        _pdf_stream(f"BT /F 12 Tf 60 700 Td <{codes.hex()}> Tj ET"),
        "<< /Type /Font /Subtype /Type3 /FontBBox [0 -200 600 800] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 0 "
        f"/LastChar 127 /Widths [{widths}] /Encoding << /Type /Encoding /Differences [{names}] >> /Resources << >> "
        f"/CharProcs << {drawings} >> >>",
        _pdf_stream("600 0 0 0 600 700 d1 30 0 540 700 re f"),
        _pdf_stream("250 0 d0"),
    ]
    return pdf_of_objects(objects)


def pdf_of_lines(*lines: str) -> bytes:
    """Return a PDF of lines of operators, 14 points apart, in Helvetica of 8 points, which are the unit of a line."""
    shown = " ".join(
        f"BT /F 1 Tf 8 0 0 8 60 {700 - 14 * number} Tm {line} 0 Tc ET" for number, line in enumerate(lines)
    )
    return pdf_of_objects(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 5 0 R >> >> "
            "/Contents 4 0 R >>",
            _pdf_stream(shown),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
    )


def _pdf_stream(content: str) -> str:
    return f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"


def pdf_of_objects(objects: Sequence[str]) -> bytes:
    """Return a PDF of objects, numbered from 1; the first one is its catalog."""
    content, offsets = "%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(content))
        content += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF"
    return (content + head + trailer).encode("latin-1")


def with_annotations(content: bytes, *annotations: AnnotationDictionary, page: int = 1) -> bytes:
    """Return a PDF with annotations on one of its pages."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    for annotation in annotations:
        writer.add_annotation(page - 1, annotation)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def pdf_with_picture(above: str, picture: bytes, below: str, *, box: tuple[float, float, float, float]) -> bytes:
    """Return a page with a line, a picture at left, bottom, width and height in points, and another line."""
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen import canvas

    stream = io.BytesIO()
    sheet = canvas.Canvas(stream, pagesize=(595, 842))
    sheet.drawString(72, 780, above)
    sheet.drawImage(ImageReader(io.BytesIO(picture)), *box)
    sheet.drawString(72, 60, below)
    sheet.showPage()
    sheet.save()
    return stream.getvalue()


def turned(content: bytes, angle: int) -> bytes:
    """Return a PDF whose first page a viewer turns."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    writer.pages[0].rotate(angle)
    return _written(writer)


def joined(*contents: bytes) -> bytes:
    """Return the pages of several PDFs as one."""
    from pypdf import PdfWriter

    writer = PdfWriter()
    for content in contents:
        writer.append(io.BytesIO(content))
    return _written(writer)


def _written(writer: PdfWriter) -> bytes:
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()
