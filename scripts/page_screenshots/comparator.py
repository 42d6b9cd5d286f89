"""Screenshots of every state of the comparator. One visit is resized for all windows: measurements take a while."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page

from compare.runs import run_file
from page_screenshots.chat import HEIGHTS, Window, open_page
from page_screenshots.running_spaces import scored_run
from tests.helpers.compare import open_details

DETAILS = {
    "Verdict": "verdict",
    "Answers": "answers",
    "Charts": "charts",
    "Cost": "cost",
    "Files and settings": "files",
}
SHOW_SCHEME = "(dark) => document.body.classList.toggle('dark', dark)"


class Pictures:
    """Takes the whole page in each window, and counts the states."""

    def __init__(self, page: Page, windows: Sequence[Window], out: Path) -> None:
        self._page = page
        self._windows = windows
        self._out = out
        self._count = 0

    def take(self, state: str) -> None:
        self._count += 1
        for window in self._windows:
            self._show(window)
            self._page.screenshot(
                path=self._out / f"compare-{window.name}-{self._count:02}-{state}.png", full_page=True
            )
        self._show(self._windows[0])

    def take_details(self, prefix: str, *tabs: str) -> None:
        """Take tabs of the details; in a narrow window their buttons are in a menu, so all are opened in a wide one."""
        for tab in tabs:
            self._show(Window(max(HEIGHTS)))
            open_details(self._page, tab)
            self._page.wait_for_timeout(1500)
            self.take(f"{prefix}-{DETAILS[tab]}")

    def _show(self, window: Window) -> None:
        self._page.set_viewport_size({"width": window.width, "height": HEIGHTS[window.width]})
        self._page.evaluate(SHOW_SCHEME, window.dark)
        self._page.wait_for_timeout(700)  # charts need a moment for their new size


def compare_states(browser: Browser, url: str, windows: Sequence[Window], out: Path) -> None:
    """Write the comparator's states: empty, races, a blind vote, an example, a measurement, a stored run, errors."""
    out.mkdir(parents=True, exist_ok=True)
    page = open_page(browser, url, max(HEIGHTS), HEIGHTS[max(HEIGHTS)], dark=False)
    page.emulate_media(reduced_motion="reduce")
    pictures = Pictures(page, windows, out)
    pictures.take("empty")
    _take_races(page, pictures)
    page.get_by_role("tab", name="Measure").click()
    page.locator(".sp-headline").wait_for()
    pictures.take("example")
    pictures.take_details("example", "Verdict", "Charts", "Cost", "Files and settings")
    _take_measurement(page, pictures)
    _take_stored_run(page, pictures)
    _take_errors(page, pictures)
    page.get_by_role("tab", name="Leaderboard").click()
    page.locator("#leaderboard tr.sp-row").first.wait_for()
    pictures.take("leaderboard")
    page.context.close()


def _take_races(page: Page, pictures: Pictures) -> None:
    page.get_by_label("A server at its limit").first.check()
    _race(page, "Why is the sky blue?")
    page.wait_for_selector(".sp-answering", timeout=240_000)
    pictures.take("race")
    page.wait_for_selector("#ballot", state="visible", timeout=600_000)
    pictures.take("raced")
    _select(page, "#racers", "A fast server", "A slow server")
    page.locator("#blind input").check()
    _race(page, "Write three lines about the sea.")
    page.get_by_role("button", name="Answer B is better").wait_for()
    pictures.take("blind")
    page.get_by_role("button", name="Answer B is better").click()
    page.locator("#standing").get_by_text("1 of 1").first.wait_for()
    pictures.take("voted")


def _race(page: Page, prompt: str) -> None:
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#prompt .submit-button").click()


def _select(page: Page, group: str, *labels: str) -> None:
    """Check these boxes and no others."""
    for box in page.locator(f"{group} input[type=checkbox]").all():
        text = box.locator("xpath=..").inner_text()
        box.set_checked(any(label in text for label in labels))


def _take_measurement(page: Page, pictures: Pictures) -> None:
    _select(page, "#targets", "A fast server", "A slow server")
    page.locator("#requests input").fill("150")
    page.locator("#measure").click()
    page.get_by_text("s left").wait_for(timeout=180_000)
    pictures.take("measuring")
    page.wait_for_selector("#measure", state="visible", timeout=240_000)
    page.wait_for_timeout(3000)
    open_details(page, "Metrics")
    pictures.take("measured")
    pictures.take_details("measured", "Verdict", "Charts", "Cost")


def _take_stored_run(page: Page, pictures: Pictures) -> None:
    open_details(page, "Files and settings")
    page.get_by_role("button", name="Share by link").click()
    page.locator("#link textarea, #link input").wait_for()
    pictures.take("shared")
    with tempfile.TemporaryDirectory() as folder:
        run_file.write(scored_run(), Path(folder) / "run.jsonl")
        page.locator("#open input[type=file]").set_input_files(str(Path(folder) / "run.jsonl"))
        page.locator(".sp-headline", has_text="gpu").wait_for()
    pictures.take("stored")
    pictures.take_details("stored", "Verdict", "Answers", "Charts")


def _take_errors(page: Page, pictures: Pictures) -> None:
    """Take a wrong price, a measurement and a race that can't start, and a link to nothing."""
    open_details(page, "Cost")
    page.locator("#prices textarea").fill("laptop = cheap")
    page.locator("#price-errors li").wait_for()
    _select(page, "#targets")
    page.locator("#measure").click()
    page.locator("#progress [role=alert]").wait_for()
    page.wait_for_timeout(1000)
    pictures.take("errors")
    page.get_by_role("tab", name="Race").click()
    _select(page, "#racers")
    _race(page, "Why is the sky blue?")
    page.get_by_text("Choose two to four").wait_for()
    pictures.take("refused")
