"""How long until the page can be typed into, against a hello-world Gradio app.

    python benchmarks/start.py [--rounds 5]

Each round starts both apps in turn, in a random order, and opens them in a real browser. The clock runs from the
start of the process until a text box has taken a word.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from shutil import which
from statistics import median

from playwright.sync_api import Browser, sync_playwright
from tables import free_port, table, write

ROOT = Path(__file__).parent.parent
HELLO = """
import gradio as gr
with gr.Blocks(analytics_enabled=False) as demo:
    box = gr.Textbox(elem_id="question")
    box.submit(lambda text: text, box, box)
demo.launch(ssr_mode=False)
"""
APPS = {
    "hello world": [sys.executable, "-c", HELLO],
    "chat_rag": [sys.executable, str(ROOT / "spaces/chat_rag/app.py")],
}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def start(browser: Browser, command: list[str]) -> tuple[float, float]:
    """Seconds from the process's start until its server answers, and until its page takes a word."""
    port = free_port()
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False"}
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        while not answers(url):
            assert process.poll() is None, f"{command} ended with {process.returncode}"
            assert time.perf_counter() - started < 120, f"{command} does not answer"
            time.sleep(0.02)
        served = time.perf_counter() - started
        page = browser.new_context().new_page()
        page.goto(url)
        page.locator("#question textarea").fill("hello", timeout=60_000)
        interactive = time.perf_counter() - started
        page.context.close()
        return served, interactive
    finally:
        process.terminate()
        process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    chromium = which("chromium") or which("google-chrome")
    if not chromium:
        sys.exit("error: a browser is needed.\n  Install it: apt-get install chromium")
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in APPS}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for turn in range(rounds + 1):
            for name in random.sample(list(APPS), len(APPS)):
                sample = start(browser, APPS[name])
                if turn:  # the first round fills the disk's cache
                    samples[name].append(sample)
        browser.close()
    served = {name: median(sample[0] for sample in taken) for name, taken in samples.items()}
    interactive = {name: median(sample[1] for sample in taken) for name, taken in samples.items()}
    base = interactive["hello world"]
    rows = [
        [name, f"{served[name]:.2f}", f"{interactive[name]:.2f}", f"{interactive[name] / base:.2f}"] for name in APPS
    ]
    print(table(["app", "server answers s", "page takes a word s", "× hello world"], rows))
    ratio = interactive["chat_rag"] / base
    print(f"\n{'met   ' if ratio <= 1.5 else 'MISSED'}  at most 1.5 times hello world")
    write("start", {"rounds": rounds, "served_s": served, "interactive_s": interactive, "ratio": ratio})


if __name__ == "__main__":
    main()
