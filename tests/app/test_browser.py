"""The page as a visitor uses it, with a real browser, the real embedded model and real Chroma."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.apps import App
from tests.helpers.chat import ask, limit_answers, upload, uploaded, wait_for_answer
from tests.rag.make_documents import short_report

Open = Callable[..., Page]


@pytest.fixture
def filing(tmp_path: Path) -> Path:
    return short_report(tmp_path)  # test_filings.py has real ones


def test_a_pdf_is_answered_from_and_each_citation_has_its_passage(demo: App, open_page: Open, filing: Path) -> None:
    page = open_page(demo)
    limit_answers(page, 32)
    upload(page, filing)
    uploaded(page, 1)
    expect(page.locator("#documents li:has([data-remove]) .sp-name")).to_have_text(filing.name)
    expect(page.locator("#documents .sp-note")).to_contain_text("characters")
    expect(page.locator("#samples input")).not_to_be_checked()

    ask(page, "What were total net sales for the quarter?")
    assert wait_for_answer(page).strip()
    expect(page.locator("#chat .sp-quote").first).to_be_visible()
    expect(page.locator("#sources .sp-card", has_text="82,959").first).to_be_attached()
    expect(page.locator("#chat .sp-line").last).to_contain_text("quotes found in")
    links = page.locator('#chat a[href^="#source-"]').all()
    for link in links:
        link.click()
        expect(page.locator(".sp-card.sp-on")).to_be_in_viewport()
        name = (link.get_attribute("href") or "").removeprefix("#")
        expect(
            page.locator(".sp-card.sp-on", has=page.locator(f"[id='{name}']")).or_(page.locator(f"[id='{name}'].sp-on"))
        ).to_have_count(1)
    expect(page.locator("#chat .user.message")).to_have_count(1)  # the page did not reload

    # The default model is small: it writes only if it's asked to.
    quotes = page.locator("#chat .sp-quotes").inner_text()
    page.get_by_role("button", name="write an answer").click()
    wait_for_answer(page, is_sent=False)
    expect(page.locator("#chat .sp-line").last).to_contain_text("first token")
    expect(page.locator("#chat .sp-quotes")).to_have_text(re.compile(re.escape(quotes.split()[0])))
    expect(page.get_by_role("button", name="write an answer")).to_have_count(0)
    expect(page.locator("#chat .user.message")).to_have_count(1)


def test_a_first_visitor_can_ask_immediately(demo: App, open_page: Open) -> None:
    page = open_page(demo, width=390, height=844)
    page.get_by_text("What is the exclusion zone?").click()
    assert wait_for_answer(page, is_sent=False).strip()
    expect(page.locator("#sources .sp-card").first).to_contain_text("pad-operations.md")


def test_two_visitors_never_see_each_others_documents(demo: App, open_page: Open, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("The vault code of the lighthouse is 7731. Nobody else may know the vault code.")
    mine, yours = open_page(demo), open_page(demo)
    upload(mine, secret)
    uploaded(mine, 1)

    ask(yours, "What is the vault code of the lighthouse?")
    wait_for_answer(yours)
    expect(yours.locator("#documents li")).to_have_count(0)
    assert "7731" not in yours.content()

    ask(mine, "What is the vault code of the lighthouse?")
    wait_for_answer(mine)
    assert "7731" in mine.locator("#sources").inner_text()


def test_each_file_has_its_result_until_it_is_removed(demo: App, open_page: Open, tmp_path: Path) -> None:
    good, empty = tmp_path / "good.md", tmp_path / "empty.txt"
    good.write_text("# Tea\n\nThe kettle holds 1.7 litres.")
    empty.write_text("")
    marked = tmp_path / "<img src=x onerror=alert(1)>.txt"
    marked.write_text("The spare key hangs behind the blue door.")
    page = open_page(demo)
    upload(page, good, empty, marked)
    expect(page.locator("#documents .sp-note")).to_have_count(3)
    notes = page.locator("#documents .sp-note").all_inner_texts()
    assert re.search(r"good\.md: \d+ characters, 1 passage", notes[0])
    assert "empty.txt" in notes[1]
    expect(page.locator("#documents [data-remove]")).to_have_count(2)
    expect(page.locator("#documents img")).to_have_count(0)
    big = tmp_path / "big.txt"
    with big.open("wb") as out:
        out.truncate(100_000_000)
    upload(page, big)
    expect(page.get_by_text(re.compile(r"\b50(\.0)? ?MB", re.IGNORECASE)).first).to_be_visible()
    for left in (1, 0):
        page.locator("#documents button[data-remove]").first.click()
        expect(page.locator("#documents [data-remove]")).to_have_count(left)
    ask(page, "Where does the spare key hang?")
    wait_for_answer(page)
    expect(page.locator("#sources .sp-card")).to_have_count(0)


def test_undo_edit_and_retry_change_the_conversation_which_without_documents_is_a_plain_chat(
    demo: App, open_page: Open
) -> None:
    page = open_page(demo)
    limit_answers(page, 32)
    ask(page, "How many rooms does the guest house have?")
    first = wait_for_answer(page)
    page.get_by_role("button", name="Retry").last.click()
    assert (
        wait_for_answer(page, is_sent=False).splitlines()[0] == first.splitlines()[0]
    )  # the rest can vary with the cache
    expect(page.locator("#chat .user.message")).to_have_count(1)

    page.get_by_role("button", name="Edit").first.click()
    page.locator("#chat textarea").fill("How much does a launch from Pad 2 cost?")
    page.get_by_role("button", name="Submit").first.click()
    assert wait_for_answer(page, is_sent=False) != first
    expect(page.locator("#chat .user.message")).to_have_text("How much does a launch from Pad 2 cost?")

    page.get_by_role("button", name="Undo").last.click()
    expect(page.locator("#question textarea")).to_have_value("How much does a launch from Pad 2 cost?")
    expect(page.locator("#chat .user.message")).to_have_count(0)
    expect(page.locator("#sources .sp-card")).to_have_count(0)

    page.locator("#samples input").uncheck()
    ask(page, "Say hello.")
    assert wait_for_answer(page).strip()
    expect(page.locator("#sources .sp-card")).to_have_count(0)
