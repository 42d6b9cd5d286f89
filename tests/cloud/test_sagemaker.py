"""The commands of a SageMaker deployment through the real SDKs, and the state after each call fails."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from tests.cloud.aws_api import AwsApi, Fault

Run = Callable[..., int]
CREATING = ("Create", "Put", "Update", "Register")


def test_a_deployment_from_deploy_to_delete(run: Run, aws: AwsApi, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_deploying_twice_creates_nothing_twice(run: Run, aws: AwsApi) -> None:
    assert run("deploy") == 0
    aws.requests.clear()
    assert run("deploy") == 0
    assert aws.operations(*CREATING) == ["PutMetricAlarm"]  # a Put operation can be repeated


def test_an_update_without_a_change_does_nothing(run: Run, aws: AwsApi, capsys: pytest.CaptureFixture[str]) -> None:
    run("deploy")
    assert run("update") == 0
    assert "in service already" in capsys.readouterr().out
    assert aws.operations("UpdateEndpoint") == []


def test_an_update_that_its_alarm_rolls_back_is_an_error(
    run: Run, aws: AwsApi, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    aws.rolls_back = True
    assert run("update", image="other:2") == 1
    assert "went back to chat-" in capsys.readouterr().err
    assert run("update", image="other:2") == 0


def test_the_first_version_cannot_be_rolled_back(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rollback") == 1
    assert "no endpoint chat" in capsys.readouterr().err
    run("deploy")
    assert run("rollback") == 1
    assert "no version before" in capsys.readouterr().err


def test_deploying_other_settings_needs_an_update(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("deploy")
    assert run("deploy", image="other:2") == 1
    assert "deploy_sagemaker.py update" in capsys.readouterr().err


def test_components_are_updated_and_rolled_back(run: Run, aws: AwsApi) -> None:
    assert run("deploy", mode="components", max_instances=2) == 0
    first = aws.components["chat-model"]["Specification"]["ModelName"]
    assert run("update", mode="components", max_instances=2, image="other:2") == 0
    second = aws.components["chat-model"]["Specification"]["ModelName"]
    assert second != first
    assert run("rollback", mode="components", max_instances=2, image="other:2") == 0
    assert aws.components["chat-model"]["Specification"]["ModelName"] == first
    assert run("delete", "--yes", mode="components") == 0
    assert aws.components == {}


def test_a_model_is_uploaded_once(run: Run, aws: AwsApi, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF" * 1000)
    bucket(aws)
    settings = {"model": tmp_path / "tiny.gguf", "bucket": "models"}
    assert run("deploy", **settings) == 0
    assert run("deploy", **settings) == 0
    assert len(aws.operations("PutObject")) == 1
    assert run("delete", "--yes", **settings) == 0
    assert run("status", **settings) == 1


def bucket(aws: AwsApi) -> None:
    import boto3

    boto3.client("s3", "us-east-1", endpoint_url=aws.url).create_bucket(Bucket="models")
    aws.requests.clear()


# Every call of a deployment. One that changes something fails before and after it takes effect.
READING = ("DescribeModel", "DescribeEndpointConfig", "DescribeEndpoint", "DescribeInferenceComponent", "HeadObject")
CHANGING = ("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "PutMetricAlarm", "CreateInferenceComponent")
CHANGING += ("PutObject",)
FAILURES = [*((name, False) for name in READING + CHANGING), *((name, True) for name in CHANGING)]
CODES = cycle([("ThrottlingException", 400), ("AccessDeniedException", 403), ("InternalFailure", 500)])


@pytest.mark.parametrize(
    ("operation", "after"), FAILURES, ids=[f"{name}-{('before', 'after')[after]}" for name, after in FAILURES]
)
def test_a_failed_call_can_be_resumed_and_cleaned_up(
    operation: str, after: bool, run: Run, aws: AwsApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF" * 1000)
    bucket(aws)
    settings = {"mode": "components", "max_instances": 2, "model": tmp_path / "tiny.gguf", "bucket": "models"}
    # boto3 takes a 400 without a body for another region, and retries.
    code, status = ("AccessDenied", 403) if operation == "HeadObject" else next(CODES)
    aws.faults = [Fault(operation, status, code, "refused for a test", after=after)]
    assert run("deploy", **settings) == 1, f"{operation} was not called"
    errors = capsys.readouterr().err
    assert "refused for a test" in errors or operation in ("HeadObject", "PutObject")  # S3 sends errors as XML
    assert "Clean up: python cloud/deploy_sagemaker.py delete" in errors
    assert run("deploy", **settings) == 0
    assert run("delete", "--yes", **settings) == 0
    assert run("status", **settings) == 1


@pytest.mark.parametrize("operation", ["RegisterScalableTarget", "PutScalingPolicy"])
def test_failed_scaling_can_be_resumed(operation: str, run: Run, aws: AwsApi) -> None:
    run("deploy", max_instances=3)
    aws.faults = [Fault(operation)]
    assert run("autoscale", max_instances=3) == 1
    assert run("autoscale", max_instances=3) == 0
    assert run("delete", "--yes", max_instances=3) == 0


@pytest.mark.parametrize("operation", ["CreateModel", "CreateEndpointConfig", "UpdateEndpoint", "DescribeEndpoint"])
def test_a_failed_update_can_be_resumed_and_rolled_back(operation: str, run: Run, aws: AwsApi) -> None:
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
def test_a_failed_deletion_can_be_resumed(
    operation: str, run: Run, aws: AwsApi, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    run("autoscale", max_instances=3)
    aws.faults = [Fault(operation)]
    assert run("delete", "--yes") == 1
    assert "AWS refused" in capsys.readouterr().err
    assert run("delete", "--yes") == 0
    assert run("status") == 1


def test_nothing_is_deleted_without_a_confirmation(
    run: Run, aws: AwsApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert run("delete") == 1
    assert "Nothing was deleted" in capsys.readouterr().out
    assert aws.operations("DeleteEndpoint") == []


def test_other_deployments_are_not_deleted(run: Run, aws: AwsApi) -> None:
    run("deploy")
    run("deploy", name="chatter")
    assert run("delete", "--yes") == 0
    assert run("status", name="chatter") == 0
    assert run("delete", "--yes", name="chatter") == 0


@pytest.mark.parametrize(
    ("missing", "message"), [("AWS_ACCESS_KEY_ID", "credentials"), ("", "nobody")], ids=["keys", "profile"]
)
def test_a_missing_identity_has_a_remedy(
    missing: str, message: str, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if missing:
        monkeypatch.delenv(missing)
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert run("deploy", region="eu-west-1", **({} if missing else {"profile": "nobody"})) == 1
    errors = capsys.readouterr().err
    assert message in errors.lower()
    assert "aws configure" in errors
