"""The preview of a citation: it highlights the exact span and shows a document as text only."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from chat_page.sources.preview import CONTEXT_CHARACTERS, missing_html, preview_html
from rag.documents import Document, Passage
from rag.reading.ocr.tesseract import Tesseract
from rag.reading.parse import read_document
from tests.conftest import missing
from tests.rag import make_documents as make
from tests.rag import make_pictures

Read = Callable[[str, bytes | str], Document]
EVIL = (
    "<script>alert(1)</script> <svg onload=alert(2)> <img src=x onerror=alert(3)> ![x](http://t/p.png) "
    "[link](javascript:alert(4)) \"' onclick=alert(5) </mark></section><iframe src=http://t> &lt;b&gt;"
)
TABLE = {"table", "thead", "tbody", "tr", "th", "td"}


class Elements(HTMLParser):
    """The names of all elements of an HTML text and of all their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(name: str, content: bytes | str) -> Document:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_document(path)

    return write_and_read


def passage_of(document: Document, text: str, *, heading: str = "") -> Passage:
    start = document.text.index(text)
    page = document.page_of(start)
    return Passage(1, document.id, document.name, page, heading, start, start + len(text), text, 1.0, None, None)


def preview(document: Document, passage: Passage, highlight: str, original: bytes | None = None) -> str:
    start = passage.text.index(highlight)
    return preview_html(document, passage, (start, start + len(highlight)), original)


def marks(html: str) -> list[str]:
    return [unescape(text) for text in re.findall(r"<mark>(.*?)</mark>", html, re.DOTALL)]


def test_the_exact_span_is_highlighted_and_the_lines_around_it_are_separate(read: Read) -> None:
    document = read("tea.md", "Before one.\n\nThe kettle holds 1.7 litres. It is red.\n\nAfter one.\n")
    html = preview(
        document, passage_of(document, "The kettle holds 1.7 litres. It is red."), "The kettle holds 1.7 litres."
    )
    assert marks(html) == ["The kettle holds 1.7 litres."]
    assert re.search(r'sp-before"[^>]*>Before one\.', html)
    assert re.search(r'sp-after"[^>]*>\s*After one\.', html)
    assert 'aria-label="tea.md. Cited: The kettle holds 1.7 litres."' in html


def test_headings_are_bold_without_their_marks(read: Read) -> None:
    document = read("tea.md", "# Tea\n\nIt is hot.\n\n## Kettles\n\nOne holds 1.7 litres.\n\n## Cups\n\nTen.\n")
    html = preview(document, passage_of(document, "## Kettles\n\nOne holds 1.7 litres."), "1.7 litres")
    assert re.findall("<b>(.*?)</b>", html) == ["Tea", "Kettles", "Cups"]
    assert "#" not in html
    assert marks(html) == ["1.7 litres"]


@pytest.mark.parametrize("name", ["a.md", "a.txt", "a.html", "a.csv", "a.docx"])
def test_a_document_is_only_text(read: Read, name: str) -> None:
    rows = "name;note\n" + "".join(f'"{n}";"{EVIL.replace(chr(34), chr(34) * 2)}"\n' for n in range(3))
    escaped = EVIL.replace("&", "&amp;").replace("<", "&lt;")
    contents = {
        "a.csv": rows,
        "a.html": f"<h1>x</h1><p>{escaped}</p>",
        "a.docx": make.packed_docx(make.paragraph(escaped)),
    }
    document = read(name, contents.get(name, EVIL))
    assert "alert(1)" in document.text
    passage = passage_of(document, document.text, heading=EVIL)
    for html in (preview_html(document, passage, (3, 40), None), missing_html(passage)):
        elements = Elements(html)
        assert elements.names <= {"section", "header", "bdi", "div", "mark", "p", "b"} | TABLE
        assert not any(name.startswith("on") or name in ("href", "src", "style") for name in elements.attributes)
        assert "alert(1)" in html


def test_an_empty_or_invalid_highlight_highlights_the_passage(read: Read) -> None:
    document = read("a.txt", "One. Two. Three.")
    passage = passage_of(document, "Two.")
    for highlight in ((0, 0), (3, 1), (-5, 900), (50, 60)):
        assert marks(preview_html(document, passage, highlight, None)) == ["Two."]


def test_a_long_document_is_shortened(read: Read) -> None:
    document = read("long.txt", " ".join(f"word{n}" for n in range(20_000)))
    html = preview(document, passage_of(document, "word9000 word9001"), "word9001")
    assert len(html) < 4 * CONTEXT_CHARACTERS
    assert "… word8" in html
    assert " …</div>" in html


def test_right_to_left_text_has_its_own_direction(read: Read) -> None:
    document = read("a.txt", "مقدمة.\n\nبلغ عدد السفن 340 سفينة.\n\nنهاية.")
    html = preview(document, passage_of(document, "بلغ عدد السفن 340 سفينة."), "340")
    assert html.count('dir="auto"') == 3
    assert marks(html) == ["340"]


def test_rows_of_a_csv_file_are_a_table_with_the_cited_row_highlighted(read: Read) -> None:
    rows = "".join(f"Ship {n};{n};{n * 100:,};waits: for tide\n" for n in range(1, 40))
    document = read("ships.csv", f"ship;berth;tonnes;notes\n{rows}")
    line = next(line for line in document.text.splitlines() if "Ship 20;" in line)
    html = preview(document, passage_of(document, line), "berth: 20")
    assert re.findall(r'<th scope="col"[^>]*>(.*?)</th>', html) == ["Row", "ship", "berth", "tonnes", "notes"]
    assert re.findall(r'<th scope="row">(\d+)</th>', html) == ["18", "19", "20", "21", "22"]
    assert html.count('aria-current="true"') == 1
    assert marks(html) == ["Ship 20", "20", "2,000", "waits: for tide"]
    assert "row 20" in html


def test_a_csv_cell_may_contain_the_separators(read: Read) -> None:
    document = read("a.csv", 'name,note\nA,"first; second: third"\nB,"x; y"\n')
    html = preview(document, passage_of(document, document.text.splitlines()[0]), "first")
    assert marks(html) == ["A", "first; second: third"]


def test_a_page_of_a_pdf_is_a_picture_with_its_text_below(read: Read) -> None:
    data = make.pdf("Page one says nothing.", "Net sales were 82,959.\nExpense was 6,797.")
    document = read("q.pdf", data)
    html = preview(document, passage_of(document, "Net sales were 82,959."), "82,959", data)
    assert html.count("<img ") == 1
    assert 'src="data:image/png;base64,' in html
    assert 'alt="Page 2 of q.pdf. Highlighted: 82,959"' in html
    assert "page 2 of 2" in html
    assert html.index("<img ") < html.index("<details") < html.index("<mark>82,959</mark>")
    assert "Expense was" in html
    assert "Page one" not in html


@pytest.mark.parametrize("name", ["scan.pdf", "scan.tif", "photo.jpg"])
def test_a_quote_is_marked_on_a_page_that_was_recognized(
    read: Read, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SPACEPORT_OCR", "tesseract")
    if not Tesseract.is_installed():
        missing("tesseract (apt-get install tesseract-ocr)")
    lines = "The fee of a berth is 7,350", "It is due on the first of May"
    if name.endswith(".pdf"):
        data = make.pdf_scan("\n".join(lines))
    elif name.endswith(".tif"):
        pages = [make_pictures.picture(line) for line in lines[::-1]]
        data = make_pictures.encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    else:
        photo, exif = make_pictures.turned_by_camera(make_pictures.picture(*lines))
        data = make_pictures.encoded(photo, "JPEG", exif=exif)
    document = read(name, data)
    html = preview(document, passage_of(document, lines[0]), "7,350", data)
    assert html.count("<img ") == 1
    assert 'class="sp-spot"' in html
    assert html.index("<img ") < html.index("<details") < html.index("<mark>7,350</mark>")
    assert ("page 2 of 2" if name.endswith(".tif") else "page 1 of 1") in html
    assert is_marked(html)


def test_a_quote_beside_a_picture_with_text_is_marked_too(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACEPORT_OCR", "tesseract")
    if not Tesseract.is_installed():
        missing("tesseract (apt-get install tesseract-ocr)")
    chart = make_pictures.encoded(make_pictures.picture("Visitors in May: 4,210", width=600, height=400), "PNG")
    data = make.pdf_with_picture("Sales were 82,959.", chart, "Costs were 6,797.", box=(100, 200, 390, 260))
    document = read("report.pdf", data)
    for line, quote in (("Sales were 82,959.", "82,959"), ("Costs were 6,797.", "6,797"), ("May: 4,210", "4,210")):
        html = preview(document, passage_of(document, line), quote, data)
        assert is_marked(html)
        assert "<details" in html


def is_marked(html: str) -> bool:
    """Return whether the picture has pixels of the highlighter's color in less than a third of its rows."""
    data = re.search(r'src="data:image/\w+;base64,([^"]+)"', html)
    assert data
    image = Image.open(io.BytesIO(base64.b64decode(data[1]))).convert("RGB")
    pixels = np.asarray(image).astype(int)
    rows = ((pixels[:, :, 0] > 230) & (pixels[:, :, 2] < 170)).any(axis=1)
    return bool(0 < rows.mean() < 1 / 3)


@pytest.mark.parametrize("kind", ["not stored", "another file", "truncated"])
def test_a_pdf_without_its_original_is_text_with_a_note(read: Read, kind: str) -> None:
    data = make.pdf("Net sales were 82,959.")
    document = read("q.pdf", data)
    original = {"not stored": None, "another file": make.pdf("Else"), "truncated": data[:90]}[kind]
    html = preview(document, passage_of(document, "Net sales were 82,959."), "82,959", original)
    assert "<img" not in html
    assert 'class="sp-note"' in html
    assert marks(html) == ["82,959"]


def test_a_page_that_cannot_be_drawn_is_text_with_a_note(read: Read) -> None:
    data = make.pdf("Net sales were 82,959.")
    whole = read("q.pdf", data)
    document = Document(
        whole.id, whole.name, whole.text, (type(whole.pages[0])(7, 0, len(whole.text)),), whole.media_type
    )
    html = preview(document, passage_of(document, "Net sales were 82,959."), "82,959", data)
    assert "Page 7 cannot be drawn. This is its text." in html
    assert marks(html) == ["82,959"]


def test_a_reader_can_leaf_to_other_pages(read: Read) -> None:
    content = make.pdf("The first page.", "The second page has the words.", "The third page.")
    document = read("three.pdf", content)
    passage = passage_of(document, "has the words")
    cited = preview_html(document, passage, (0, 13), content)
    assert "page 2 of 3" in cited
    assert re.findall(r'data-page="(\d)"', cited) == ["1", "3"]
    third = preview_html(document, passage, (0, 13), content, page=3)
    assert 'aria-label="three.pdf, page 3 of 3"' in third
    assert "<img" in third
    assert "sp-spot" not in third
    assert re.findall(r'data-page="(\d)"[^>]*?(disabled)?>', third) == [("0", ""), ("2", ""), ("4", "disabled")]
    assert "The third page." in preview_html(document, passage, (0, 13), None, page=3)
    assert "page 2 of 3" in preview_html(document, passage, (0, 13), content, page=9)
