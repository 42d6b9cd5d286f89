"""Compares a measurement from the page, with a browser open, with the same measurement from the command line.

    python benchmarks/comparison/watched_run.py [--rounds 4]

Both measure one scripted server (first token after 200 ms, then a token every 20 ms) in turn, in random order.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.pages.browser import ROOT, chromium, run_app
from harness.tables import free_port, table, write
from playwright.sync_api import Page

from compare.analyse.metrics.metrics import Metrics, compute_metrics
from compare.runs import run_file
from compare_page import strings

REQUESTS, CONCURRENCY = 24, 4
RUN = [sys.executable, "-m", "compare", "run", "--targets", "plain,role_first", "--workload", "chat"]


def measure_headless(catalog: Path, folder: Path) -> Metrics:
    """Measure from the command line."""
    out = folder / "headless.jsonl"
    plan = ["--requests", str(REQUESTS), "--concurrency", str(CONCURRENCY), "--progress", "none"]
    subprocess.run([*RUN, "--catalog", str(catalog), *plan, "--out", str(out)], check=True)
    return compute_metrics(run_file.read(out), "plain")


def measure_live(page: Page, folder: Path) -> Metrics:
    """Measure from the page, which shows its progress meanwhile."""
    page.locator("#measure").click()
    page.wait_for_selector("#stop", state="visible")
    page.wait_for_selector("#measure", state="visible", timeout=300_000)
    page.wait_for_timeout(3000)  # until the results are drawn
    with page.expect_download() as download:
        page.get_by_text(strings.RAW_FILE).click()
    out = folder / "live.jsonl"
    download.value.save_as(out)
    return compute_metrics(run_file.read(out), "plain")


def open_form(page: Page, url: str) -> Page:
    """Open the page and fill in the form."""
    page.set_default_timeout(60_000)
    page.goto(url)
    page.get_by_role("tab", name=strings.MEASURE_TAB).click()
    page.get_by_text(strings.LOAD).click()
    page.locator("#loads input, #loads textarea").fill(str(CONCURRENCY))
    page.locator("#requests input").fill(str(REQUESTS))
    page.locator("#workload input").click()
    page.get_by_role("option", name="Chat turn").click()
    page.get_by_role("tab", name=strings.THIS_RUN).click()  # where the file is
    return page


def measure_both(rounds: int) -> dict[str, list[Metrics]]:
    """Measure both ways in turn; the first round warms up and doesn't count."""
    port = free_port()
    folder = Path(tempfile.mkdtemp())
    catalog = folder / "catalog.toml"
    entry = '[{0}]\nkind = "openai"\nurl = "http://127.0.0.1:{1}/v1"\nmodel = "{0}"\n'
    catalog.write_text("".join(entry.format(name, port) for name in ("plain", "role_first")))
    server = subprocess.Popen(
        [sys.executable, "-m", "compare.conformance.scripted_server", str(port)],
        stdout=subprocess.DEVNULL,
    )
    app = [sys.executable, str(ROOT / "spaces/platform_compare/app.py"), "--catalog", str(catalog)]
    results: dict[str, list[Metrics]] = {"headless": [], "page open": []}
    try:
        with run_app(app) as url, chromium() as browser:
            page = open_form(browser.new_page(), url)
            for number in range(rounds + 1):
                for name in random.sample(list(results), 2):
                    metrics = measure_headless(catalog, folder) if name == "headless" else measure_live(page, folder)
                    if number:
                        results[name].append(metrics)
    finally:
        server.terminate()
        server.wait()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    results = measure_both(parser.parse_args().rounds)
    medians = {
        name: {
            "ttft_p50_ms": median(each.ttft_ms.p50 or 0 for each in runs),
            "itl_p50_ms": median(each.itl_ms.p50 or 0 for each in runs),
            "itl_p95_ms": median(each.itl_ms.p95 or 0 for each in runs),
        }
        for name, runs in results.items()
    }
    headers = ("measured", "first token p50 ms", "inter-token p50 ms", "inter-token p95 ms")
    print(table(headers, [[name, *(f"{value:.2f}" for value in each.values())] for name, each in medians.items()]))
    difference = medians["page open"]["itl_p95_ms"] - medians["headless"]["itl_p95_ms"]
    met = abs(difference) < 1
    print(f"\n{'met   ' if met else 'MISSED'}  inter-token p95 less than 1 ms apart ({difference:+.2f} ms)")
    write("watched_run", {"metrics": medians, "difference_ms": difference, "met": met})
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
