"""The GitHub workflows are valid and secure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [["check-jsonschema", "--builtin-schema", "vendor.github-workflows"], ["zizmor", "--offline", "--quiet"]],
    ids=lambda command: command[0],
)
def test_workflows_pass_linters(command: list[str]) -> None:
    result = subprocess.run([BIN / command[0], *command[1:], *WORKFLOWS], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", ["make install", "publish_space.py", ".ci/run"])
def test_programs_in_workflows_exist(name: str) -> None:
    assert any(name in path.read_text() for path in WORKFLOWS)
    if name.startswith("make "):
        assert f"\n{name.split()[1]}:" in (ROOT / "Makefile").read_text()
    else:
        assert (ROOT / name).is_file() or (ROOT / "scripts" / name).is_file()
