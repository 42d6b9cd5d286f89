"""The plan of a deployment to SageMaker: it needs no credentials, and AWS's service models accept every call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backends import NotConfigured
from cloud.calls import ApiCall
from cloud.command import Command
from cloud.sagemaker import calls, model_data, scaling
from cloud.sagemaker.platform import SageMakerPlatform
from cloud.sagemaker.settings import MODES, STRATEGIES, SageMakerSettings
from compare import deployment
from tests.cloud.api_model import problems
from tests.cloud.conftest import IMAGE, ROLE, TOML
from tests.conftest import ROOT

SETTINGS = SageMakerSettings(
    "chat", ROLE, IMAGE, max_instances=3, output="s3://bucket/answers", capture="s3://bucket/sample"
)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("model", ["", "s3://bucket/model/", "s3://bucket/model.tar.gz", "local"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_aws_accepts_every_call(mode: str, model: str, strategy: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    model = str(tmp_path) if model == "local" else model
    settings = replace(
        SETTINGS, mode=mode, model=model, bucket="bucket", strategy=strategy, budget_usd=5, budget_email="a@b.c"
    )
    plan = [*calls.deployment(settings), *scaling.scaling(settings), calls.update(settings)]
    plan += [scaling.from_zero_alarm(settings, "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1")]
    for call in plan:
        assert problems(call) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"EndpointNam": "x"}, "Unknown parameter"),
        ({"EndpointName": "no spaces please"}, "is not"),
        ({"EndpointName": 5}, "Invalid type"),
        (
            {"DeploymentConfig": {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "SLOWLY"}}}},
            "none of",
        ),
    ],
)
def test_wrong_parameters_are_detected(change: dict, message: str) -> None:
    payload = {**calls.create_endpoint(SETTINGS).payload, **change}
    assert message in " ".join(problems(ApiCall("sagemaker", "CreateEndpoint", payload, "")))
    assert problems(ApiCall("sagemaker", "CreateEndpoints", payload, ""))


def test_the_plan_needs_no_credentials_and_no_network(tmp_path: Path) -> None:
    file = tmp_path / "sagemaker.toml"
    file.write_text(TOML)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SPACEPORT_"))}
    environment |= {"AWS_EC2_METADATA_DISABLED": "true", "HTTPS_PROXY": "http://127.0.0.1:1", "HOME": str(tmp_path)}
    command = [sys.executable, "cloud/deploy_sagemaker.py", "plan", "--file", str(file)]
    output = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    for word in (
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
        ROLE,
        "nothing has been changed",
        "0.7364 USD",
    ):
        assert word in output
    process = subprocess.run(
        [*command, "--json"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    plan = [ApiCall(call["service"], call["operation"], call["payload"], "") for call in json.loads(process.stdout)]
    assert [problem for call in plan for problem in problems(call)] == []


def test_no_secret_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "sagemaker.toml"
    file.write_text(TOML + '[environment]\nHF_TOKEN = "hf_12345"\nSPACEPORT_API_KEY = "sk-1"\nLEVEL = "info"\n')
    assert Command(SageMakerPlatform(), deployment).main(["plan", "--file", str(file)]) == 0
    output = capsys.readouterr().out
    assert "hf_12345" not in output
    assert "sk-1" not in output
    assert '"LEVEL": "info"' in output


def test_the_example_settings_make_a_plan() -> None:
    process = subprocess.run(
        [sys.executable, "cloud/deploy_sagemaker.py", "plan"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "scaling with the load" in process.stdout


def test_names_depend_only_on_the_content() -> None:
    names = {calls.create_config(each).payload["EndpointConfigName"] for each in (SETTINGS, replace(SETTINGS))}
    assert len(names) == 1
    for change in ({"image": f"{IMAGE}2"}, {"instance_type": "ml.g5.2xlarge"}, {"environment": {"A": "1"}}):
        assert calls.create_config(replace(SETTINGS, **change)).payload["EndpointConfigName"] not in names
    # The strategy of an update doesn't change the version.
    assert calls.create_config(replace(SETTINGS, strategy="linear")).payload["EndpointConfigName"] in names


def test_a_component_with_another_model_has_another_configuration() -> None:
    settings = replace(SETTINGS, mode="components")
    other = replace(settings, image=f"{IMAGE}2")
    assert calls.create_config(settings).payload != calls.create_config(other).payload


def test_archives_are_reproducible(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a.gguf").write_bytes(b"GGUF" * 100)
    (folder / "b").mkdir()
    (folder / "b" / "config.json").write_text("{}")
    first = model_data.uploads(str(folder), "chat", archive=True)
    model_data._pack.cache_clear()
    assert model_data.uploads(str(folder), "chat", archive=True)[0].sha256 == first[0].sha256
    (folder / "a.gguf").write_bytes(b"GGUF" * 101)
    assert model_data.uploads(str(folder), "chat", archive=True)[0].key != first[0].key
    plain = model_data.uploads(str(folder), "chat", archive=False)
    assert [upload.key.split("/", 2)[2] for upload in plain] == ["a.gguf", "b/config.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "real"}, "components"),
        ({"strategy": "rolling"}, "blue-green"),
        ({"model": "/tmp"}, "bucket"),
        ({"mode": "async", "output": ""}, "output"),
        ({"budget_usd": 5.0}, "budget_email"),
        ({"max_instances": 0}, "max_instances"),
        ({"step_percent": 90}, "step_percent"),
    ],
)
def test_invalid_settings_have_a_remedy(change: dict, message: str) -> None:
    with pytest.raises(NotConfigured, match=message):
        replace(SETTINGS, **change)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="no model at"):
        calls.deployment(replace(SETTINGS, model=str(tmp_path / "none"), bucket="bucket"))
