"""Actions of a visitor on the chat page, in a browser."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Page, TimeoutError, expect


def ask(page: Page, question: str) -> None:
    """Send a question. The box is empty when the server has received it."""
    box = page.locator("#question textarea")
    box.fill(question)
    page.locator("#question .submit-button").click()
    expect(box).to_have_value("", timeout=60_000)


def leave_samples_out(page: Page) -> None:
    """Switch the sample documents off: the chat then searches no document."""
    page.locator("#samples input").uncheck()


def limit_answers(page: Page, tokens: int) -> None:
    """Set the maximum length of answers in tokens."""
    page.wait_for_function("localStorage.getItem('spaceport-visitor')")  # the page's own first events have ended
    page.get_by_role("button", name="Settings").click()
    length = page.get_by_label("Maximum length (tokens)")
    length.last.fill(str(tokens))
    length.last.press("Enter")
    expect(length.first).to_have_value(str(tokens))


def upload(page: Page, *files: Path) -> None:
    page.locator("#drop input[type=file]").set_input_files([str(file) for file in files])


def uploaded(page: Page, files: int) -> None:
    """Wait until this many documents can be searched. The first one waits for the embedding model."""
    expect(page.locator("#documents [data-remove]")).to_have_count(files, timeout=120_000)


def wait_for_answer(page: Page, seconds: float = 120, *, is_sent: bool = True) -> str:
    """Wait for the send button to come back, and return the text of the last answer.

    After `ask` the question is sent: the box was emptied when the stop button came. After a click elsewhere it may
    not be sent yet.
    """
    if not is_sent:
        with suppress(TimeoutError):  # a short answer can end before the stop button is seen
            page.wait_for_selector("#question .stop-button", timeout=5_000)
    page.wait_for_selector("#question .submit-button", timeout=seconds * 1000)
    return str(page.locator("#chat .bot").last.inner_text())
