"""The published dashboard, in an environment without this repository."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, expect

from publishing.smoke_request import ask
from publishing.staging.content_check import check_content
from publishing.staging.stage import stage
from tests.app.test_staged import python
from tests.conftest import ROOT
from tests.helpers.staged import running_staged

__all__ = ["python"]  # fixtures


def test_a_clone_runs_without_an_installation(python: Path, tmp_path: Path) -> None:
    """Streamlit Community Cloud clones the repository and installs only the requirements."""
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'spaces/dashboard')!r})\n"
        "import import_paths\n"
        "from dashboard_pages import costs, performance, playground, runs\n"
        "assert not costs.is_here()\n"
        "print(runs.resources.comparison_service().run_names(runs.resources.visitor())[0])"
    )
    process = subprocess.run([python, "-E", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert process.stdout.startswith("Example:"), process.stderr


def test_the_staged_dashboard_runs_outside_the_repository(python: Path, browser: Browser, tmp_path: Path) -> None:
    space = stage(ROOT, "dashboard", tmp_path / "dashboard")
    check_content(space.files)
    assert not any(name.startswith(("gateway/", "inference/")) for name in space.files)
    space = replace(space, variables={"SPACEPORT_DATABASE_URL": "sqlite:////etc/hostname"})
    with running_staged(space, python) as url:
        assert ask(url, "dashboard") == "ok"
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{url}/runs")
        expect(page.get_by_text("faster to the end").first).to_be_visible(timeout=60_000)
        expect(page.get_by_role("link", name="Costs")).to_have_count(0)  # nobody's bills are published
        page.get_by_role("link", name="Playground").click()
        box = page.get_by_test_id("stChatInputTextArea")
        box.fill("Say hello.")
        box.press("Enter")
        answer = page.get_by_test_id("stChatMessage").last
        expect(answer).to_contain_text("tokens/s", timeout=120_000)
        expect(answer).to_contain_text(re.compile(r"laptop\b.* · first token"))
        expect(answer.locator("p").first).not_to_be_empty()
        context.close()
