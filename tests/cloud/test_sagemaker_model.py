"""test, benchmark and cost on deployed endpoints, with a real model behind the fake AWS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from backends import ChatRequest, Message, TimedOut
from cloud.sagemaker import async_target
from compare.runs import run_file
from tests.cloud.aws_api import AwsApi, Fault
from tests.cloud.test_sagemaker import bucket
from tests.inference.servers import Server

Run = Callable[..., int]
pytestmark = pytest.mark.usefixtures("small_heap")


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
    output = capsys.readouterr()
    assert output.out.strip()
    assert "first token after" in output.err
    assert aws.requests[-1].endswith("/invocations-response-stream")


def test_a_benchmark_is_a_run_of_the_comparator_and_has_a_cost(
    deployed: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run.jsonl"
    assert deployed("benchmark", "--out", str(out), "--requests", "4", "--concurrency", "1,2") == 0
    run = run_file.read(out)
    assert run.targets == ["deployed"]
    assert sum(record.ok for record in run.records if record.phase == "measured") == 8
    assert json.loads(out.read_text().splitlines()[0])["targets"]["deployed"]["price"].endswith("ml.g4dn.xlarge")
    capsys.readouterr()
    assert deployed("cost", str(out), "--utilisation", "0.25") == 0
    output = capsys.readouterr().out
    assert "always on, 25% used" in output
    assert "ml.g5.xlarge" in output
    assert "serverless, 4096 MB" in output
    rows = [line.split("|") for line in output.splitlines() if line.startswith("| always on")]
    full, quarter = (float(cells[3].replace("$", "").strip().split()[0]) for cells in rows)
    assert quarter == pytest.approx(4 * full, rel=0.05)


def test_a_run_without_a_successful_request_has_no_cost(
    deployed: Run, aws: AwsApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.model = "http://127.0.0.1:9"
    out = tmp_path / "run.jsonl"
    assert deployed("benchmark", "--out", str(out), "--requests", "2", "--concurrency", "1") == 1
    assert deployed("cost", str(out)) == 1
    assert "No request of this run succeeded" in capsys.readouterr().err


def test_a_serverless_endpoint_answers_without_streaming(
    run: Run, aws: AwsApi, model: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.model = model.url
    settings = {"mode": "serverless", "memory_mb": 3072}
    assert run("deploy", **settings) == 0
    assert run("status", **settings) == 0
    assert run("autoscale", **settings) == 1
    assert "nothing to scale" in capsys.readouterr().err
    assert run("test", "Say hello.", **settings) == 0
    assert capsys.readouterr().out.strip()
    assert aws.requests[-1].endswith("/invocations")
    assert run("update", **settings, image="other:2") == 0
    assert "DeploymentConfig" not in aws.payloads["UpdateEndpoint"]
    assert run("rollback", **settings) == 0
    assert run("delete", "--yes", **settings) == 0
    assert run("status", **settings) == 1


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
    assert sum(record.ok for record in run_file.read(out).records if record.phase == "measured") == 2
    assert run("update", **ASYNC, image="other:2") == 0
    assert run("rollback", **ASYNC) == 0
    assert run("delete", "--yes", **ASYNC) == 0
    assert run("status", **ASYNC) == 1


def test_an_asynchronous_endpoint_that_fails_gives_the_reason(
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


def test_a_missing_answer_times_out(aws: AwsApi, model: Server) -> None:
    aws.payloads["CreateEndpointConfig"] = {
        "AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://nowhere/a", "S3FailurePath": "s3://nowhere/f"}}
    }
    aws.model = model.url
    bucket(aws)
    settings = {"endpoint": "chat", "output": "s3://models/answers", "region": "us-east-1", "url": aws.url}
    backend = async_target.connect(settings | {"poll_seconds": 0.01, "timeout_seconds": 0.05})

    async def ask() -> None:
        async for _ in backend.stream(ChatRequest((Message("user", "Hello"),))):
            pass

    with pytest.raises(TimedOut, match=r"has not answered after 0\.05 s"):
        asyncio.run(ask())
    assert questions(aws) == []


def questions(aws: AwsApi) -> list[str]:
    """Return the questions that are still in S3."""
    listing = boto3.client("s3", "us-east-1", endpoint_url=aws.url).list_objects_v2(
        Bucket="models", Prefix="answers/questions"
    )
    return [each["Key"] for each in listing.get("Contents", [])]
