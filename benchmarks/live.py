"""Whether watching a measurement changes it: the same plan from the page, with a browser open, and headless.

    python benchmarks/live.py [--rounds 4]

Both measure one scripted server (first token after 200 ms, then a token every 20 ms) in turn, in a random order.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from harness.pages import ROOT, chromium, run_app
from harness.tables import free_port, table, write
from playwright.sync_api import Page

from compare import run_file
from compare.analyse.metrics import Metrics, compute_metrics

REQUESTS, CONCURRENCY = 24, 4
COMPARE = [sys.executable, "-m", "compare", "run", "--targets", "plain,role_first", "--workload", "chat"]


def headless(catalog: Path, folder: Path) -> Metrics:
    """One run from the command line."""
    out = folder / "headless.jsonl"
    plan = ["--requests", str(REQUESTS), "--concurrency", str(CONCURRENCY), "--progress", "none"]
    subprocess.run([*COMPARE, "--catalog", str(catalog), *plan, "--out", str(out)], check=True)
    return compute_metrics(run_file.read(out), "plain")


def live(page: Page, folder: Path) -> Metrics:
    """The same run from the page, which shows its progress meanwhile."""
    page.locator("#measure").click()
    page.wait_for_selector("#stop", state="visible")
    page.wait_for_selector("#measure", state="visible", timeout=300_000)
    page.wait_for_timeout(3000)  # the pictures are drawn
    with page.expect_download() as download:
        page.get_by_text("Raw arrivals (JSONL)").click()
    out = folder / "live.jsonl"
    download.value.save_as(out)
    return compute_metrics(run_file.read(out), "plain")


def opened(page: Page, url: str) -> Page:
    page.set_default_timeout(60_000)
    page.goto(url)
    page.get_by_role("tab", name="Measure").click()
    page.get_by_text("Load and repetitions").click()
    page.locator("#loads input, #loads textarea").fill(str(CONCURRENCY))
    page.locator("#requests input").fill(str(REQUESTS))
    page.locator("#workload input").click()
    page.get_by_role("option", name="Chat turn").click()
    return page


def measured(rounds: int) -> dict[str, list[Metrics]]:
    """Both ways in turn; the first round warms up and is dropped."""
    port = free_port()
    folder = Path(tempfile.mkdtemp())
    catalog = folder / "catalog.toml"
    entry = '[{0}]\nkind = "openai"\nurl = "http://127.0.0.1:{1}/v1"\nmodel = "{0}"\n'
    catalog.write_text("".join(entry.format(name, port) for name in ("plain", "role_first")))
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "benchmarks/harness/scripted_server.py"), str(port)], stdout=subprocess.DEVNULL
    )
    app = [sys.executable, str(ROOT / "spaces/platform_compare/app.py"), "--catalog", str(catalog)]
    taken: dict[str, list[Metrics]] = {"headless": [], "page open": []}
    try:
        with run_app(app) as url, chromium() as browser:
            page = opened(browser.new_page(), url)
            for turn in range(rounds + 1):
                for name in random.sample(list(taken), 2):
                    found = headless(catalog, folder) if name == "headless" else live(page, folder)
                    if turn:
                        taken[name].append(found)
    finally:
        server.terminate()
        server.wait()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    taken = measured(parser.parse_args().rounds)
    told = {
        name: {
            "ttft_p50_ms": median(each.ttft_ms.p50 or 0 for each in runs),
            "itl_p50_ms": median(each.itl_ms.p50 or 0 for each in runs),
            "itl_p95_ms": median(each.itl_ms.p95 or 0 for each in runs),
        }
        for name, runs in taken.items()
    }
    heads = ("measured", "first token p50 ms", "inter-token p50 ms", "inter-token p95 ms")
    print(table(heads, [[name, *(f"{value:.2f}" for value in each.values())] for name, each in told.items()]))
    apart = told["page open"]["itl_p95_ms"] - told["headless"]["itl_p95_ms"]
    met = abs(apart) < 1
    print(f"\n{'met   ' if met else 'MISSED'}  inter-token p95 less than 1 ms apart ({apart:+.2f} ms)")
    write("live", {"figures": told, "apart_ms": apart, "met": met})
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
