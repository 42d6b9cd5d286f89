"""Files that the tests read: valid ones, and each kind of invalid one."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from tests.conftest import DATA

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


def pdf_strings(*strings: tuple[float, float, str]) -> bytes:
    """Return a PDF page with texts at (left, bottom), in points, drawn in this order."""
    from reportlab.pdfgen import canvas

    stream = io.BytesIO()
    sheet = canvas.Canvas(stream)
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


def with_declared_size(packed: bytes, part: str, size: int) -> bytes:
    """Return the archive with a false unpacked size of one part in its directory."""
    directory = packed.rindex(part.encode())
    field = directory - 46 + 24  # of the entry in the central directory
    return packed[:field] + size.to_bytes(4, "little") + packed[field + 4 :]


def quarterly_report(folder: Path) -> Path:
    """Return the path of a real quarterly report in the test data, or of a generated PDF with the same figures."""
    real = DATA / "filings" / "2022 Q3 AAPL.pdf"
    if real.exists():
        return real
    path = folder / "quarter.pdf"
    path.write_bytes(
        pdf(
            "Quarterly report for the period ended June 25, 2022.",
            "Total net sales for the quarter were $ 82,959 million.",
            "Research and development expense was $ 6,797 million in the quarter.",
        )
    )
    return path


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
