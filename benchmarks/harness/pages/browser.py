"""Apps and a headless browser for benchmarks that measure a page."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which

from playwright.sync_api import Browser, sync_playwright

from harness.tables import free_port

ROOT = Path(__file__).parents[3]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a headless browser; exit with a remedy if none is installed."""
    program = which("chromium-headless-shell") or which("chromium") or which("google-chrome")
    if not program:
        sys.exit("error: This benchmark needs a browser.\n  Install it: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def run_app(command: Sequence[str]) -> Iterator[str]:
    """Start an app on a free port, wait until it answers, and yield its URL."""
    port = free_port()
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        while not is_up(url):
            assert process.poll() is None, f"{command} ended with {process.returncode}"
            time.sleep(0.02)
        yield url
    finally:
        process.terminate()
        process.wait()


def is_up(url: str) -> bool:
    """Return whether the server at `url` answers."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
        return True
    except (urllib.error.URLError, OSError):
        return False
