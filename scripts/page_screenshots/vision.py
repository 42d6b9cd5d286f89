"""Screenshots of the vision page, with a network that recognizes digits, and one that draws noise.

Every state of it, and the picture with which other sites show a link to it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from page_screenshots.chat import HEIGHTS, Window
from tests.diffusion.tiny import save_pipeline
from tests.helpers.apps import running_app
from tests.inference.servers import run_server
from tests.vision.conftest import digit_picture, file_of
from ui.link_preview import HEIGHT, WIDTH
from vision.digits import train


def vision_states(browser: Browser, windows: Sequence[Window], out: Path) -> None:
    """Write the states of the vision page: empty, at work, classified, refused, a drawing; without a model for it."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _running_page(Path(folder)) as url:
        for window in windows:
            _page_states(browser, url, window, out / f"vision-{window.name}")
            _drawing_states(browser, url, window, out / f"vision-{window.name}")
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder), space="spaces/vision/app.py") as app:
        for window in windows:
            page = _open(browser, app.url, window)
            _open_drawing(page)
            page.screenshot(path=out / f"vision-{window.name}-8-no-model.png", full_page=True)
            page.context.close()


def take_vision_preview(browser: Browser, path: Path) -> None:
    """Write the picture of a link to the page: what two classifiers find in a picture, and which parts decided."""
    with tempfile.TemporaryDirectory() as folder, _running_page(Path(folder)) as url:
        page = _open(browser, url, Window(WIDTH), height=HEIGHT)
        _classify(page, 0)  # the digit that is the clearest of these
        _wait_for_maps(page)
        page.screenshot(path=path)
        page.context.close()


def _open_drawing(page: Page) -> None:
    page.get_by_role("tab", name="Draw").click()
    page.wait_for_timeout(800)


def _drawing_states(browser: Browser, url: str, window: Window, prefix: Path) -> None:
    page = _open(browser, url, window)
    _open_drawing(page)
    page.screenshot(path=f"{prefix}-5-draw.png", full_page=True)
    page.locator("#prompt textarea").fill("A lighthouse at dusk, oil on canvas")
    page.locator("#draw").click()
    page.locator("#pictures .sp-progress").first.wait_for(timeout=60_000)
    page.screenshot(path=f"{prefix}-6-drawing.png", full_page=True)
    page.locator("#pictures .sp-canvas img:not(.sp-preview)").first.wait_for(timeout=120_000)
    page.locator("#draw").wait_for(timeout=60_000)
    page.wait_for_timeout(1000)
    page.screenshot(path=f"{prefix}-7-drawn.png", full_page=True)
    page.context.close()


def _page_states(browser: Browser, url: str, window: Window, prefix: Path) -> None:
    page = _open(browser, url, window)
    page.screenshot(path=f"{prefix}-1-empty.png", full_page=True)
    _classify(page)
    page.locator("#results .sp-progress").first.wait_for(timeout=60_000)
    page.screenshot(path=f"{prefix}-2-classifying.png", full_page=True)
    _wait_for_maps(page)
    page.screenshot(path=f"{prefix}-3-classified.png", full_page=True)
    checked = page.locator("#targets input:checked")
    while checked.count():
        checked.first.uncheck()
    page.locator("#classify").click()
    page.wait_for_timeout(1500)
    page.screenshot(path=f"{prefix}-4-refused.png")
    page.context.close()


def _classify(page: Page, digit: int = 7) -> None:
    picture = {"name": "digit.png", "mimeType": "image/png", "buffer": file_of(digit_picture(digit, 240))}
    page.locator("#picture input[type=file]").set_input_files(picture)  # type: ignore[arg-type]


def _wait_for_maps(page: Page) -> None:
    page.locator("#results .sp-find img").first.wait_for(timeout=60_000)
    page.locator("#classify").wait_for(timeout=60_000)
    page.wait_for_timeout(1000)


@contextmanager
def _running_page(folder: Path) -> Iterator[str]:
    """Run the page with a network for digits, a server with it, and a tiny pipeline; yield the address."""
    folders = [folder / name for name in ("digits", "server", "page")]
    for each in folders:
        each.mkdir()
    digits, serving, own = folders
    train(digits)
    pipeline = save_pipeline(folder / "noise")
    with run_server(serving, module="vision", SPACEPORT_MODEL=str(digits)) as server:
        variables = {
            "SPACEPORT_VISION_MODEL": str(digits),
            "SPACEPORT_VISION_URL": server.url,
            "SPACEPORT_DIFFUSION_MODEL": str(pipeline),
        }
        with running_app(own, space="spaces/vision/app.py", **variables) as page:
            yield page.url


def _open(browser: Browser, url: str, window: Window, height: int | None = None) -> Page:
    context = browser.new_context(viewport={"width": window.width, "height": height or HEIGHTS[window.width]})
    page = context.new_page()
    page.goto(f"{url}/?__theme={'dark' if window.dark else 'light'}")
    page.locator("#classify").wait_for(timeout=120_000)
    page.wait_for_timeout(1500)
    return page
