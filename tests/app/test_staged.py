"""Staged Spaces run in an environment without this repository."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from publishing.smoke_request import ask
from publishing.staging import front_matter
from publishing.staging.content_check import check_content
from publishing.staging.stage import StagedSpace, stage
from tests.conftest import DATA, ROOT, missing
from tests.helpers.chat import ask as ask_page
from tests.helpers.chat import wait_for_answer
from tests.helpers.servers import serving
from tests.helpers.staged import running_staged
from tests.publish.conftest import publisher
from tests.publish.fake_hub import Hub
from tests.rag.make_documents import first_pages


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the installed packages, but without the editable install of this repository."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    process = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    # Python searches a folder from a .pth file, but ignores the .pth files in it, such as an editable install's.
    (Path(process.stdout.strip()) / "packages.pth").write_text(sysconfig.get_path("purelib"))
    process = subprocess.run([python, "-E", "-c", "import backends"], capture_output=True, text=True, cwd=folder)
    assert "No module named 'backends'" in process.stderr
    return python


def measure(page: Page) -> None:
    page.get_by_role("tab", name="Measure").click()
    expect(page.locator("#overview")).to_contain_text("faster to the end", timeout=60_000)
    page.locator("#requests input").fill("2")
    page.get_by_label("transformers").last.uncheck()
    page.locator("#measure").click()
    page.wait_for_selector("#stop", state="visible")
    page.wait_for_selector("#measure", state="visible", timeout=120_000)
    expect(page.locator("#run input")).to_have_value("laptop, short")


def staged_space(name: str, folder: Path) -> StagedSpace:
    staged = stage(ROOT, name, folder / name)
    check_content(staged.files)
    return staged


def test_the_staged_chat_answers_from_its_samples(python: Path, tmp_path: Path) -> None:
    with running_staged(staged_space("chat_rag", tmp_path), python) as url:
        assert "30 kilom" in ask(url, "chat_rag")


def test_the_staged_comparator_measures(python: Path, browser: Browser, tmp_path: Path) -> None:
    with running_staged(staged_space("platform_compare", tmp_path), python) as url:
        assert ask(url, "platform_compare")
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        measure(page)
        context.close()


REPORT, LONG_REPORT = "filings/2022 Q3 AAPL.pdf", "filings/2023 Q1 NVDA.pdf"
# With the places of the characters that are taken: the answers, and as much again.
TEXTS = {
    "spans/chatlogs.md": [(8_000, 16_000)],
    "spans/state_of_the_union.md": [(14_000, 20_000), (44_000, 48_000)],
}


@dataclass(frozen=True)
class Question:
    """A question with the document that answers it, and letters and digits of the words that do."""

    text: str
    document: str
    words: str


QUESTIONS = (
    Question("What were Apple's total net sales in the third quarter of 2022?", "2022 Q3 AAPL.pdf", "82959"),
    Question("What was NVIDIA's revenue for the first quarter of fiscal year 2023?", "2023 Q1 NVDA.pdf", "8288"),
    Question("What is the CarbFix project in Reykjavik about?", "chatlogs.md", "CarbFix"),
    Question(
        "At what age did President Biden get elected to the United States Senate?", "state_of_the_union.md", "age29"
    ),
    Question(
        "How many people are no longer denied health insurance due to preexisting conditions?",
        "state_of_the_union.md",
        "Over100million",
    ),
)


def copy_documents(folder: Path) -> None:
    """Copy a report, and parts of longer documents, which take a minute to embed."""
    for name in (REPORT, LONG_REPORT, *TEXTS):
        if not (DATA / name).is_file():
            missing(f"{name} in {DATA}")
    shutil.copy(DATA / REPORT, folder)
    first_pages(DATA / LONG_REPORT, folder)
    for name, parts in TEXTS.items():
        text = (DATA / name).read_text()
        (folder / Path(name).name).write_text("\n\n".join(text[start:end] for start, end in parts))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> StagedSpace:
    """A Space with real documents, as it is on the Hub after the command of a publication."""
    folder, clone = tmp_path_factory.mktemp("reports"), tmp_path_factory.mktemp("published") / "chat_rag"
    copy_documents(folder)
    with serving(Hub()) as hub:
        command = [
            "chat_rag",
            "--documents",
            str(folder),
            "--repo",
            "somebody/reports",
            "--apply",
            "--public-documents",
        ]
        assert publisher(hub)(*command) == 0
        assert [len(space.commits) for space in hub.spaces.values()] == [2]  # the Hub's own, and one
        for name, data in hub.spaces["somebody/reports"].head.files.items():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            (clone / name).write_bytes(data)
    files = {path.relative_to(clone).as_posix(): path for path in clone.rglob("*") if path.is_file()}
    return StagedSpace("chat_rag", clone, files, front_matter.parse(files["README.md"].read_text()))


def letters(text: str | None) -> str:
    """Return letters and digits only: lines break at other places."""
    return re.sub(r"[\W_]", "", text or "")


def check_answer(page: Page, question: Question) -> None:
    """Ask a question, and check that its first quote is marked, and marked in its document, too."""
    ask_page(page, question.text)
    wait_for_answer(page)
    quote: Locator = page.locator("#chat .bot").last.locator(".sp-quote").first
    marked = letters(" ".join(quote.locator("mark").all_text_contents()))
    assert question.words in letters(quote.text_content()), quote.text_content()
    assert marked, question
    link = quote.locator('a[href^="#source-"]').first
    key = re.match(r"#source-(\d+-\d+)", link.get_attribute("href") or "")
    assert key, question
    link.click()
    view = page.locator(f"#source-{key[1]} .sp-view")
    expect(view).to_be_visible()
    assert (view.get_attribute("aria-label") or "").startswith(question.document)
    assert letters(view.locator("mark").first.text_content()) in letters(quote.text_content()), question


def test_a_folder_becomes_a_space_that_answers_with_its_words(
    published: StagedSpace, python: Path, browser: Browser
) -> None:
    with running_staged(published, python) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        for question in QUESTIONS:
            check_answer(page, question)
        context.close()
