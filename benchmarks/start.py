"""How long until the page can be typed into, against a hello-world Gradio app.

    python benchmarks/start.py [--rounds 5]

Each round starts both apps in turn, in a random order, and opens them in a real browser. The clock runs from the
start of the process until a text box has taken a word.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from statistics import median

from harness.pages import ROOT, chromium, served
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


def start(browser: Browser, command: list[str]) -> tuple[float, float]:
    """Seconds from the process's start until its server answers, and until its page takes a word."""
    started = time.perf_counter()
    with served(command) as url:
        answered = time.perf_counter() - started
        page = browser.new_context().new_page()
        page.goto(url)
        page.locator("#question textarea").fill("hello", timeout=60_000)
        interactive = time.perf_counter() - started
        page.context.close()
        return answered, interactive


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in APPS}
    with chromium() as browser:
        for turn in range(rounds + 1):
            for name in random.sample(list(APPS), len(APPS)):
                sample = start(browser, APPS[name])
                if turn:  # the first round fills the disk's cache
                    samples[name].append(sample)
    answered = {name: median(sample[0] for sample in taken) for name, taken in samples.items()}
    interactive = {name: median(sample[1] for sample in taken) for name, taken in samples.items()}
    base = interactive["hello world"]
    rows = [
        [name, f"{answered[name]:.2f}", f"{interactive[name]:.2f}", f"{interactive[name] / base:.2f}"] for name in APPS
    ]
    print(table(["app", "server answers s", "page takes a word s", "× hello world"], rows))
    ratio = interactive["chat_rag"] / base
    print(f"\n{'met   ' if ratio <= 1.5 else 'MISSED'}  at most 1.5 times hello world")
    write("start", {"rounds": rounds, "served_s": answered, "interactive_s": interactive, "ratio": ratio})


if __name__ == "__main__":
    main()
