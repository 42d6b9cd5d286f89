"""Documents of five kinds, as a visitor brings them: a question each, and the quote marked in its place."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import missing
from tests.helpers.apps import App
from tests.helpers.chat import ask, upload, uploaded, wait_for_answer
from tests.rag.make_documents import pdf_scan
from tests.rag.make_office import workbook
from tests.rag.make_pictures import encoded, picture, scanned

# By file: a question, its answer as the document writes it, and the place of the quote.
QUESTIONS = {
    "berths.xlsx": ("What is the winter price of the pontoon berth?", "1,350 €", "Prices"),
    "safety.pptx": ("Which radio channel does the harbour master use?", "74", "page 2 of 2"),
    "lease.pdf": ("When does the lease of the boathouse end?", "31 August 2031", "page 1 of 1"),
    "notice.jpg": ("How much is the deposit for a kayak?", "450", "page 1 of 1"),
    "gebühren.csv": ("Wie hoch ist die Gebühr in Nürnberg?", "18,75 €", "row 2"),
}
PICTURES = ("lease.pdf", "notice.jpg")


def _workbook() -> bytes:
    def fill(book: Any) -> None:
        sheet = book.active
        sheet.title = "Prices"
        for row in (("Berth", "Summer", "Winter"), ("Mooring buoy", 950, 620), ("Pontoon berth", 2100, 1350)):
            sheet.append(row)
        for cell in (*sheet["B"], *sheet["C"]):
            cell.number_format = '#,##0 "€"'

    return workbook(fill)


def _slides() -> bytes:
    from pptx import Presentation

    presentation = Presentation()
    for title, text in (
        ("Safety on the piers", "Children wear life jackets on all piers."),
        ("Radio", "The harbour master uses channel 74 on weekdays."),
    ):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = title, text
    stream = io.BytesIO()
    presentation.save(stream)
    return stream.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The five files, as programs, a scanner and a phone make them."""
    from rag.reading.ocr.recognizer import chosen_engine

    if chosen_engine() is None:
        missing("text recognition (pip install 'spaceport[ocr]')")
    notice = picture("Boat rental", "The deposit for a kayak is 450 crowns.", "Return it before sunset.", size=40)
    contents = {
        "berths.xlsx": _workbook(),
        "safety.pptx": _slides(),
        "lease.pdf": pdf_scan("The lease of the boathouse ends on 31 August 2031."),
        "notice.jpg": encoded(scanned(notice), "JPEG", quality=80),
        "gebühren.csv": "Stadt;Gebühr\nMünchen;14,50 €\nNürnberg;18,75 €\nKöln;9,00 €\n".encode("cp1252"),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in contents]


def test_each_kind_of_document_answers_with_its_quote_in_its_place(
    app: App, open_page: Callable[..., Page], files: list[Path]
) -> None:
    page = open_page(app)
    upload(page, *files)
    uploaded(page, len(files))
    for name, (question, answer, place) in QUESTIONS.items():
        ask(page, question)
        wait_for_answer(page)
        quote = page.locator("#chat .sp-quotes").last.locator(".sp-quote").first
        expect(quote).to_contain_text(name)
        expect(quote.locator("mark").first).to_contain_text(answer)
        quote.locator("a").first.click()
        view = page.locator("#sources .sp-view:visible").last
        expect(view).to_have_attribute("aria-label", re.compile(re.escape(name)))
        expect(view.locator(".sp-place")).to_contain_text(place)
        _expect_marked(view, answer, is_picture=name in PICTURES)


def _expect_marked(view: Locator, answer: str, *, is_picture: bool) -> None:
    """Expect the answer to be marked: on the picture of its page, in its row, or in its text."""
    expect(view.locator("mark", has_text=answer).first).to_be_attached()
    if is_picture:
        expect(view.locator("img")).to_have_js_property("complete", True)
        assert view.locator("img").evaluate("image => image.naturalWidth") > 500
        expect(view.locator(".sp-spot")).to_have_count(1)  # where it is marked
