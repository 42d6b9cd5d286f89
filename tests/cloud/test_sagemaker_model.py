"""A deployed endpoint answers: a real model behind the stand-in, asked, measured and priced as its users do it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compare import records
from tests.cloud.aws_api import AwsApi
from tests.inference.servers import Server

Run = Callable[..., int]


@pytest.fixture
def deployed(run: Run, aws: AwsApi, model: Server) -> Iterator[Run]:
    aws.model = model.url
    assert run("deploy") == 0
    yield run
    aws.model = ""


def test_a_question_is_answered_through_the_response_stream(
    deployed: Run, aws: AwsApi, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert deployed("test", "Say hello.") == 0
    said = capsys.readouterr()
    assert said.out.strip()
    assert "first token after" in said.err
    assert aws.asked[-1].endswith("/invocations-response-stream")


def test_what_was_measured_is_a_run_of_the_comparator_and_has_a_price(
    deployed: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run.jsonl"
    assert deployed("benchmark", "--out", str(out), "--requests", "4", "--concurrency", "1,2") == 0
    run = records.read(out)
    assert run.targets == ["deployed"]
    assert sum(record.ok for record in run.records if record.phase == "measured") == 8
    assert json.loads(out.read_text().splitlines()[0])["targets"]["deployed"]["price"].endswith("ml.g4dn.xlarge")
    capsys.readouterr()
    assert deployed("cost", str(out), "--utilisation", "0.25") == 0
    told = capsys.readouterr().out
    assert "always on, 25% used" in told
    assert "ml.g5.xlarge" in told
    assert "serverless, 4096 MB" in told
    figures = [line.split("|") for line in told.splitlines() if line.startswith("| always on")]
    full, quarter = (float(cells[3].replace("$", "").strip().split()[0]) for cells in figures)
    assert quarter == pytest.approx(4 * full, rel=0.05)


def test_a_run_in_which_nothing_succeeded_has_no_price(
    deployed: Run, aws: AwsApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.model = "http://127.0.0.1:9"
    out = tmp_path / "run.jsonl"
    assert deployed("benchmark", "--out", str(out), "--requests", "2", "--concurrency", "1") == 1
    assert deployed("cost", str(out)) == 1
    assert "No request of this run succeeded" in capsys.readouterr().err
