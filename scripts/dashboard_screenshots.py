"""Screenshots of the dashboard: live metrics, the playground on a phone, a run in dark mode, costs, and all states."""

from __future__ import annotations

import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize

from page_states import HEIGHTS, Window
from sample_ledger import write_sample_ledger
from tests.conftest import ROOT
from tests.dashboard import prometheus_server
from tests.helpers.apps import running_app
from tests.helpers.servers import free_port
from tests.inference.servers import Server, question, run_server
from ui.link_preview import HEIGHT, WIDTH

WATCHED_SECONDS = 90  # a rate needs some samples
QUESTIONS = ("Name a colour.", "Count to five.", "What is the sea?", "Say hello.")


def take_dashboard_pictures(browser: Browser, out: Path) -> None:
    """Write dashboard.png, dashboard-phone.png, dashboard-dark.png and dashboard-costs.png."""
    with tempfile.TemporaryDirectory() as folder, _running_dashboard(Path(folder)) as (server, url):
        _ask_for_a_while(server)
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
    with tempfile.TemporaryDirectory() as folder, _dashboard_with_costs(Path(folder)) as url:
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
    """Write the dashboard's states, the whole page each: the playground, live metrics, a run; metrics out of reach."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _running_dashboard(Path(folder)) as (server, url):
        _ask_for_a_while(server)
        for window in windows:
            _playground_states(browser, url, window, out)
            _page_state(
                browser, f"{url}/performance", ".js-plotly-plot", out / f"dashboard-{window.name}-4-metrics.png", window
            )
            _page_state(browser, f"{url}/runs", ".sp-headline", out / f"dashboard-{window.name}-5-run.png", window)
    nowhere = f"http://127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as folder, _dashboard(Path(folder), nowhere) as url:
        for window in windows:
            path = out / f"dashboard-{window.name}-6-error.png"
            _page_state(browser, f"{url}/performance", "[data-testid=stAlert]", path, window)
    with tempfile.TemporaryDirectory() as folder, _dashboard_with_costs(Path(folder)) as url:
        for window in windows:
            path = out / f"dashboard-{window.name}-7-costs.png"
            _page_state(browser, f"{url}/costs", ".js-plotly-plot", path, window)


def _playground_states(browser: Browser, url: str, window: Window, out: Path) -> None:
    page = _open(browser, url, window.width, HEIGHTS[window.width], dark=window.dark)
    box = page.get_by_test_id("stChatInputTextArea")
    box.wait_for()
    page.wait_for_timeout(1000)
    page.screenshot(path=out / f"dashboard-{window.name}-1-empty.png")
    box.fill("Name three colours of the sea.")
    box.press("Enter")
    page.wait_for_timeout(700)
    page.screenshot(path=out / f"dashboard-{window.name}-2-answering.png")
    page.get_by_text("tokens/s").wait_for(timeout=180_000)
    page.wait_for_timeout(500)
    page.screenshot(path=out / f"dashboard-{window.name}-3-answered.png")
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


def _dashboard_with_costs(folder: Path) -> AbstractContextManager[str]:
    """Run the dashboard on a made-up ledger; its address is the value."""
    return _dashboard(folder, "", SPACEPORT_DATABASE_URL=write_sample_ledger(folder / "ledger.db"))


@contextmanager
def _dashboard(folder: Path, prometheus: str, **variables: str) -> Iterator[str]:
    """Run the dashboard on a Prometheus; yield its address."""
    port = free_port()
    arguments = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    command = [sys.executable, "spaces/dashboard/serve.py"]
    variables["SPACEPORT_PROMETHEUS_URL"] = prometheus
    with running_app(folder, *arguments, command=command, port=port, **variables) as dashboard:
        yield dashboard.url


@contextmanager
def _running_dashboard(folder: Path) -> Iterator[tuple[Server, str]]:
    """Run the dashboard on a Prometheus that scrapes an inference server; yield this server and the address."""
    folders = [folder / name for name in ("inference", "prometheus", "dashboard")]
    for each in folders:
        each.mkdir()
    with (
        run_server(folders[0], SPACEPORT_PARALLEL=2) as server,
        prometheus_server.real(folders[1], lambda: server.get("/metrics").content) as prometheus,
        _dashboard(folders[2], prometheus) as url,
    ):
        yield server, url


def _ask_for_a_while(server: Server) -> None:
    ends, turn = time.monotonic() + WATCHED_SECONDS, 0
    while time.monotonic() < ends:
        server.post("/v1/chat/completions", question(QUESTIONS[turn % len(QUESTIONS)], 48))
        time.sleep(turn % 3)
        turn += 1


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
