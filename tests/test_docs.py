"""The documents: links resolve, and the example backend works as written."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
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
        r"(?<![\w/])(?:benchmarks|scripts|cloud|spaces)/[\w/]+\.(?:py|sh|toml)", page.read_text(encoding="utf-8")
    )
    for path in set(commands) - {"spaces/__init__.py"}:  # named because it must not exist
        assert (ROOT / path).exists(), path


def places_of_changes() -> Iterator[tuple[str, str, str]]:
    """What can be changed, where, and the folder of its heading, by the tables of CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for section in text.partition("## Where would you change")[2].partition("\n## ")[0].split("\n### ")[1:]:
        folder = re.match(r".+: `(.+)`\n", section)
        for what, where in re.findall(r"^\| (?!what \||---)(.+?) \| (.+) \|$", section, re.MULTILINE):
            yield what, where, folder[1] if folder else ""


def test_what_to_change_is_where_the_tables_say() -> None:
    rows = list(places_of_changes())
    assert len(rows) > 100
    for what, where, folder in rows:
        names = re.findall(r"`([^` ]+)`", where)
        paths = [path for name in names for path in (ROOT / name, ROOT / folder / name) if path.exists()]
        assert paths, what
        for name in names:
            is_path = (ROOT / name).exists() or (ROOT / folder / name).exists()
            assert is_path or "." not in name, (what, name)
            texts = [path.read_text(encoding="utf-8") for path in paths if path.is_file()]
            assert is_path or any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for text in texts), (what, name)


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
