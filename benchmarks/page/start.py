"""Time until the chat page is interactive, compared with a hello-world Gradio app.

    python benchmarks/page/start.py [--rounds 5]

Each round starts both apps one after the other, in random order, and opens them in a real browser. The time runs from
the start of the process until a text box accepts a word.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.pages.browser import ROOT, chromium, run_app
from harness.tables import table, write
from playwright.sync_api import Browser

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
MAX_RATIO = 1.5


def start_seconds(browser: Browser, command: list[str]) -> tuple[float, float]:
    """Return the seconds from the start of the process until its server answers and until its page accepts a word."""
    started = time.perf_counter()
    with run_app(command) as url:
        server_ready = time.perf_counter() - started
        page = browser.new_context().new_page()
        page.goto(url)
        page.locator("#question textarea").fill("hello", timeout=60_000)
        interactive = time.perf_counter() - started
        page.context.close()
        return server_ready, interactive


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in APPS}
    with chromium() as browser:
        for turn in range(rounds + 1):
            for name in random.sample(list(APPS), len(APPS)):
                sample = start_seconds(browser, APPS[name])
                if turn:  # the first round fills the disk's cache
                    samples[name].append(sample)
    server_ready = {name: median(sample[0] for sample in app_samples) for name, app_samples in samples.items()}
    interactive = {name: median(sample[1] for sample in app_samples) for name, app_samples in samples.items()}
    base = interactive["hello world"]
    rows = [
        [name, f"{server_ready[name]:.2f}", f"{interactive[name]:.2f}", f"{interactive[name] / base:.2f}"]
        for name in APPS
    ]
    print(table(["app", "server ready (s)", "page interactive (s)", "× hello world"], rows))
    ratio = interactive["chat_rag"] / base
    print(f"\n{'met   ' if ratio <= MAX_RATIO else 'MISSED'}  at most {MAX_RATIO} times hello world")
    write("start", {"rounds": rounds, "served_s": server_ready, "interactive_s": interactive, "ratio": ratio})


if __name__ == "__main__":
    main()
