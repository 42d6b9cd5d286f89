"""A running page and a real browser on it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect, sync_playwright

from tests.app.scripted_model import ScriptedModel, serving
from tests.conftest import ROOT

BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# The machine may be slow; what is waited for is still the first moment that it holds.
expect.set_options(timeout=30_000)


@dataclass
class App:
    url: str
    process: subprocess.Popen[bytes]
    log: Path


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.fixture(scope="module")
def start_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., App]]:
    """Start a Space with arguments and environment of one's own."""
    started: list[App] = []

    def start(
        *arguments: str,
        space: str = "spaces/chat_rag/app.py",
        command: list[str] | None = None,
        cwd: Path = ROOT,
        port: int | None = None,
        **environment: str,
    ) -> App:
        port = port or free_port()
        folder = tmp_path_factory.mktemp("app")
        log = folder / "log"
        command = command or [sys.executable, space]
        ours = {"GRADIO_SERVER_PORT": str(port), "PYTHONUNBUFFERED": "1", "SPACEPORT_DATA": str(folder / "data")}
        environment = {**os.environ, **ours, **environment}
        with log.open("wb") as out:
            # `gradio app.py` runs the page in a child, which it leaves behind: a session ends as a whole.
            process = subprocess.Popen(
                [*command, *arguments], cwd=cwd, env=environment, stdout=out, stderr=out, start_new_session=True
            )
        app = App(f"http://127.0.0.1:{port}", process, log)
        started.append(app)
        wait_until(lambda: _answers(app), 90, lambda: f"the app did not start:\n{log.read_text()}")
        return app

    yield start
    for app in started:
        if app.process.poll() is None:
            os.killpg(app.process.pid, signal.SIGTERM)
            app.process.wait(20)


def _answers(app: App) -> bool:
    assert app.process.poll() is None, app.log.read_text()
    try:
        return httpx2.get(app.url, timeout=5).status_code == 200
    except httpx2.TransportError:
        return False


def wait_until(true: Callable[[], bool], seconds: float, message: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, message()
        time.sleep(0.05)


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    """A server whose behaviour is in the question."""
    with serving() as model:
        yield model


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    # For a module and not longer: while Playwright runs, the thread counts as running an event loop, and
    # asynchronous tests of other folders could not.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open the app as a visitor of one's own: no cookie or storage is shared with another."""
    contexts = []

    def open_one(
        app: App, *, width: int = 1280, height: int = 860, dark: bool = False, until: str = "#question textarea"
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{app.url}/?__theme={'dark' if dark else 'light'}")
        page.wait_for_selector(until)
        return page

    yield open_one
    for context in contexts:
        context.close()


def ask(page: Page, question: str) -> None:
    """Send a question; when this returns the server has taken it, which empties the box."""
    box = page.locator("#question textarea")
    box.fill(question)
    page.locator("#question .submit-button").click()
    expect(box).to_have_value("", timeout=60_000)


def leave_samples_out(page: Page) -> None:
    """A plain chat with the model, for which no document is searched."""
    page.locator("#samples input").uncheck()


def upload(page: Page, *files: Path) -> None:
    page.locator("#drop input[type=file]").set_input_files([str(file) for file in files])


def uploaded(page: Page, files: int) -> None:
    """Wait until so many documents can be searched; the first one waits for the embedding model."""
    expect(page.locator("#documents [data-remove]")).to_have_count(files, timeout=120_000)


def wait_for_answer(page: Page, seconds: float = 120) -> str:
    """Wait until the send button is back, and give the text of the last answer."""
    with suppress(TimeoutError):  # a short answer is over before anybody has seen that it began
        page.wait_for_selector("#question .stop-button", timeout=5_000)
    page.wait_for_selector("#question .submit-button", timeout=seconds * 1000)
    return str(page.locator("#chat .bot").last.inner_text())
