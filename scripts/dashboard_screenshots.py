"""The pictures of the dashboard: live metrics of a Prometheus, the playground on a phone, and a run in dark mode."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent
PORT = "7870"
URL = f"http://127.0.0.1:{PORT}"
WATCHED_SECONDS = 90  # a rate needs some samples
QUESTIONS = ("Name a colour.", "Count to five.", "What is the sea?", "Say hello.")


def take_dashboard_pictures(browser: Browser, out: Path) -> None:
    """Write dashboard.png, dashboard-phone.png and dashboard-dark.png."""
    sys.path.insert(0, str(ROOT))
    from tests.dashboard import prometheus_server
    from tests.inference.servers import run_server

    with (
        tempfile.TemporaryDirectory() as folder,
        run_server(Path(folder), SPACEPORT_PARALLEL=2) as server,
        prometheus_server.real(Path(folder), lambda: server.get("/metrics").content) as prometheus,
        _running_dashboard(prometheus),
    ):
        server.wait_ready()
        ends, turn = time.monotonic() + WATCHED_SECONDS, 0
        while time.monotonic() < ends:
            question = {"role": "user", "content": QUESTIONS[turn % len(QUESTIONS)]}
            server.post("/v1/chat/completions", {"messages": [question], "max_tokens": 48})
            time.sleep(turn % 3)
            turn += 1
        page = _open(browser, "performance", 1280, 1000)
        page.locator(".js-plotly-plot").first.wait_for(timeout=180_000)
        page.wait_for_timeout(2000)
        page.screenshot(path=out / "dashboard.png")
        page.context.close()
        _take_phone_picture(browser, out)
        page = _open(browser, "runs", 1280, 800, dark=True)
        page.locator(".sp-headline").wait_for()
        page.wait_for_timeout(1000)
        page.screenshot(path=out / "dashboard-dark.png")
        page.context.close()


def _take_phone_picture(browser: Browser, out: Path) -> None:
    """Put the playground, in light, and the performance page, in dark, beside each other."""
    pictures = []
    for path, dark in (("", False), ("performance", True)):
        page = _open(browser, path, 390, 844, dark=dark)
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
    from base64 import b64encode

    page = browser.new_page(viewport={"width": 820, "height": 844})
    images = "".join(f'<img src="data:image/png;base64,{b64encode(data).decode()}">' for data in pictures)
    page.set_content(f'<body style="margin:0;display:flex;gap:40px">{images}</body>')
    page.wait_for_timeout(500)
    page.screenshot(path=path, omit_background=True)
    page.close()


def _open(browser: Browser, path: str, width: int, height: int, *, dark: bool = False) -> Page:
    scheme = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{URL}/{path}")
    page.locator(".sp-head").wait_for(timeout=120_000)
    return page


@contextmanager
def _running_dashboard(prometheus: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "spaces/dashboard/serve.py", "--server.port", PORT, "--server.address", "127.0.0.1"],
        cwd=ROOT,
        env={**os.environ, "SPACEPORT_PROMETHEUS_URL": prometheus},
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()
