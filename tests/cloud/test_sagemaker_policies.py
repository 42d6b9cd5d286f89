"""The policies allow exactly the calls that a deployment makes: what is asked of the stand-in is compared with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cloud.aws_api import AwsApi
from tests.cloud.test_sagemaker import bucket
from tests.conftest import ROOT

POLICIES = ROOT / "cloud" / "policies"
# Where the action has another name than the call, or another service than SageMaker.
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
# What SageMaker checks besides: tags on what is made, and the role that is handed over.
BESIDES = {"sagemaker:AddTags", "iam:PassRole", "iam:CreateServiceLinkedRole"}


def allowed(name: str) -> set[str]:
    statements = json.loads((POLICIES / name).read_text())["Statement"]
    lists = [each["Action"] if isinstance(each["Action"], list) else [each["Action"]] for each in statements]
    return {action for actions in lists for action in actions}


def test_a_deployer_may_do_what_the_commands_do_and_nothing_else(
    run: Callable[..., int], aws: AwsApi, tmp_path: Path
) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    bucket(aws)
    told = {"mode": "components", "max_instances": 2, "model": tmp_path / "tiny.gguf", "bucket": "models"}
    told |= {"budget_usd": 5.0, "budget_email": "a@b.c"}
    for command in ("deploy", "autoscale", "status"):
        assert run(command, **told) == 0
    assert run("update", **told, image="other:2") == 0
    assert run("rollback", **told) == 0
    assert run("delete", "--yes", **told) == 0
    used = {ACTIONS.get(name, f"sagemaker:{name}") for name in aws.asked}
    assert used | BESIDES == allowed("sagemaker-deployer.json")


@pytest.mark.parametrize("name", [path.name for path in sorted(POLICIES.glob("*.json"))])
def test_no_policy_allows_a_whole_service(name: str) -> None:
    for statement in json.loads((POLICIES / name).read_text())["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert all("*" not in action for action in actions)
        everywhere = statement["Resource"] == "*"
        # Only what has no resource of its own, or is bound by a condition.
        looks = all(action.split(":")[1].startswith(("Describe", "List", "Get", "CallWith")) for action in actions)
        assert not everywhere or looks or "Condition" in statement
