"""The policies allow exactly the calls of a deployment, as the fake AWS records them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cloud.aws_api import AwsApi
from tests.cloud.test_sagemaker import bucket
from tests.conftest import ROOT

POLICIES = ROOT / "cloud" / "policies"
# Calls whose action has another name or another service than SageMaker.
ACTIONS = {
    "RegisterScalableTarget": "application-autoscaling:RegisterScalableTarget",
    "DeregisterScalableTarget": "application-autoscaling:DeregisterScalableTarget",
    "DescribeScalableTargets": "application-autoscaling:DescribeScalableTargets",
    "PutScalingPolicy": "application-autoscaling:PutScalingPolicy",
    "PutMetricAlarm": "cloudwatch:PutMetricAlarm",
    "DescribeAlarms": "cloudwatch:DescribeAlarms",
    "DeleteAlarms": "cloudwatch:DeleteAlarms",
    "GetCallerIdentity": "sts:GetCallerIdentity",
    "CreateBudget": "budgets:ModifyBudget",
    "DescribeBudget": "budgets:ViewBudget",
    "DeleteBudget": "budgets:ModifyBudget",
    "HeadObject": "s3:GetObject",
    "GET /models": "s3:ListBucket",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
}
# Permissions that SageMaker also checks: tags of new resources, and the passed role.
ADDITIONAL = {"sagemaker:AddTags", "iam:PassRole", "iam:CreateServiceLinkedRole"}


def allowed(name: str) -> set[str]:
    statements = json.loads((POLICIES / name).read_text())["Statement"]
    lists = [each["Action"] if isinstance(each["Action"], list) else [each["Action"]] for each in statements]
    return {action for actions in lists for action in actions}


def test_the_deployer_policy_allows_the_commands_and_nothing_else(
    run: Callable[..., int], aws: AwsApi, tmp_path: Path
) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    bucket(aws)
    settings = {"mode": "components", "max_instances": 2, "model": tmp_path / "tiny.gguf", "bucket": "models"}
    settings |= {"budget_usd": 5.0, "budget_email": "a@b.c"}
    for command in ("deploy", "autoscale", "status"):
        assert run(command, **settings) == 0
    assert run("update", **settings, image="other:2") == 0
    assert run("rollback", **settings) == 0
    assert run("delete", "--yes", **settings) == 0
    used = {ACTIONS.get(name, f"sagemaker:{name}") for name in aws.requests}
    assert used | ADDITIONAL == allowed("sagemaker-deployer.json")


@pytest.mark.parametrize("name", [path.name for path in sorted(POLICIES.glob("*.json"))])
def test_no_policy_allows_a_whole_service(name: str) -> None:
    for statement in json.loads((POLICIES / name).read_text())["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert all("*" not in action for action in actions)
        everywhere = statement["Resource"] == "*"
        # Only read actions without a resource, or with a condition.
        reads_only = all(action.split(":")[1].startswith(("Describe", "List", "Get", "CallWith")) for action in actions)
        assert not everywhere or reads_only or "Condition" in statement
