"""The Terraform module: its own tests, and a comparison with the calls of `deploy_sagemaker.py`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloud.sagemaker import calls, scaling
from cloud.sagemaker.monitoring import monitoring
from cloud.sagemaker.settings import SageMakerSettings
from tests.cloud.conftest import IMAGE, ROLE
from tests.conftest import ROOT, missing

BASE: dict[str, Any] = {"name": "spaceport-chat", "image": IMAGE, "role": ROLE, "instance_type": "ml.g4dn.xlarge"}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "canary": {"instances": 2, "max_instances": 4, "environment": {"SPACEPORT_LOG_LEVEL": "info"}, "step_percent": 20},
    "linear": {
        "strategy": "linear",
        "model": "s3://spaceport-models/qwen.tar.gz",
        "capture": "s3://spaceport-answers/capture",
        "alarms": ["spaceport-latency"],
        "download_timeout": 600,
    },
    "at_once": {"strategy": "blue-green", "model": "s3://spaceport-models/qwen/", "tags": {"team": "demo"}},
    "serverless": {"mode": "serverless", "memory_mb": 3072, "max_concurrency": 7},
    "async": {"mode": "async", "output": "s3://spaceport-answers/chat", "max_instances": 2, "budget_usd": 40.0},
}
CONFIGURATIONS["async"]["budget_email"] = "team@example.org"

MOCK = """
mock_provider "aws" {
  mock_resource "aws_appautoscaling_policy" {
    defaults = { arn = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:resource/sagemaker/1:policyName/1" }
  }
}
"""
# The Terraform resource of each call.
RESOURCES = {
    "CreateModel": "aws_sagemaker_model.this",
    "CreateEndpointConfig": "aws_sagemaker_endpoint_configuration.this",
    "UpdateEndpoint": "aws_sagemaker_endpoint.this",
    "RegisterScalableTarget": "aws_appautoscaling_target.instances",
    "spaceport-chat-load": "aws_appautoscaling_policy.load",
    "spaceport-chat-from-zero": "aws_appautoscaling_policy.from_zero",
    "spaceport-chat-errors": "aws_cloudwatch_metric_alarm.errors",
    "spaceport-chat-asked": "aws_cloudwatch_metric_alarm.asked",
    "CreateBudget": "aws_budgets_budget.this",
}
# Names that differ by design, and fields that this provider doesn't have.
IGNORED = {"model_name", "endpoint_config_name", "endpoint_name", "policy_name", "alarm_actions", "account_id"}
IGNORED |= {"retain_all_variant_properties"}


@pytest.fixture(scope="session")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the module, initialized with the provider."""
    if not shutil.which("terraform"):
        missing("terraform (https://developer.hashicorp.com/terraform/install)")
    folder = tmp_path_factory.mktemp("terraform")
    for name in ("terraform", "policies"):
        shutil.copytree(ROOT / "cloud" / name, folder / name, ignore=shutil.ignore_patterns(".terraform*"))
    # A folder with the providers, for machines that can't download them.
    mirror = os.environ.get("SPACEPORT_TERRAFORM_PROVIDERS")
    process = terraform(folder / "terraform", "init", "-backend=false", *([f"-plugin-dir={mirror}"] if mirror else []))
    if process.returncode:
        missing(f"Terraform's AWS provider ({process.stderr.strip()[-300:]})")
    return folder / "terraform"


def terraform(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # Without the machine's Terraform settings: a warning about them would precede the JSON.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environment["GOGC"] = "400"  # Go's garbage collector takes a quarter of the time of the provider otherwise
    command = ["terraform", words[0], "-no-color", *words[1:]]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def test_the_module_is_formatted(module: Path) -> None:
    assert terraform(module, "fmt", "-check", "-recursive").returncode == 0


def test_the_module_is_valid_and_its_own_tests_pass(module: Path) -> None:
    process = terraform(module, "test")
    assert process.returncode == 0, process.stdout + process.stderr
    assert " 0 failed." in process.stdout


@pytest.fixture(scope="session")
def terraform_resources(module: Path) -> dict[str, dict[str, Any]]:
    """Return the resources that Terraform creates for each configuration, by address."""
    (module / "configurations").mkdir()
    for name, configuration in CONFIGURATIONS.items():
        # One file each, so that they share no state.
        lines = "".join(f"    {key} = {json.dumps(value)}\n" for key, value in (BASE | configuration).items())
        run = f'run "it" {{\n  command = apply\n  variables {{\n{lines}  }}\n}}\n'
        (module / "configurations" / f"{name}.tftest.hcl").write_text(MOCK + run)
    process = terraform(module, "test", "-test-directory=configurations", "-json", "-verbose")
    assert process.returncode == 0, process.stdout[-3000:]
    states = [line for line in process.stdout.splitlines() if '"type":"test_state"' in line]
    return {_value(line, "@testfile").split("/")[-1].split(".")[0]: _resources(line) for line in states}


def _resources(state: str) -> dict[str, Any]:
    resources = _value(state, "root_module")["resources"]
    return {re.sub(r"\[0\]$", "", resource["address"]): resource["values"] for resource in resources}


def _value(message: str, key: str) -> Any:
    """Return the first value with this key: a message has the provider's schema too, whose 14 MB take a second."""
    return json.JSONDecoder().raw_decode(message, message.index(f'"{key}":') + len(f'"{key}":'))[0]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_terraform_creates_the_same_resources_as_the_command(
    terraform_resources: dict[str, dict[str, Any]], name: str
) -> None:
    settings = SageMakerSettings(**BASE, **CONFIGURATIONS[name])
    expected = [
        calls.create_model(settings),
        calls.create_config(settings),
        calls.update(settings),
        *monitoring(settings),
    ]
    expected += scaling.scaling(settings)
    if name == "async":
        expected.append(scaling.from_zero_alarm(settings, "arn:aws:autoscaling:1"))
    resources = dict(terraform_resources[name])
    for call in expected:
        key = call.payload.get("AlarmName") or call.payload.get("PolicyName") or call.operation
        payload = _budget(call.payload["Budget"]) if call.operation == "CreateBudget" else call.payload
        differences = list(_differences(payload, resources.pop(RESOURCES[key])))
        assert not differences, f"{key}: {differences}"
    assert not resources, "Terraform creates more than the command"


def test_differences_are_detected(terraform_resources: dict[str, dict[str, Any]]) -> None:
    """The comparison detects a different value, a missing resource, and a difference inside a block."""
    settings = SageMakerSettings(**BASE, **CONFIGURATIONS["linear"])
    resource = terraform_resources["linear"]["aws_sagemaker_endpoint_configuration.this"]
    for change in (
        {"download_timeout": 601},
        {"capture_percent": 11},
        {"instances": 3},
        {"mode": "async", "output": "s3://a"},
    ):
        payload = calls.create_config(replace(settings, **{"max_instances": 3} | change)).payload
        assert list(_differences(payload, resource)), change
    assert list(_differences({"Unheard": 1}, resource))


def _budget(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a budget in the provider's format, which is flat."""
    filters = [{"Name": name, "Values": values} for name, values in payload["CostFilters"].items()]
    limit = payload["BudgetLimit"]
    same = {name: payload[name] for name in ("BudgetName", "TimeUnit", "BudgetType")}
    return {**same, "LimitAmount": limit["Amount"], "LimitUnit": limit["Unit"], "CostFilter": filters}


def _differences(payload: Mapping[str, Any], resource: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the differences between a call's payload and Terraform's resource."""
    for key, value in payload.items():
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()
        if name in IGNORED:
            continue
        actual = resource.get({"budget_name": "name", "step_adjustments": "step_adjustment"}.get(name, name))
        if isinstance(value, Mapping) and isinstance(actual, list) and actual:  # a block
            yield from _differences(value, actual[0], f"{path}{name}.")
        elif _is_blocks(value) and isinstance(actual, list) and len(value) == len(actual):
            for one, other in zip(_sorted(value), _sorted(actual), strict=True):
                yield from _differences(one, other, f"{path}{name}.")
        elif _plain(value) != _plain(actual):
            yield f"{path}{name}: {value!r} and {actual!r}"


def _is_blocks(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _sorted(items: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(items, key=lambda item: str(next(iter(item.values()))))


def _plain(value: Any) -> Any:
    """Return pairs as a map, numbers as floats, and empty values as None."""
    if _is_blocks(value):
        return {(item.get("Key") or item.get("Name")): item["Value"] for item in value}
    if isinstance(value, bool):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return value or None
