"""Main-thread time of the browser for each token of a streamed answer, compared with a plain `gr.ChatInterface`.

    python benchmarks/page/browser.py [--tokens 600] [--rate 100] [--rounds 2] [--lengths 0,20000,60000]

A scripted model answers with Markdown at a steady rate, in conversations of different lengths. The time is the CPU time
of the page's main thread, as Chromium's DevTools report it, from the question until the answer has ended: scripts,
styles, layout and painting. It is divided by the tokens of the answer.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.pages.browser import chromium
from harness.pages.chat_app import run_chat, running_server
from harness.tables import table, write
from playwright.sync_api import Browser, Page

LENGTHS = (0, 20_000, 60_000)
ANSWER_TOKENS = 700  # of each earlier answer, about 4,000 characters
PLAIN, CHAT, DOCUMENTS = "plain ChatInterface", "chat_rag", "chat_rag, sample documents"
PARTS = {"script": "ScriptDuration", "style": "RecalcStyleDuration", "layout": "LayoutDuration", "all": "TaskDuration"}
MAX_MS = 4.0
NO_LIMITS = {"SPACEPORT_ANSWERS": "0,0,0", "SPACEPORT_ADDRESS_QUESTIONS_A_MINUTE": "0"}
QUESTION = "How many visitors does the viewing deck hold? Write {} tokens, {} per second."


def ask(page: Page, tokens: int, rate: int) -> None:
    """Ask for an answer and wait until it has ended, without a look at the page meanwhile, which would count."""
    box = page.locator("textarea:visible")
    box.fill(QUESTION.format(tokens, rate))
    box.press("Enter")
    page.wait_for_timeout(1000 * (tokens / rate if rate else 0) + 1500)
    page.wait_for_selector(".stop-button", state="hidden", timeout=300_000)


def conversation_characters(page: Page) -> int:
    return int(page.evaluate("document.querySelector('.message-wrap')?.textContent.length ?? 0"))


def open_chat(browser: Browser, url: str, name: str, length: int) -> Page:
    """Open a page with a conversation of at least `length` characters."""
    page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
    page.set_default_timeout(60_000)
    page.goto(url)
    if name == CHAT:
        page.locator("#samples input").uncheck()
    page.wait_for_timeout(1000)
    while conversation_characters(page) < length:
        ask(page, ANSWER_TOKENS, 0)
    return page


def measure(browser: Browser, url: str, name: str, length: int, tokens: int, rate: int) -> dict[str, float]:
    """Return the milliseconds per token of one answer, by part."""
    page = open_chat(browser, url, name, length)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds() -> dict[str, float]:
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in metrics}

    before, characters = seconds(), conversation_characters(page)
    ask(page, tokens, rate)
    after = seconds()

    assert conversation_characters(page) > characters + 4 * tokens, "the answer isn't complete"
    page.context.close()
    return {part: (after[metric] - before[metric]) / tokens * 1000 for part, metric in PARTS.items()}


def report(samples: dict[tuple[int, str], list[dict[str, float]]], settings: dict[str, int]) -> bool:
    """Print the table, write the figures, and return whether the goal is met."""
    figures = [
        {"characters": length, "app": name, **{part: median(run[part] for run in runs) for part in PARTS}}
        for (length, name), runs in samples.items()
    ]
    rows = [
        [f"{figure['characters']:,}", str(figure["app"]), *(f"{figure[part]:.2f}" for part in PARTS)]
        for figure in figures
    ]
    print(table(["characters before", "app", *(f"{part} (ms)" for part in PARTS)], rows))
    met = all(figure["all"] <= MAX_MS for figure in figures if figure["app"] != PLAIN)
    print(f"\n{'met   ' if met else 'MISSED'}  at most {MAX_MS:g} ms per token on the chat page")
    write("browser", {**settings, "figures": figures, "met": met})
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=600, help="the length of an answer (600)")
    parser.add_argument("--rate", type=int, default=100, help="tokens per second (100)")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--lengths", default=",".join(map(str, LENGTHS)), help="characters before the answer")
    options = parser.parse_args()
    lengths = [int(each) for each in options.lengths.split(",")]
    with ExitStack() as stack:
        port = stack.enter_context(running_server("markdown_server"))
        catalog = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "catalog.toml"
        catalog.write_text(f'[markdown]\nkind = "openai"\nurl = "http://127.0.0.1:{port}/v1"\nmodel = "markdown"\n')
        environment = {"SPACEPORT_CATALOG": str(catalog), **NO_LIMITS}
        plain = stack.enter_context(run_chat(["benchmarks/harness/pages/plain_chat.py", str(catalog), "0"]))
        chat = stack.enter_context(run_chat(["spaces/chat_rag/app.py"], **environment))
        urls = {PLAIN: plain.url, CHAT: chat.url, DOCUMENTS: chat.url}
        browser = stack.enter_context(chromium())
        samples: dict[tuple[int, str], list[dict[str, float]]] = {
            (length, name): [] for length in lengths for name in urls
        }
        for _ in range(options.rounds):
            for length, name in random.sample(list(samples), len(samples)):
                run = measure(browser, urls[name], name, length, options.tokens, options.rate)
                print(f"{length} {name}: {run}", file=sys.stderr)
                samples[length, name].append(run)
    sys.exit(0 if report(samples, {"tokens": options.tokens, "rate": options.rate}) else 1)


if __name__ == "__main__":
    main()
