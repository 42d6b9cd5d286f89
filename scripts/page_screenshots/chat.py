"""Screenshots of every state of the chat page: each window size, light and dark; each language in two widths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page
from playwright.sync_api import TimeoutError as NotSeen

from chat_page.translations.languages import LANGUAGES
from tests.conftest import ROOT

HEIGHTS = {1280: 860, 768: 1024, 390: 844}
SAMPLE_QUESTION = "How many cars does the car park hold?"
FILING_QUESTION = "What were total net sales for the quarter?"
TOO_LONG = "word " * 3900
SAMPLE_FILE = ROOT / "spaces" / "chat_rag" / "corpus" / "harbour-handbook.md"


@dataclass(frozen=True, slots=True)
class Window:
    """A window's width, and whether it's dark."""

    width: int
    dark: bool = False

    @property
    def name(self) -> str:
        return f"{self.width}-{'dark' if self.dark else 'light'}"


def windows(widths: list[int], schemes: list[str]) -> list[Window]:
    """Return the windows of these widths, in these colour schemes."""
    return [Window(width, scheme == "dark") for width in widths for scheme in schemes]


def open_page(browser: Browser, url: str, width: int, height: int, dark: bool, *, locale: str = "en") -> Page:
    """Open a page of Gradio in a new context, and wait until it's usable."""
    context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=1, locale=locale)
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{url}/?__theme={'dark' if dark else 'light'}")
    page.locator("#question textarea, #prompt textarea").fill("")
    page.wait_for_timeout(800)
    return page


def ask(page: Page, question: str, *, wait: bool = True) -> None:
    """Ask a question on the chat page, and wait for the end of its answer."""
    page.locator("#question textarea").fill(question)
    page.locator("#question .submit-button").click()
    with suppress(NotSeen):  # quotes can be there before the stop button is seen
        page.wait_for_selector("#question .stop-button", timeout=5_000)
    if wait:
        wait_for_answer(page)


def wait_for_answer(page: Page) -> None:
    """Wait until the chat page takes the next question."""
    page.wait_for_selector("#question .submit-button", timeout=120_000)
    page.wait_for_timeout(500)


def upload(page: Page, filing: Path) -> None:
    """Add a file to the documents of the chat page."""
    page.locator("#drop input[type=file]").set_input_files(str(filing))
    page.wait_for_selector("#documents [data-remove]", state="attached", timeout=120_000)


def open_source(page: Page) -> None:
    """Open the source of the newest answer's first quote."""
    page.locator("#chat .sp-quote a").first.click()
    page.locator("#sources .sp-view").first.wait_for()
    page.wait_for_timeout(2000)


def chat_states(browser: Browser, url: str, window: Window, filing: Path | None, out: Path) -> None:
    """Write the chat page's states: empty, loaded, answering, answered, source, written, sidebar, error."""
    with _pictures(browser, url, window, out / f"chat-{window.name}") as (page, take):
        take("empty")
        upload(page, filing or SAMPLE_FILE)
        page.wait_for_timeout(1000)
        take("loaded")
        ask(page, FILING_QUESTION if filing else SAMPLE_QUESTION, wait=False)
        take("answering")
        wait_for_answer(page)
        page.wait_for_timeout(1500)  # the questions to go on with come after the answer
        take("answered")
        open_source(page)
        take("source")
        page.locator("[data-close-pane]").click()
        page.locator("#chat .option").first.click()
        page.wait_for_selector("#question .stop-button")
        page.wait_for_timeout(1500)
        take("writing")
        wait_for_answer(page)
        take("written")
        _take_sidebar(page, take)
        ask(page, TOO_LONG)
        take("error")


def _take_sidebar(page: Page, take: Callable[[str], None]) -> None:
    """Take the sidebar with its settings open; on a phone it's closed at first."""
    toggle, is_open = page.locator("#sidebar .toggle-button"), page.locator("#sidebar.open").count()
    if not is_open:
        toggle.click()
    section = page.locator("#sidebar button.label-wrap").last
    section.click()
    page.wait_for_timeout(600)
    take("sidebar")
    section.click()
    if not is_open:
        toggle.click()
        page.wait_for_timeout(600)


def language_states(browser: Browser, url: str, out: Path) -> None:
    """Write an empty page, and an answer with an error, in each language."""
    for language, width in product(LANGUAGES, (1280, 390)):
        with _pictures(browser, url, Window(width), out / f"chat-{language}-{width}", locale=language) as (page, take):
            take("empty")
            empty_file = {"name": "empty.txt", "mimeType": "text/plain", "buffer": b" "}
            page.locator("#drop input[type=file]").set_input_files(empty_file)  # type: ignore[arg-type]
            ask(page, SAMPLE_QUESTION)
            take("answered")


@contextmanager
def _pictures(
    browser: Browser, url: str, window: Window, prefix: Path, *, locale: str = "en"
) -> Iterator[tuple[Page, Callable[[str], None]]]:
    """Open a page; yield it with a function that takes a picture of a state, which counts the states."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    page = open_page(browser, url, window.width, HEIGHTS[window.width], window.dark, locale=locale)
    states: list[str] = []

    def take(state: str) -> None:
        states.append(state)
        page.screenshot(path=f"{prefix}-{len(states)}-{state}.png")

    yield page, take
    page.context.close()
