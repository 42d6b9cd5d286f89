"""Take screenshots of the pages: `make screenshots [ARGS="--filing PDF --states FOLDER"]`.

Without arguments this writes docs/chat.png, docs/compare.png, docs/publish.png, the dashboard's pictures and the
preview.png of each Space. With --states it writes every state of the pages instead, to look at: each width, light and
dark, and the chat in each language. That takes a quarter of an hour; --space, --width and --scheme choose some.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from html import escape
from pathlib import Path
from shutil import which

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent))  # the tests aren't installed

from page_screenshots.chat import (
    HEIGHTS,
    SAMPLE_QUESTION,
    ask,
    chat_states,
    language_states,
    open_page,
    open_source,
    upload,
    windows,
)
from page_screenshots.comparator import compare_states
from page_screenshots.dashboard import dashboard_states, take_dashboard_pictures
from page_screenshots.running_spaces import running_comparator, running_space
from page_screenshots.vision import take_vision_preview, vision_states
from tests.conftest import BROWSER_ARGUMENTS, ROOT
from tests.helpers.servers import serving
from tests.publish.fake_hub import TOKEN, Hub
from ui.link_preview import HEIGHT, WIDTH

SPACES = ("chat_rag", "platform_compare", "dashboard", "vision")

TERMINAL_CSS = "margin:0;padding:20px 24px;background:#0f172a;color:#e2e8f0;font:14px/1.5 'DejaVu Sans Mono',monospace"


def chat_picture(browser: Browser, url: str, filing: Path | None) -> None:
    page = open_page(browser, url, 1280, 800, dark=False)
    if filing:
        upload(page, filing)
        ask(page, "What were iPhone net sales in the quarter ended June 25, 2022?")
    else:
        ask(page, SAMPLE_QUESTION)
    open_source(page)
    page.screenshot(path=ROOT / "docs" / "chat.png")


def preview_picture(browser: Browser, url: str) -> None:
    """Take the picture with which other sites show a link to the chat page: an answer and its source."""
    page = open_page(browser, url, WIDTH, HEIGHT, dark=False)
    ask(page, SAMPLE_QUESTION)  # the first answer waits for the embedding model, and would show that time
    page.locator("#new-chat").click()
    page.locator("#sidebar .toggle-button").click()
    ask(page, SAMPLE_QUESTION)
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


def compare_preview(browser: Browser, url: str) -> None:
    """Take the picture with which other sites show a link to the comparator: the summary of the recorded run."""
    page = open_page(browser, url, WIDTH, HEIGHT, dark=False)
    page.get_by_role("tab", name="Measure").click()
    page.locator(".sp-headline").wait_for()
    page.wait_for_timeout(2000)
    page.screenshot(path=ROOT / "spaces" / "platform_compare" / "preview.png")
    page.context.close()


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


def take_pictures(browser: Browser, space: str, filing: Path | None) -> None:
    """Take the pictures of a Space for the README and the docs."""
    if space == "dashboard":
        take_dashboard_pictures(browser, ROOT / "docs")
    elif space == "publish":
        publish_picture(browser)
    elif space == "vision":
        take_vision_preview(browser, ROOT / "spaces" / "vision" / "preview.png")
    else:
        with running_space(space) as url:
            if space == "chat_rag":
                chat_picture(browser, url, filing)
                preview_picture(browser, url)
            else:
                compare_picture(browser, url)
                compare_preview(browser, url)


def take_states(browser: Browser, space: str, options: argparse.Namespace) -> None:
    """Take the pictures of all states of a Space that the options ask for."""
    sizes = windows(options.width or list(HEIGHTS), [options.scheme] if options.scheme else ["light", "dark"])
    if space == "dashboard":
        dashboard_states(browser, sizes, options.states)
        return
    if space == "vision":
        vision_states(browser, sizes, options.states)
        return
    if space == "platform_compare":
        with running_comparator() as url:
            compare_states(browser, url, sizes, options.states)
        return
    with running_space(space) as url:
        for window in sizes:
            chat_states(browser, url, window, options.filing, options.states)
        if not (options.width or options.scheme):
            language_states(browser, url, options.states)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--filing", type=Path, help="the document to ask about (default: the sample documents)")
    parser.add_argument("--states", type=Path, metavar="FOLDER", help="write every state to this folder")
    parser.add_argument("--space", choices=(*SPACES, "publish"), help="take only its pictures")
    parser.add_argument("--width", type=int, action="append", choices=HEIGHTS, help="only states of this width")
    parser.add_argument("--scheme", choices=("light", "dark"), help="only states in this colour scheme")
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    chromium = which("chromium-headless-shell") or which("chromium") or which("google-chrome")
    if not chromium:
        sys.exit("error: Chromium is missing.\n  Install it: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGUMENTS)
        for space in [options.space] if options.space else SPACES if options.states else (*SPACES, "publish"):
            if options.states:
                take_states(browser, space, options)
            else:
                take_pictures(browser, space, options.filing)
        browser.close()


if __name__ == "__main__":
    main()
