"""A deployed endpoint answers: a real model behind the stand-in, asked, measured and priced as its users do it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from backends import ChatRequest, Message, TimedOut
from cloud.sagemaker import async_target as sagemaker_async
from compare import records
from tests.cloud.aws_api import AwsApi, Fault
from tests.cloud.test_sagemaker import bucket
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


def test_an_endpoint_without_streams_answers_in_one_piece(
    run: Run, aws: AwsApi, model: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.model = model.url
    told = {"mode": "serverless", "memory_mb": 3072}
    assert run("deploy", **told) == 0
    assert run("status", **told) == 0
    assert run("autoscale", **told) == 1
    assert "nothing to scale" in capsys.readouterr().err
    assert run("test", "Say hello.", **told) == 0
    assert capsys.readouterr().out.strip()
    assert aws.asked[-1].endswith("/invocations")
    assert run("update", **told, image="other:2") == 0
    assert "DeploymentConfig" not in aws.payloads["UpdateEndpoint"]
    assert run("rollback", **told) == 0
    assert run("delete", "--yes", **told) == 0
    assert run("status", **told) == 1


ASYNC = {"mode": "async", "output": "s3://models/answers", "max_instances": 2}


def test_an_asynchronous_endpoint_answers_through_s3(
    run: Run, aws: AwsApi, model: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.model = model.url
    bucket(aws)
    assert run("deploy", **ASYNC) == 0
    assert run("autoscale", **ASYNC) == 0
    assert aws.payloads["RegisterScalableTarget"]["MinCapacity"] == 0
    capsys.readouterr()
    assert run("test", "Say hello.", **ASYNC) == 0
    assert capsys.readouterr().out.strip()
    assert questions(aws) == []
    out = tmp_path / "run.jsonl"
    assert run("benchmark", "--out", str(out), "--requests", "2", "--concurrency", "1", **ASYNC) == 0
    assert sum(record.ok for record in records.read(out).records if record.phase == "measured") == 2
    assert run("update", **ASYNC, image="other:2") == 0
    assert run("rollback", **ASYNC) == 0
    assert run("delete", "--yes", **ASYNC) == 0
    assert run("status", **ASYNC) == 1


def test_an_asynchronous_endpoint_that_fails_says_why(
    run: Run, aws: AwsApi, model: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.model = f"{model.url}/nothing"
    bucket(aws)
    assert run("deploy", **ASYNC) == 0
    assert run("test", **ASYNC) == 1
    assert "failed: " in capsys.readouterr().err
    aws.faults = [Fault("POST /endpoints/chat/async-invocations", message="too much")]
    assert run("test", **ASYNC) == 1
    assert "too much" in capsys.readouterr().err
    assert questions(aws) == []


def test_an_answer_that_does_not_come_is_given_up(aws: AwsApi, model: Server) -> None:
    aws.payloads["CreateEndpointConfig"] = {
        "AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://nowhere/a", "S3FailurePath": "s3://nowhere/f"}}
    }
    aws.model = model.url
    bucket(aws)
    told = {"endpoint": "chat", "output": "s3://models/answers", "region": "us-east-1", "url": aws.url}
    backend = sagemaker_async.connect(told | {"poll_seconds": 0.01, "timeout_seconds": 0.05})

    async def ask() -> None:
        async for _ in backend.stream(ChatRequest((Message("user", "Hello"),))):
            pass

    with pytest.raises(TimedOut, match=r"has not answered after 0\.05 s"):
        asyncio.run(ask())
    assert questions(aws) == []


def questions(aws: AwsApi) -> list[str]:
    """What still lies in S3 of what was asked."""
    found = boto3.client("s3", "us-east-1", endpoint_url=aws.url).list_objects_v2(
        Bucket="models", Prefix="answers/asked"
    )
    return [each["Key"] for each in found.get("Contents", [])]
