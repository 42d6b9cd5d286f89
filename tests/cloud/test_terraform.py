"""The Terraform module: its own tests, and that it makes what `deploy_sagemaker.py` makes."""

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

from cloud.sagemaker import calls
from cloud.sagemaker import scaling as sagemaker_scaling
from cloud.sagemaker.settings import Settings
from tests.cloud.conftest import IMAGE, ROLE
from tests.conftest import ROOT, missing

BASE: dict[str, Any] = {"name": "spaceport-chat", "image": IMAGE, "role": ROLE, "instance_type": "ml.g4dn.xlarge"}
CHOICES: dict[str, dict[str, Any]] = {
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
CHOICES["async"]["budget_email"] = "team@example.org"

MOCK = """
mock_provider "aws" {
  mock_resource "aws_appautoscaling_policy" {
    defaults = { arn = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:resource/sagemaker/1:policyName/1" }
  }
}
"""
# What each call makes in Terraform.
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
# Names that each way makes of its own, and what this provider does not have.
APART = {"model_name", "endpoint_config_name", "endpoint_name", "policy_name", "alarm_actions", "account_id"}
APART |= {"retain_all_variant_properties"}


@pytest.fixture(scope="session")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the module with the provider at hand."""
    if not shutil.which("terraform"):
        missing("terraform (https://developer.hashicorp.com/terraform/install)")
    folder = tmp_path_factory.mktemp("terraform")
    for name in ("terraform", "policies"):
        shutil.copytree(ROOT / "cloud" / name, folder / name, ignore=shutil.ignore_patterns(".terraform*"))
    # Where providers cannot be downloaded, a folder that holds them.
    mirror = os.environ.get("SPACEPORT_TERRAFORM_PROVIDERS")
    done = terraform(folder / "terraform", "init", "-backend=false", *([f"-plugin-dir={mirror}"] if mirror else []))
    if done.returncode:
        missing(f"Terraform's AWS provider ({done.stderr.strip()[-300:]})")
    return folder / "terraform"


def terraform(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # Without what this machine says of Terraform: a warning about it would stand before the JSON.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    command = ["terraform", words[0], "-no-color", *words[1:]]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def test_the_module_is_formatted_and_valid(module: Path) -> None:
    assert terraform(module, "fmt", "-check", "-recursive").returncode == 0
    done = terraform(module, "validate")
    assert done.returncode == 0, done.stderr


def test_the_modules_own_tests_pass(module: Path) -> None:
    done = terraform(module, "test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed." in done.stdout


@pytest.fixture(scope="session")
def made(module: Path) -> dict[str, dict[str, Any]]:
    """What Terraform makes of each choice: resources by address."""
    (module / "choices").mkdir()
    for name, choice in CHOICES.items():
        # A file each: what one makes is no state for the next.
        lines = "".join(f"    {key} = {json.dumps(value)}\n" for key, value in (BASE | choice).items())
        run = f'run "it" {{\n  command = apply\n  variables {{\n{lines}  }}\n}}\n'
        (module / "choices" / f"{name}.tftest.hcl").write_text(MOCK + run)
    done = terraform(module, "test", "-test-directory=choices", "-json", "-verbose")
    assert done.returncode == 0, done.stdout[-3000:]
    said = [json.loads(line) for line in done.stdout.splitlines()]
    states = [line for line in said if line["type"] == "test_state"]
    return {Path(line["@testfile"]).name.split(".")[0]: _resources(line["test_state"]) for line in states}


def _resources(state: Mapping[str, Any]) -> dict[str, Any]:
    listed = state["root_module"]["resources"]
    return {re.sub(r"\[0\]$", "", resource["address"]): resource["values"] for resource in listed}


@pytest.mark.parametrize("choice", CHOICES)
def test_terraform_makes_what_the_command_makes(made: dict[str, dict[str, Any]], choice: str) -> None:
    chosen = Settings(**BASE, **CHOICES[choice])
    expected = [calls.model(chosen), calls.config(chosen), calls.update(chosen), *calls.watch(chosen)]
    expected += sagemaker_scaling.scaling(chosen)
    if choice == "async":
        expected.append(sagemaker_scaling.zero_alarm(chosen, "arn:aws:autoscaling:1"))
    resources = dict(made[choice])
    for call in expected:
        named = call.payload.get("AlarmName") or call.payload.get("PolicyName") or call.operation
        payload = _budget(call.payload["Budget"]) if call.operation == "CreateBudget" else call.payload
        differences = list(_differences(payload, resources.pop(RESOURCES[named])))
        assert not differences, f"{named}: {differences}"
    assert not resources, "Terraform makes what the command does not"


def test_a_difference_is_seen(made: dict[str, dict[str, Any]]) -> None:
    """The comparison can fail: in a value, in what is missing, and inside a block."""
    chosen = Settings(**BASE, **CHOICES["linear"])
    resource = made["linear"]["aws_sagemaker_endpoint_configuration.this"]
    for other in (
        {"download_timeout": 601},
        {"capture_percent": 11},
        {"instances": 3},
        {"mode": "async", "output": "s3://a"},
    ):
        payload = calls.config(replace(chosen, **{"max_instances": 3} | other)).payload
        assert list(_differences(payload, resource)), other
    assert list(_differences({"Unheard": 1}, resource))


def _budget(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A budget in the provider's words, which are flat."""
    filters = [{"Name": name, "Values": values} for name, values in payload["CostFilters"].items()]
    limit = payload["BudgetLimit"]
    kept = {name: payload[name] for name in ("BudgetName", "TimeUnit", "BudgetType")}
    return {**kept, "LimitAmount": limit["Amount"], "LimitUnit": limit["Unit"], "CostFilter": filters}


def _differences(payload: Mapping[str, Any], resource: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Where a call's payload and Terraform's resource say something else."""
    for key, value in payload.items():
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()
        if name in APART:
            continue
        there = resource.get({"budget_name": "name", "step_adjustments": "step_adjustment"}.get(name, name))
        if isinstance(value, Mapping) and isinstance(there, list) and there:  # a block
            yield from _differences(value, there[0], f"{path}{name}.")
        elif _is_blocks(value) and isinstance(there, list) and len(value) == len(there):
            for one, other in zip(_sorted(value), _sorted(there), strict=True):
                yield from _differences(one, other, f"{path}{name}.")
        elif _plain(value) != _plain(there):
            yield f"{path}{name}: {value!r} and {there!r}"


def _is_blocks(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _sorted(items: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(items, key=lambda item: str(next(iter(item.values()))))


def _plain(value: Any) -> Any:
    """Pairs as maps, numbers as numbers, and what is empty as nothing."""
    if _is_blocks(value):
        return {(item.get("Key") or item.get("Name")): item["Value"] for item in value}
    if isinstance(value, bool):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return value or None
