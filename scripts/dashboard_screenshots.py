"""The pictures of the dashboard: live metrics of a Prometheus, the playground on a phone, and a run in dark mode."""

from __future__ import annotations

import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.dashboard import prometheus_server
from tests.helpers.apps import running_app
from tests.helpers.servers import free_port
from tests.inference.servers import Server, question, run_server

WATCHED_SECONDS = 90  # a rate needs some samples
QUESTIONS = ("Name a colour.", "Count to five.", "What is the sea?", "Say hello.")


def take_dashboard_pictures(browser: Browser, out: Path) -> None:
    """Write dashboard.png, dashboard-phone.png and dashboard-dark.png."""
    with tempfile.TemporaryDirectory() as folder, _running_dashboard(Path(folder)) as (server, url):
        _ask_for_a_while(server)
        page = _open(browser, f"{url}/performance", 1280, 1000)
        page.locator(".js-plotly-plot").first.wait_for(timeout=180_000)
        page.wait_for_timeout(2000)
        page.screenshot(path=out / "dashboard.png")
        page.context.close()
        _take_phone_picture(browser, url, out)
        page = _open(browser, f"{url}/runs", 1280, 800, dark=True)
        page.locator(".sp-headline").wait_for()
        page.wait_for_timeout(1000)
        page.screenshot(path=out / "dashboard-dark.png")
        page.context.close()


@contextmanager
def _running_dashboard(folder: Path) -> Iterator[tuple[Server, str]]:
    """Run the dashboard on a Prometheus that scrapes an inference server; yield this server and the address."""
    folders = [folder / name for name in ("inference", "prometheus", "dashboard")]
    for each in folders:
        each.mkdir()
    port = free_port()
    arguments = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    command = [sys.executable, "spaces/dashboard/serve.py"]
    with (
        run_server(folders[0], SPACEPORT_PARALLEL=2) as server,
        prometheus_server.real(folders[1], lambda: server.get("/metrics").content) as prometheus,
        running_app(
            folders[2], *arguments, command=command, port=port, SPACEPORT_PROMETHEUS_URL=prometheus
        ) as dashboard,
    ):
        yield server, dashboard.url


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
            page.get_by_text("tokens/s").wait_for(timeout=180_000)
        page.wait_for_timeout(2000)
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
    scheme = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.goto(url)
    page.locator(".sp-head").wait_for(timeout=120_000)
    return page
