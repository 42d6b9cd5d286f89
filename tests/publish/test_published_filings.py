"""Real reports and a speech become a Space: built, sent to the Hub, started from what was sent, asked in a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from rag import __main__ as rag
from tests.conftest import DATA, missing
from tests.helpers.apps import running_app
from tests.helpers.chat import ask, wait_for_answer
from tests.publish.fake_hub import Hub
from tests.publish.handbook import writes

REPO = "somebody/reports"
PAGES = 6  # of each report: those with its figures
FILINGS = ("2022 Q3 AAPL.pdf", "2023 Q1 NVDA.pdf", "2023 Q2 AMZN.pdf")
SPEECH = "state_of_the_union.md"
# What is marked in the first quotes.
ANSWERS = {
    "What was Apple's net income in the quarter that ended on June 25, 2022?": "19,442",
    "What was NVIDIA's revenue for the three months that ended on April 30, 2023?": "7,192",
    "What were Amazon's total net sales in the second quarter of 2023?": "134,383",
    "How many people are no longer denied health insurance due to preexisting conditions?": "100 million",
    "Which country is Putin invading, causing chaos in Europe and beyond?": "Ukraine",
}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The library of the reports' first pages and the speech."""
    paths = [*(DATA / "filings" / name for name in FILINGS), DATA / "spans" / SPEECH]
    if not all(path.exists() for path in paths):
        missing(f"{' and '.join(path.name for path in paths)} in {DATA}")
    folder = tmp_path / "reports"
    folder.mkdir()
    for path in paths[:-1]:
        with pypdfium2.PdfDocument(path) as whole, pypdfium2.PdfDocument.new() as part:
            part.import_pages(whole, list(range(PAGES)))
            part.save(folder / path.name)
    (folder / SPEECH).write_bytes(paths[-1].read_bytes())
    assert rag.main(["build", str(folder), "--out", str(tmp_path / "library"), "--name", "Reports"]) == 0
    return tmp_path / "library"


def test_the_published_space_answers_from_the_reports(
    hub: Hub,
    publish: Callable[..., int],
    library: Path,
    tmp_path: Path,
    new_page: Callable[..., Page],
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ("chat_rag", "--documents", str(library), "--repo", REPO, "--apply", "--public-documents")
    assert publish(*command) == 0
    sent = writes(hub)
    assert publish(*command) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert writes(hub) == sent
    assert sent.count("commit") == 1
    space = tmp_path / "space"
    for name, data in hub.spaces[REPO].head.files.items():
        (space / name).parent.mkdir(parents=True, exist_ok=True)
        (space / name).write_bytes(data)
    with running_app(tmp_path, space="app.py", cwd=space, PYTHONPATH="") as app:
        page = new_page()
        page.goto(app.url)
        page.wait_for_selector("#question textarea")
        for question, answer in ANSWERS.items():
            ask(page, question)
            wait_for_answer(page)
            reply = page.locator("#chat .bot").last
            marked = " ".join(reply.locator(".sp-quote mark").all_inner_texts())
            assert answer in marked, f"{question} {reply.inner_text()}"
        page.locator('#chat .sp-quotes a[href^="#source-1-"]').first.click()
        expect(page.locator("#sources .sp-view mark").first).to_contain_text("19,442")
