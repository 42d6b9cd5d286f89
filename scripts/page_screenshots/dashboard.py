"""Screenshots of the dashboard: live metrics, the playground on a phone, a run in dark mode, costs, and all states."""

from __future__ import annotations

import tempfile
from base64 import b64encode
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize

from page_screenshots.chat import HEIGHTS, Window
from page_screenshots.running_spaces import (
    ask_for_a_while,
    catalog_with_full_server,
    dashboard_with_costs,
    running_dashboard,
    watching_dashboard,
)
from tests.conftest import ROOT
from tests.helpers.servers import free_port
from ui.link_preview import HEIGHT, WIDTH


def take_dashboard_pictures(browser: Browser, out: Path) -> None:
    """Write dashboard.png, dashboard-phone.png, dashboard-dark.png and dashboard-costs.png."""
    with tempfile.TemporaryDirectory() as folder, watching_dashboard(Path(folder)) as (server, url):
        ask_for_a_while(server)
        page = _open(browser, f"{url}/performance", 1280, 1000)
        page.locator(".js-plotly-plot").first.wait_for(timeout=180_000)
        page.wait_for_timeout(2000)
        page.screenshot(path=out / "dashboard.png")
        page.context.close()
        take_dashboard_preview(browser, url)
        _take_phone_picture(browser, url, out)
        page = _open(browser, f"{url}/runs", 1280, 800, dark=True)
        page.locator(".sp-headline").wait_for()
        page.wait_for_timeout(1000)
        page.screenshot(path=out / "dashboard-dark.png")
        page.context.close()
    take_costs_picture(browser, out)


def take_costs_picture(browser: Browser, out: Path) -> None:
    """Write dashboard-costs.png: a month of a made-up ledger."""
    with tempfile.TemporaryDirectory() as folder, dashboard_with_costs(Path(folder)) as url:
        page = _open(browser, f"{url}/costs", 1280, 1000)
        page.locator(".js-plotly-plot").first.wait_for(timeout=180_000)
        page.wait_for_timeout(2000)
        page.screenshot(path=out / "dashboard-costs.png")
        page.context.close()


def take_dashboard_preview(browser: Browser, url: str) -> None:
    """Write the picture with which other sites show a link to the dashboard: the live metrics."""
    page = _open(browser, f"{url}/performance", WIDTH, HEIGHT)
    page.locator(".js-plotly-plot").first.wait_for(timeout=180_000)
    page.wait_for_timeout(2000)
    page.screenshot(path=ROOT / "spaces" / "dashboard" / "preview.png")
    page.context.close()


def dashboard_states(browser: Browser, windows: Sequence[Window], out: Path) -> None:
    """Write the states of each page, the whole page each: empty, with content, with an error."""
    out.mkdir(parents=True, exist_ok=True)
    nowhere = f"http://127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(4)]
        catalog = stack.enter_context(catalog_with_full_server(folders[0]))
        server, url = stack.enter_context(watching_dashboard(folders[0], SPACEPORT_CATALOG=catalog))
        missing = {"SPACEPORT_DATABASE_URL": f"sqlite:///{folders[1] / 'missing.db'}"}
        addresses = {
            "live": url,
            "failing": stack.enter_context(running_dashboard(folders[1], nowhere, **missing)),
            "bare": stack.enter_context(running_dashboard(folders[2], "")),
            "costs": stack.enter_context(dashboard_with_costs(folders[3])),
        }
        ask_for_a_while(server)
        for window in windows:
            prefix = out / f"dashboard-{window.name}"
            _playground_states(browser, url, window, prefix)
            _run_states(browser, url, window, prefix)
            for name, (dashboard, path, ready) in _PAGE_STATES.items():
                _page_state(browser, f"{addresses[dashboard]}/{path}", ready, Path(f"{prefix}-{name}.png"), window)


# The states that a page has when it's opened: which dashboard, the page, and what is there when it's drawn.
_PAGE_STATES = {
    "performance-1-empty": ("bare", "performance", "[data-testid=stAlert]"),
    "performance-2-metrics": ("live", "performance", ".js-plotly-plot"),
    "performance-3-error": ("failing", "performance", "[data-testid=stAlert]"),
    "runs-1-run": ("live", "runs", ".sp-headline"),
    "costs-1-empty": ("bare", "costs", "[data-testid=stAlert]"),
    "costs-2-bills": ("costs", "costs", ".js-plotly-plot"),
    "costs-3-error": ("failing", "costs", "[data-testid=stAlert]"),
}


def _playground_states(browser: Browser, url: str, window: Window, prefix: Path) -> None:
    page = _open(browser, url, window.width, HEIGHTS[window.width], dark=window.dark)
    box = page.get_by_test_id("stChatInputTextArea")
    box.wait_for()
    page.wait_for_timeout(1000)
    page.screenshot(path=f"{prefix}-playground-1-empty.png")
    box.fill("Name three colours of the sea.")
    box.press("Enter")
    page.get_by_text("answering").wait_for(timeout=180_000)
    page.screenshot(path=f"{prefix}-playground-2-answering.png")
    page.get_by_text("tokens/s").wait_for(timeout=180_000)
    page.wait_for_timeout(500)
    page.screenshot(path=f"{prefix}-playground-3-answered.png")
    _open_sidebar(page)
    page.get_by_text("Parameters").click()
    page.wait_for_timeout(1000)
    page.screenshot(path=f"{prefix}-playground-4-sidebar.png")
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="A server at its limit").click()
    page.wait_for_timeout(1500)
    if window.width < 768:
        page.get_by_test_id("stSidebarCollapseButton").locator("button").click()
        page.wait_for_timeout(800)
    box.fill("And of the sky?")
    box.press("Enter")
    page.get_by_text("The queue is full").wait_for(timeout=180_000)
    page.wait_for_timeout(800)
    page.screenshot(path=f"{prefix}-playground-5-error.png")
    page.context.close()


def _open_sidebar(page: Page) -> None:
    """Open the sidebar, which is closed on a phone."""
    if (button := page.get_by_test_id("stExpandSidebarButton")).is_visible():
        button.click()
        page.wait_for_timeout(800)


def _run_states(browser: Browser, url: str, window: Window, prefix: Path) -> None:
    """Take the runs page with the field for a file open, and a file that is no run."""
    page = _open(browser, f"{url}/runs", window.width, HEIGHTS[window.width], dark=window.dark)
    page.locator(".sp-headline").wait_for(timeout=180_000)
    page.get_by_text("Open a stored run").first.click()
    broken = {"name": "run.jsonl", "mimeType": "application/json", "buffer": b"{}"}
    page.locator("input[type=file]").set_input_files(broken)  # type: ignore[arg-type]
    page.get_by_test_id("stAlert").first.wait_for(timeout=60_000)
    page.wait_for_timeout(1000)
    page.screenshot(path=f"{prefix}-runs-2-error.png")
    page.context.close()


def _page_state(browser: Browser, url: str, ready: str, path: Path, window: Window) -> None:
    """Take the whole page when an element is there. Streamlit's main part scrolls by itself, so the window is high."""
    page = _open(browser, url, window.width, 2600, dark=window.dark)
    page.locator(ready).first.wait_for(timeout=180_000)
    page.wait_for_timeout(2000)
    content = page.locator(".stMainBlockContainer").bounding_box() or {"height": 2600.0}
    page.set_viewport_size({"width": window.width, "height": max(HEIGHTS[window.width], round(content["height"]))})
    page.wait_for_timeout(500)
    page.screenshot(path=path)
    page.context.close()


def _take_phone_picture(browser: Browser, url: str, out: Path) -> None:
    """Put the playground, in light, and the performance page, in dark, beside each other."""
    pictures = []
    for path, dark in (("", False), ("performance", True)):
        page = _open(browser, f"{url}/{path}", 390, 844, dark=dark)
        if not path:
            box = page.get_by_test_id("stChatInputTextArea")
            box.fill("Name three colours of the sea.")
            box.press("Enter")
        ready = page.locator(".js-plotly-plot").first if path else page.get_by_text("tokens/s")
        ready.wait_for(timeout=180_000)
        page.wait_for_timeout(2000)
        page.locator(".stMain").evaluate("(main) => main.scrollTo(0, 0)")  # an answer scrolls down to its end
        page.wait_for_timeout(300)
        pictures.append(page.screenshot())
        page.context.close()
    _join(browser, pictures, out / "dashboard-phone.png")


def _join(browser: Browser, pictures: list[bytes], path: Path) -> None:
    page = browser.new_page(viewport={"width": 820, "height": 844})
    images = "".join(f'<img src="data:image/png;base64,{b64encode(data).decode()}">' for data in pictures)
    page.set_content(f'<body style="margin:0;display:flex;gap:40px">{images}</body>')
    page.wait_for_timeout(500)
    page.screenshot(path=path, omit_background=True)
    page.close()


def _open(browser: Browser, url: str, width: int, height: int, *, dark: bool = False) -> Page:
    size: ViewportSize = {"width": width, "height": height}
    context = browser.new_context(viewport=size, color_scheme="dark" if dark else "light")
    page = context.new_page()
    page.goto(url)
    page.locator(".sp-head").wait_for(timeout=120_000)
    return page
