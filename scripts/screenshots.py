"""Take screenshots of the pages: `make screenshots [ARGS="--filing PDF --out DIRECTORY"]`.

Without arguments this writes docs/chat.png, docs/compare.png, docs/publish.png, the dashboard's pictures and
spaces/chat_rag/preview.png. With --out it writes every state (empty, loaded, answering, answered, with a source, with
an error; a race and a measurement) at 1280 and 390 pixels, the chat at 768 too, light and dark; and the chat in each
language.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import TimeoutError as NotSeen

sys.path.insert(0, str(Path(__file__).parent.parent))  # the tests aren't installed

from chat_page.translations.languages import LANGUAGES
from dashboard_screenshots import take_dashboard_pictures
from tests.conftest import BROWSER_ARGUMENTS, ROOT
from tests.helpers.apps import running_app
from tests.helpers.compare import open_details
from tests.helpers.servers import serving
from tests.publish.fake_hub import TOKEN, Hub
from ui.link_preview import HEIGHT, WIDTH

SIZES = ((1280, 860), (390, 844))

TERMINAL_CSS = "margin:0;padding:20px 24px;background:#0f172a;color:#e2e8f0;font:14px/1.5 'DejaVu Sans Mono',monospace"

CATALOG = """
[laptop]
kind = "embedded"
label = "SmolLM2 135M, tiny, on this machine"
price = "0.05/h"

[single]
kind = "embedded"
label = "The same, one thread"
threads = 1
price = "ml.m5.xlarge"

[gpu]
kind = "openai"
label = "A server at its limit"
url = "http://127.0.0.1:{port}/v1"
model = "none"
"""


class FullServer(BaseHTTPRequestHandler):
    """Lists a model and refuses every question, for the picture of a failing column."""

    def do_GET(self) -> None:
        self._reply(200, b'{"object": "list", "data": [{"id": "none", "object": "model"}]}')

    def do_POST(self) -> None:
        self._reply(503, b'{"error": {"message": "The queue is full."}}')

    def log_message(self, format: str, *values: object) -> None:
        """Write no log."""

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running_space(space: str) -> Iterator[str]:
    """Run the Space with the embedded model, the same model with one thread, and a full server; yield its address."""
    with tempfile.TemporaryDirectory() as name, serving(ThreadingHTTPServer(("127.0.0.1", 0), FullServer)) as server:
        folder = Path(name)
        catalog = folder / "backends.toml"
        catalog.write_text(CATALOG.format(port=server.server_port))
        with running_app(folder, "--catalog", str(catalog), space=f"spaces/{space}/app.py") as app:
            yield app.url


def open_page(browser: Browser, url: str, width: int, height: int, dark: bool, *, locale: str = "en") -> Page:
    context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=1, locale=locale)
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{url}/?__theme={'dark' if dark else 'light'}")
    page.locator("#question textarea, #prompt textarea").fill("")
    page.wait_for_timeout(800)
    return page


def ask(page: Page, question: str, *, wait: bool = True) -> None:
    page.locator("#question textarea").fill(question)
    page.locator("#question .submit-button").click()
    with suppress(NotSeen):  # quotes can be there before the stop button is seen
        page.wait_for_selector("#question .stop-button", timeout=5_000)
    if wait:
        page.wait_for_selector("#question .submit-button", timeout=120_000)
        page.wait_for_timeout(500)


def upload(page: Page, filing: Path) -> None:
    page.locator("#drop input[type=file]").set_input_files(str(filing))
    page.wait_for_selector("#documents [data-remove]", timeout=120_000)


def chat_states(browser: Browser, url: str, filing: Path | None, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    question = "What were total net sales for the quarter?" if filing else "How many cars does the car park hold?"
    for width, height in (*SIZES, (768, 1024)):
        for dark in (False, True):
            name = f"{width}-{'dark' if dark else 'light'}"
            page = open_page(browser, url, width, height, dark)
            page.screenshot(path=out / f"{name}-1-empty.png")
            if filing:
                upload(page, filing)
                page.wait_for_timeout(1000)
                page.screenshot(path=out / f"{name}-2-loaded.png")
            ask(page, question, wait=False)
            page.wait_for_timeout(600)
            page.screenshot(path=out / f"{name}-3-answering.png")
            page.wait_for_selector("#question .submit-button", timeout=120_000)
            page.wait_for_timeout(500)
            page.screenshot(path=out / f"{name}-4-answered.png")
            open_source(page)
            page.screenshot(path=out / f"{name}-5-source.png")
            page.locator("[data-close-pane]").click()
            # A phone's sidebar is closed: these elements are outside of the window.
            page.locator("#samples input").evaluate("box => box.checked && box.click()")
            if filing:
                page.locator("#documents [data-remove]").evaluate("button => button.click()")
            ask(page, "word " * 3900)  # longer than a question can be
            page.screenshot(path=out / f"{name}-6-error.png")
            page.context.close()


def language_states(browser: Browser, url: str, out: Path) -> None:
    """Take an empty page and an error in each language but English."""
    for language in (each for each in LANGUAGES if each != "en"):
        page = open_page(browser, url, 1280, 860, dark=False, locale=language)
        page.screenshot(path=out / f"{language}-1-empty.png")
        empty_file = {"name": "empty.txt", "mimeType": "text/plain", "buffer": b" "}
        page.locator("#drop input[type=file]").set_input_files(empty_file)  # type: ignore[arg-type]
        ask(page, "How many cars does the car park hold?")
        page.screenshot(path=out / f"{language}-2-answered.png")
        page.context.close()


def open_source(page: Page) -> None:
    page.locator("#chat .sp-quote a").first.click()
    page.locator("#sources .sp-view").first.wait_for()
    page.wait_for_timeout(2000)


def compare_states(browser: Browser, url: str, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for width, height in SIZES:
        for dark in (False, True):
            name = f"compare-{width}-{'dark' if dark else 'light'}"
            page = open_page(browser, url, width, height, dark)
            page.screenshot(path=out / f"{name}-1-empty.png", full_page=True)
            page.get_by_label("A server at its limit").first.check()
            page.locator("#prompt textarea").fill("Why is the sky blue?")
            page.locator("#prompt .submit-button").click()
            page.wait_for_selector(".sp-answering")
            page.screenshot(path=out / f"{name}-2-race.png", full_page=True)
            page.wait_for_selector("#ballot", state="visible", timeout=120_000)
            page.screenshot(path=out / f"{name}-3-raced.png", full_page=True)
            page.get_by_role("tab", name="Measure").click()
            page.locator("#requests input").fill("12")
            page.locator("#measure").click()
            page.get_by_text("s left").wait_for(timeout=60_000)
            page.screenshot(path=out / f"{name}-4-measuring.png", full_page=True)
            page.wait_for_selector("#measure", state="visible", timeout=240_000)
            page.wait_for_timeout(3000)
            page.screenshot(path=out / f"{name}-5-measured.png", full_page=True)
            open_details(page, "Charts")
            page.wait_for_timeout(3000)
            page.screenshot(path=out / f"{name}-6-charts.png", full_page=True)
            page.context.close()


def chat_picture(browser: Browser, url: str, filing: Path | None) -> None:
    page = open_page(browser, url, 1280, 800, dark=False)
    if filing:
        upload(page, filing)
        ask(page, "What were iPhone net sales in the quarter ended June 25, 2022?")
    else:
        ask(page, "How many cars does the car park hold?")
    open_source(page)
    page.screenshot(path=ROOT / "docs" / "chat.png")


def preview_picture(browser: Browser, url: str) -> None:
    """Take the picture with which other sites show a link to the chat page: an answer and its source."""
    page = open_page(browser, url, WIDTH, HEIGHT, dark=False)
    question = "How many cars does the car park hold?"
    ask(page, question)  # the first answer waits for the embedding model, and would show that time
    page.locator("#new-chat").click()
    page.locator("#sidebar .toggle-button").click()
    ask(page, question)
    open_source(page)
    page.screenshot(path=ROOT / "spaces" / "chat_rag" / "preview.png")
    page.context.close()


def compare_picture(browser: Browser, url: str) -> None:
    """Take the picture of the recorded run, as the published Space shows it to a visitor without a key."""
    page = open_page(browser, url, 1280, 1180, dark=False)
    page.get_by_role("tab", name="Measure").click()
    page.locator(".sp-headline").wait_for()
    page.wait_for_timeout(2000)
    page.screenshot(path=ROOT / "docs" / "compare.png")


def publish_picture(browser: Browser) -> None:
    """Take the picture of a plan and its result in a terminal, with the tests' Hub."""
    with serving(Hub()) as hub:
        environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN}

        def publish(*arguments: str) -> str:
            command = [sys.executable, "scripts/publish_space.py", "platform_compare", *arguments]
            process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
            return f"$ python scripts/publish_space.py platform_compare {' '.join(arguments)}\n{process.stdout}\n"

        options = ["--apply", "--no-try", "--no-smoke"]
        publish(*options)
        space = hub.spaces["somebody/platform_compare"]
        files = {path: data for path, data in space.head.files.items() if path != "ui/theme.py"}
        space.commit("by hand", files | {"app.py": b"old", "old.py": b"print(1)\n"})
        text = publish("--hardware", "cpu-upgrade") + publish("--hardware", "cpu-upgrade", *options) + publish()
    page = browser.new_page(viewport={"width": 960, "height": 400})
    page.set_content(f'<pre style="{TERMINAL_CSS}">{escape(text.strip())}</pre>')
    page.locator("pre").screenshot(path=ROOT / "docs" / "publish.png")
    page.close()


def take_pictures(browser: Browser, options: argparse.Namespace) -> None:
    """Take the pictures of the pages that the options ask for."""
    if options.space == "dashboard" or not (options.space or options.out):
        take_dashboard_pictures(browser, ROOT / "docs")
    for space in [options.space] if options.space else ("chat_rag", "platform_compare"):
        if space == "dashboard":
            continue
        with running_space(space) as url:
            if space == "chat_rag" and options.out:
                chat_states(browser, url, options.filing, options.out)
                language_states(browser, url, options.out)
            elif space == "chat_rag":
                chat_picture(browser, url, options.filing)
                preview_picture(browser, url)
            elif options.out:
                compare_states(browser, url, options.out)
            else:
                compare_picture(browser, url)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--filing", type=Path, help="the document to ask about (default: the sample documents)")
    parser.add_argument("--out", type=Path, help="write every state to this directory")
    parser.add_argument(
        "--space", choices=("chat_rag", "platform_compare", "dashboard", "publish"), help="take only its pictures"
    )
    options = parser.parse_args()
    chromium = which("chromium-headless-shell") or which("chromium") or which("google-chrome")
    if not chromium:
        sys.exit("error: Chromium is missing.\n  Install it: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGUMENTS)
        if options.space == "publish" or not (options.space or options.out):
            publish_picture(browser)
        if options.space != "publish":
            take_pictures(browser, options)
        browser.close()


if __name__ == "__main__":
    main()
