"""Staged Spaces run in an environment without this repository."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from publishing.smoke import ask
from publishing.staging.content_check import check_content
from publishing.staging.stage import StagedSpace, stage
from publishing.trial import run_app
from tests.conftest import ROOT


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
    process = subprocess.run([python, "-c", "import backends"], capture_output=True, text=True, cwd=folder)
    assert "No module named 'backends'" in process.stderr
    return python


def chat(page: Page) -> None:
    page.locator("#question textarea").fill("What is the exclusion zone?")
    page.locator("#question .submit-button").click()
    expect(page.locator("#sources .sp-card", has_text="30 kilom")).not_to_have_count(0, timeout=120_000)


def compare(page: Page) -> None:
    page.get_by_role("tab", name="Measure").click()
    expect(page.locator("#overview")).to_contain_text("faster to the end", timeout=60_000)
    page.locator("#requests input").fill("2")
    page.get_by_label("transformers").last.uncheck()
    page.locator("#measure").click()
    page.wait_for_selector("#stop", state="visible")
    page.wait_for_selector("#measure", state="visible", timeout=120_000)
    expect(page.locator("#run input")).to_have_value("laptop, short")


ACTIONS: dict[str, Callable[[Page], None]] = {"chat_rag": chat, "platform_compare": compare}


@pytest.mark.parametrize("name", ACTIONS)
def test_a_staged_space_runs_on_its_own(name: str, python: Path, browser: Browser, tmp_path: Path) -> None:
    staged: StagedSpace = stage(ROOT, name, tmp_path / name)
    check_content(staged.files)
    with run_app(staged, python) as url:
        assert ask(url, name)
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        ACTIONS[name](page)
        context.close()
