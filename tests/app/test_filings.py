"""Two real quarterly reports on the page: each citation leads to its exact words."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import DATA, missing
from tests.helpers.apps import App
from tests.helpers.chat import ask, upload, uploaded, wait_for_answer
from tests.rag.make_documents import first_pages

QUESTIONS = {
    "2022 Q3 AAPL.pdf": "What were Apple's total net sales in the third quarter of 2022?",
    "2023 Q1 NVDA.pdf": "What was NVIDIA's revenue for the first quarter of fiscal year 2023?",
}


@pytest.fixture
def filings(tmp_path: Path) -> list[Path]:
    """The first pages of both reports, as they are."""
    paths = [DATA / "filings" / name for name in QUESTIONS]
    if not all(path.exists() for path in paths):
        missing(f"{' and '.join(QUESTIONS)} in {DATA / 'filings'}")
    return [first_pages(path, tmp_path) for path in paths]


def letters(text: str) -> str:
    """Return letters and digits only: the lines of a page and of its text break at different places."""
    return re.sub(r"[\W_]", "", text)


def place(view: Locator) -> tuple[str, int]:
    """Return the document and the page of an open source."""
    name, number = re.match(r"(.+\.pdf), page (\d+) of \d+\.", view.get_attribute("aria-label") or "").groups()  # type: ignore[union-attr]
    return name, int(number)


def page_text(file: Path, number: int) -> str:
    with pypdfium2.PdfDocument(file) as document:
        return str(document[number - 1].get_textpage().get_text_range())


def _expect_whole_words(page: Page) -> None:
    """Expect the cells of tables on the cards to be a few lines high: no label breaks inside of its words."""
    heights = page.locator("#sources blockquote td").evaluate_all("cells => cells.map((cell) => cell.offsetHeight)")
    assert heights and max(heights) < 110


def _expect_steady_zoom(view: Locator) -> None:
    """Expect a page larger than its pane, its mark in place while it grows, and a click to show all of it."""
    spot, sheet, widths = view.locator(".sp-spot"), view.locator(".sp-sheet"), list[float]()
    share = "sheet => sheet.offsetWidth / sheet.parentElement.clientWidth"
    widths.append(sheet.evaluate(share))
    before = spot.bounding_box()
    view.get_by_role("button", name="Zoom in").click()
    after = spot.bounding_box()
    assert before and after
    assert abs(after["x"] - before["x"]) <= 2 and abs(after["y"] - before["y"]) <= 2
    widths.append(sheet.evaluate(share))
    sheet.click()
    widths.append(sheet.evaluate(share))
    assert widths == pytest.approx([1.5, 2, 1], abs=0.01)


def test_each_citation_leads_to_its_words_on_its_page(
    demo: App, open_page: Callable[..., Page], filings: list[Path]
) -> None:
    page = open_page(demo)
    upload(page, *filings)
    uploaded(page, len(filings))
    clicks = 0
    for turn, question in enumerate(QUESTIONS.values(), start=1):
        ask(page, question)
        wait_for_answer(page, 300)
        assert 1 <= page.locator("#chat .bot .sp-quotes").last.locator(".sp-quote").count() <= 3
        links = page.locator(f'#chat a[href^="#source-{turn}-"]').all()
        for link in links if turn == 1 else links[:1]:  # each click draws a page
            link.click()
            key = re.match(r"#source-(\d+-\d+)", link.get_attribute("href") or "")[1]  # type: ignore[index]
            view = page.locator(f"#source-{key} .sp-view")
            expect(view).to_be_visible()
            name, number = place(view)
            quote = page.locator("#chat .sp-quote", has=page.locator(f'a[href="{link.get_attribute("href")}"]'))
            answer = letters(quote.locator("mark").first.text_content() or "")
            assert answer in letters(page_text(next(file for file in filings if file.name == name), number))
            marked = letters(view.locator("mark").first.text_content() or "")
            assert marked
            text = page_text(next(file for file in filings if file.name == name), number)
            assert marked in letters(text), f"{name}, page {number} doesn't contain {marked!r}"
            expect(view.locator("img")).to_have_js_property("complete", True)
            assert view.locator("img").evaluate("picture => picture.naturalWidth") > 500
            clicks += 1
    assert clicks >= len(QUESTIONS), "an answer has no citation"
    _expect_whole_words(page)
    _expect_steady_zoom(view)

    page.get_by_role("button", name="Share by link").click()
    expect(page.locator("#link textarea, #link input")).to_have_value(re.compile("#c="))
    link_text = page.locator("#link textarea, #link input").input_value()
    other = open_page(demo)
    other.goto("about:blank")
    other.goto(link_text)
    expect(other.locator("#chat")).to_contain_text([*QUESTIONS.values()][-1])
    expect(other.locator("#chat")).to_contain_text("The documents that it cites aren't here")
    expect(other.locator("#documents [data-remove]")).to_have_count(0)
    expect(other.locator("#sources .sp-card")).to_have_count(0)
    expect(other.locator('#chat a[href*="#source-"]')).to_have_count(0)
