"""The page in the language of its browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.apps import App
from tests.helpers.chat import ask, upload, uploaded, wait_for_answer

Open = Callable[..., Page]


def test_a_german_page_is_german(app: App, open_page: Open, tmp_path: Path) -> None:
    note = tmp_path / "notiz.txt"
    note.write_text("Der Ersatzschlüssel hängt hinter der blauen Tür im Flur. " * 30)
    page = open_page(app, locale="de-DE")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("#head h1")).to_have_text("Chat mit Dokumenten")
    expect(page).to_have_title("Chat mit Dokumenten")
    expect(page.locator("#chat")).to_contain_text("Fragen zu Ihren Dokumenten")
    expect(page.get_by_placeholder("Eine Frage stellen")).to_be_visible()
    expect(page.get_by_role("button", name="Dateien hinzufügen")).to_be_visible()
    expect(page.locator("#model-state")).to_have_text("Bereit")
    assert page.get_by_text("chat-page-").count() == 0  # what Gradio shows of a text that it can't translate
    upload(page, note)
    uploaded(page, 1)
    expect(page.locator("#documents .sp-size")).to_have_text(re.compile("^1.710 Zeichen · "))

    ask(page, "Wo hängt der Ersatzschlüssel? Say: Dort.")
    wait_for_answer(page)
    expect(page.locator("#sources .sp-card footer").first).to_contain_text("Zitiert")
    expect(page.locator("#chat .sp-line").last).to_contain_text("Zitate gefunden in 0,")
    expect(page.get_by_role("button", name="„Wo hängt der Ersatzschlüssel? Say: Dort.“ löschen")).to_have_count(1)

    ask(page, "What was the revenue of Microsoft in 1987?")
    wait_for_answer(page)
    expect(page.locator("#chat")).to_contain_text("Die Dokumente beantworten diese Frage nicht.")


@pytest.mark.parametrize(
    ("locale", "title", "warning"),
    [
        ("zh-CN", "文档问答", "注意 还没有可分享的内容。"),
        ("nl-NL", "Chat with documents", "Warning There's nothing to share yet."),
    ],
)
def test_a_page_and_its_warnings_in_another_language(
    app: App, open_page: Open, locale: str, title: str, warning: str
) -> None:
    page = open_page(app, locale=locale, width=390)
    expect(page.locator("#head h1")).to_have_text(title)
    page.locator("#export button").first.evaluate("button => button.click()")
    head, _, text = warning.partition(" ")
    expect(page.locator(".toast-title")).to_have_text(head)
    expect(page.locator(".toast-body")).to_contain_text(text)
