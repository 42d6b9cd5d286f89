"""The workflows are what GitHub understands, and safe to run."""

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
def test_workflows_pass(command: list[str]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:], *WORKFLOWS], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["make install", "publish_space.py", ".ci/run"])
def test_what_they_call_is_there(name: str) -> None:
    assert any(name in path.read_text() for path in WORKFLOWS)
    if name.startswith("make "):
        assert f"\n{name.split()[1]}:" in (ROOT / "Makefile").read_text()
    else:
        assert (ROOT / name).is_file() or (ROOT / "scripts" / name).is_file()
