"""The cluster's alerts equal those of the compose stack, and its additional ones work."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.conftest import ROOT, missing
from tests.k8s.conftest import Render
from tests.k8s.objects import Object, get_object


def test_alerts_equal_those_of_the_compose_stack(render: Render) -> None:
    ours = {
        _name(rule): rule for rule in _rules(get_object(render("overlays/gpu"), "PrometheusRule", "spaceport")["spec"])
    }
    compose_rules = yaml.safe_load((ROOT / "containers/prometheus/rules.yml").read_text())
    for rule in _rules(compose_rules):
        own = ours.pop(_name(rule))
        description = own.get("annotations", {}).get("description", "")
        assert "docker" not in description
        if "docker" in rule.get("annotations", {}).get("description", ""):
            assert "kubectl" in description
            own, rule = ({**item, "annotations": item["annotations"]["summary"]} for item in (own, rule))
        assert own == rule
    assert ours.keys() == {"InferenceGone", "CanaryFailing"}


def test_promtool_accepts_the_rules(render: Render, tmp_path: Path) -> None:
    if not shutil.which("promtool"):
        missing("promtool (apt-get install prometheus)")
    rules, tests = tmp_path / "rules.yml", tmp_path / "rules.test.yml"
    rules.write_text(yaml.safe_dump(get_object(render("overlays/gpu"), "PrometheusRule", "spaceport")["spec"]))
    shutil.copy(Path(__file__).with_name(tests.name), tests)
    for command in (["check", "rules", "--lint=all", "--lint-fatal", rules], ["test", "rules", tests]):
        result = subprocess.run(["promtool", *map(str, command)], capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr


def _rules(document: Object) -> Iterator[Object]:
    return (rule for group in document["groups"] for rule in group["rules"])


def _name(rule: Object) -> str:
    return str(rule.get("alert") or rule["record"])
