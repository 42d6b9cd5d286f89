"""A deployment to SageMaker from the first call to the last, through the real SDKs, and what is left when one fails."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from tests.cloud.aws_api import AwsApi, Fault

Run = Callable[..., int]
MAKING = ("Create", "Put", "Update", "Register")


def test_from_the_first_call_to_the_last(run: Run, aws: AwsApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status") == 1
    assert run("deploy") == 0
    assert run("status") == 0
    assert re.search(r"endpoint\s+chat\s+InService\s+0.7364 USD/h", capsys.readouterr().out)
    assert run("autoscale", max_instances=3) == 0
    first = aws.operations("CreateEndpointConfig")
    assert run("update", image="other:2") == 0
    second = aws.configs["chat"]
    assert aws.payloads["UpdateEndpoint"]["RetainAllVariantProperties"] is True
    assert aws.payloads["UpdateEndpoint"]["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    assert run("rollback") == 0
    assert aws.configs["chat"] != second
    assert len(aws.operations("CreateEndpointConfig")) == len(first) + 1
    assert run("delete", "--yes") == 0
    assert capsys.readouterr().out.endswith("Nothing is left.\n")
    assert run("status") == 1


def test_deploying_twice_makes_nothing_twice(run: Run, aws: AwsApi) -> None:
    assert run("deploy") == 0
    aws.asked.clear()
    assert run("deploy") == 0
    assert aws.operations(*MAKING) == ["PutMetricAlarm"]  # what is put may be put again


def test_an_update_without_a_change_moves_nothing(run: Run, aws: AwsApi, capsys: pytest.CaptureFixture[str]) -> None:
    run("deploy")
    assert run("update") == 0
    assert "in service already" in capsys.readouterr().out
    assert aws.operations("UpdateEndpoint") == []


def test_an_update_whose_alarm_rings_is_told(run: Run, aws: AwsApi, capsys: pytest.CaptureFixture[str]) -> None:
    run("deploy")
    aws.rolls_back = True
    assert run("update", image="other:2") == 1
    assert "went back to chat-" in capsys.readouterr().err
    assert run("update", image="other:2") == 0


def test_there_is_no_way_back_from_the_first_version(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rollback") == 1
    assert "no endpoint chat" in capsys.readouterr().err
    run("deploy")
    assert run("rollback") == 1
    assert "no version before" in capsys.readouterr().err


def test_other_settings_are_an_update_and_no_deployment(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("deploy")
    assert run("deploy", image="other:2") == 1
    assert "deploy_sagemaker.py update" in capsys.readouterr().err


def test_components_scale_from_nothing(run: Run, aws: AwsApi) -> None:
    assert run("deploy", mode="components", max_instances=2) == 0
    first = aws.components["chat-model"]["Specification"]["ModelName"]
    assert run("update", mode="components", max_instances=2, image="other:2") == 0
    second = aws.components["chat-model"]["Specification"]["ModelName"]
    assert second != first
    assert run("rollback", mode="components", max_instances=2, image="other:2") == 0
    assert aws.components["chat-model"]["Specification"]["ModelName"] == first
    assert run("delete", "--yes", mode="components") == 0
    assert aws.components == {}


def test_a_model_is_sent_once_and_found_again(run: Run, aws: AwsApi, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF" * 1000)
    bucket(aws)
    told = {"model": tmp_path / "tiny.gguf", "bucket": "models"}
    assert run("deploy", **told) == 0
    assert run("deploy", **told) == 0
    assert len(aws.operations("PutObject")) == 1
    assert run("delete", "--yes", **told) == 0
    assert run("status", **told) == 1


def bucket(aws: AwsApi) -> None:
    import boto3

    boto3.client("s3", "us-east-1", endpoint_url=aws.url).create_bucket(Bucket="models")
    aws.asked.clear()


# Every call that a deployment makes, each to fail before it is carried out and after.
CALLS = ("DescribeModel", "CreateModel", "DescribeEndpointConfig", "CreateEndpointConfig", "DescribeEndpoint")
CALLS += ("CreateEndpoint", "PutMetricAlarm", "CreateInferenceComponent", "DescribeInferenceComponent")
CALLS += ("PutObject", "HeadObject")
CODES = cycle([("ThrottlingException", 400), ("AccessDeniedException", 403), ("InternalFailure", 500)])


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", CALLS)
def test_a_call_that_fails_leaves_what_can_be_resumed_and_deleted(
    operation: str, after: bool, run: Run, aws: AwsApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF" * 1000)
    bucket(aws)
    told = {"mode": "components", "max_instances": 2, "model": tmp_path / "tiny.gguf", "bucket": "models"}
    # S3 takes a 400 without a body for another region, and asks again.
    code, status = ("AccessDenied", 403) if operation == "HeadObject" else next(CODES)
    aws.faults = [Fault(operation, status, code, "refused for a test", after=after)]
    assert run("deploy", **told) == 1, f"{operation} was not called"
    said = capsys.readouterr().err
    assert "refused for a test" in said or operation in ("HeadObject", "PutObject")  # S3 would say it in XML
    assert "Clean up: python cloud/deploy_sagemaker.py delete" in said
    assert run("deploy", **told) == 0
    assert run("delete", "--yes", **told) == 0
    assert run("status", **told) == 1


@pytest.mark.parametrize("operation", ["RegisterScalableTarget", "PutScalingPolicy"])
def test_scaling_that_fails_can_be_resumed(operation: str, run: Run, aws: AwsApi) -> None:
    run("deploy", max_instances=3)
    aws.faults = [Fault(operation)]
    assert run("autoscale", max_instances=3) == 1
    assert run("autoscale", max_instances=3) == 0
    assert run("delete", "--yes", max_instances=3) == 0


@pytest.mark.parametrize("operation", ["CreateModel", "CreateEndpointConfig", "UpdateEndpoint", "DescribeEndpoint"])
def test_an_update_that_fails_can_be_resumed_and_undone(operation: str, run: Run, aws: AwsApi) -> None:
    run("deploy")
    aws.faults = [Fault(operation)]
    assert run("update", image="other:2") == 1
    assert run("update", image="other:2") == 0
    assert run("rollback") == 0
    assert run("delete", "--yes") == 0
    assert run("status") == 1


@pytest.mark.parametrize(
    "operation", ["DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel", "DeleteAlarms", "DeregisterScalableTarget"]
)
def test_a_deletion_that_fails_can_be_resumed(
    operation: str, run: Run, aws: AwsApi, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    run("autoscale", max_instances=3)
    aws.faults = [Fault(operation)]
    assert run("delete", "--yes") == 1
    assert "AWS refused" in capsys.readouterr().err
    assert run("delete", "--yes") == 0
    assert run("status") == 1


def test_nothing_is_deleted_without_a_yes(
    run: Run, aws: AwsApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert run("delete") == 1
    assert "Nothing was deleted" in capsys.readouterr().out
    assert aws.operations("DeleteEndpoint") == []


def test_what_belongs_to_others_is_left_alone(run: Run, aws: AwsApi) -> None:
    run("deploy")
    run("deploy", name="chatter")
    assert run("delete", "--yes") == 0
    assert run("status", name="chatter") == 0
    assert run("delete", "--yes", name="chatter") == 0


@pytest.mark.parametrize(
    ("missing", "words"), [("AWS_ACCESS_KEY_ID", "credentials"), ("", "nobody")], ids=["keys", "profile"]
)
def test_without_an_identity_the_remedy_is_said(
    missing: str, words: str, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if missing:
        monkeypatch.delenv(missing)
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert run("deploy", region="eu-west-1", **({} if missing else {"profile": "nobody"})) == 1
    said = capsys.readouterr().err
    assert words in said.lower()
    assert "aws configure" in said
