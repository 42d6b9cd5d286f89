"""Screenshots of every state of the vision page, with a network for digits in the page and on a server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from page_states import HEIGHTS, Window
from tests.helpers.apps import running_app
from tests.inference.servers import run_server
from tests.vision.conftest import digit_picture, file_of
from vision.digits import train


def vision_states(browser: Browser, windows: Sequence[Window], out: Path) -> None:
    """Write the states of the vision page: empty, classified, refused."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _running_page(Path(folder)) as url:
        for window in windows:
            _page_states(browser, url, window, out / f"vision-{window.name}")


def _page_states(browser: Browser, url: str, window: Window, prefix: Path) -> None:
    page = _open(browser, url, window)
    page.screenshot(path=f"{prefix}-1-empty.png", full_page=True)
    picture = {"name": "seven.png", "mimeType": "image/png", "buffer": file_of(digit_picture(7))}
    page.locator("#picture input[type=file]").set_input_files(picture)  # type: ignore[arg-type]
    page.locator("#results .sp-find img").first.wait_for(timeout=60_000)
    page.locator("#classify").wait_for(timeout=60_000)
    page.wait_for_timeout(1000)
    page.screenshot(path=f"{prefix}-2-classified.png", full_page=True)
    checked = page.locator("#targets input:checked")
    while checked.count():
        checked.first.uncheck()
    page.locator("#classify").click()
    page.wait_for_timeout(1500)
    page.screenshot(path=f"{prefix}-3-refused.png")
    page.context.close()


@contextmanager
def _running_page(folder: Path) -> Iterator[str]:
    """Train a network on digits and serve it; run the page with it and the server, and yield the address."""
    folders = [folder / name for name in ("digits", "server", "page")]
    for each in folders:
        each.mkdir()
    digits, serving, own = folders
    train(digits)
    with run_server(serving, module="vision", SPACEPORT_MODEL=str(digits)) as server:
        variables = {"SPACEPORT_VISION_MODEL": str(digits), "SPACEPORT_VISION_URL": server.url}
        with running_app(own, space="spaces/vision/app.py", **variables) as page:
            yield page.url


def _open(browser: Browser, url: str, window: Window) -> Page:
    context = browser.new_context(viewport={"width": window.width, "height": HEIGHTS[window.width]})
    page = context.new_page()
    page.goto(f"{url}/?__theme={'dark' if window.dark else 'light'}")
    page.locator("#classify").wait_for(timeout=120_000)
    page.wait_for_timeout(1500)
    return page
