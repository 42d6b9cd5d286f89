"""The documents: links resolve, and the example backend works as written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), ROOT / "k8s/README.md", *sorted((ROOT / "docs").glob("*.md"))]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_to_files_and_headings_resolve(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), link
        assert not anchor or anchor in anchors(linked), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_commands_name_exist(page: Path) -> None:
    commands = re.findall(
        r"\b(?:benchmarks|scripts|cloud|spaces)/[\w/]+\.(?:py|sh|toml)", page.read_text(encoding="utf-8")
    )
    for path in set(commands) - {"spaces/__init__.py"}:  # named because it must not exist
        assert (ROOT / path).exists(), path


def test_the_example_backend_answers(tmp_path: Path) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (module,) = re.findall(r"```python\n(.+?)```", text, re.DOTALL)
    (catalog,) = re.findall(r"```toml\n(.+?)```", text, re.DOTALL)
    (tmp_path / "my_models").mkdir()
    (tmp_path / "my_models/echo.py").write_text(module, encoding="utf-8")
    (tmp_path / "my.toml").write_text(catalog, encoding="utf-8")
    command = [sys.executable, "-m", "backends", "ask", "echo", "Hello there", "--catalog", "my.toml"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout.split()[:2]) == (0, ["Hello", "there"]), answer.stderr
