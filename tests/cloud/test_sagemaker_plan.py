"""The plan of a deployment to SageMaker: without credentials, and nothing in it that AWS would not take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backends import NotConfigured
from cloud.calls import Call
from cloud.command import Command
from cloud.sagemaker import calls as sagemaker_calls
from cloud.sagemaker import model_data
from cloud.sagemaker import scaling as sagemaker_scaling
from cloud.sagemaker.platform import SageMakerPlatform
from cloud.sagemaker.settings import MODES, STRATEGIES, Settings
from tests.cloud.api_model import problems
from tests.cloud.conftest import IMAGE, ROLE, TOML
from tests.conftest import ROOT

SETTINGS = Settings("chat", ROLE, IMAGE, max_instances=3, output="s3://bucket/answers", capture="s3://bucket/sample")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("model", ["", "s3://bucket/model/", "s3://bucket/model.tar.gz", "local"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_call_is_one_that_aws_takes(mode: str, model: str, strategy: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    model = str(tmp_path) if model == "local" else model
    chosen = replace(
        SETTINGS, mode=mode, model=model, bucket="bucket", strategy=strategy, budget_usd=5, budget_email="a@b.c"
    )
    calls = [*sagemaker_calls.deployment(chosen), *sagemaker_scaling.scaling(chosen), sagemaker_calls.update(chosen)]
    calls += [sagemaker_scaling.zero_alarm(chosen, "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1")]
    for call in calls:
        assert problems(call) == []


@pytest.mark.parametrize(
    ("change", "words"),
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
def test_a_wrong_parameter_is_seen(change: dict, words: str) -> None:
    payload = {**sagemaker_calls.endpoint(SETTINGS).payload, **change}
    assert words in " ".join(problems(Call("sagemaker", "CreateEndpoint", payload, "")))
    assert problems(Call("sagemaker", "CreateEndpoints", payload, ""))


def test_the_plan_needs_no_credentials_and_no_network(tmp_path: Path) -> None:
    file = tmp_path / "sagemaker.toml"
    file.write_text(TOML)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SPACEPORT_"))}
    environment |= {"AWS_EC2_METADATA_DISABLED": "true", "HTTPS_PROXY": "http://127.0.0.1:1", "HOME": str(tmp_path)}
    command = [sys.executable, "cloud/deploy_sagemaker.py", "plan", "--file", str(file)]
    printed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    for word in (
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
        ROLE,
        "nothing has been changed",
        "0.7364 USD",
    ):
        assert word in printed
    told = subprocess.run([*command, "--json"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    calls = [Call(each["service"], each["operation"], each["payload"], "") for each in json.loads(told.stdout)]
    assert [problem for call in calls for problem in problems(call)] == []


def test_no_secret_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "sagemaker.toml"
    file.write_text(TOML + '[environment]\nHF_TOKEN = "hf_12345"\nSPACEPORT_API_KEY = "sk-1"\nLEVEL = "info"\n')
    assert Command(SageMakerPlatform()).main(["plan", "--file", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "hf_12345" not in printed
    assert "sk-1" not in printed
    assert '"LEVEL": "info"' in printed


def test_the_example_settings_make_a_plan() -> None:
    told = subprocess.run(
        [sys.executable, "cloud/deploy_sagemaker.py", "plan"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "scaling with the load" in told.stdout


def test_the_same_settings_give_the_same_names_and_others_do_not() -> None:
    names = {sagemaker_calls.config(each).payload["EndpointConfigName"] for each in (SETTINGS, replace(SETTINGS))}
    assert len(names) == 1
    for change in ({"image": f"{IMAGE}2"}, {"instance_type": "ml.g5.2xlarge"}, {"environment": {"A": "1"}}):
        assert sagemaker_calls.config(replace(SETTINGS, **change)).payload["EndpointConfigName"] not in names
    # What only says how an update goes is no other version.
    assert sagemaker_calls.config(replace(SETTINGS, strategy="linear")).payload["EndpointConfigName"] in names


def test_a_component_with_another_model_is_another_version() -> None:
    chosen = replace(SETTINGS, mode="components")
    other = replace(chosen, image=f"{IMAGE}2")
    assert sagemaker_calls.config(chosen).payload != sagemaker_calls.config(other).payload


def test_an_archive_is_the_same_each_time(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a.gguf").write_bytes(b"GGUF" * 100)
    (folder / "b").mkdir()
    (folder / "b" / "config.json").write_text("{}")
    first = model_data.uploads(str(folder), "chat", archive=True)
    model_data._packed.cache_clear()
    assert model_data.uploads(str(folder), "chat", archive=True)[0].sha256 == first[0].sha256
    (folder / "a.gguf").write_bytes(b"GGUF" * 101)
    assert model_data.uploads(str(folder), "chat", archive=True)[0].key != first[0].key
    plain = model_data.uploads(str(folder), "chat", archive=False)
    assert [upload.key.split("/", 2)[2] for upload in plain] == ["a.gguf", "b/config.json"]


@pytest.mark.parametrize(
    ("change", "words"),
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
def test_settings_that_cannot_work_say_what_to_write(change: dict, words: str) -> None:
    with pytest.raises(NotConfigured, match=words):
        replace(SETTINGS, **change)


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="no model at"):
        sagemaker_calls.deployment(replace(SETTINGS, model=str(tmp_path / "none"), bucket="bucket"))
