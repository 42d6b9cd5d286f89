"""Releases side by side, vLLM and its autoscalers: each overlay against what it stands on."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.k8s.checks import problems
from tests.k8s.conftest import FOLDER, Render, kustomized
from tests.k8s.objects import Object, environment, expanded, named, workload, workloads


def test_canary_differs_by_its_tag_alone(render: Render) -> None:
    for folder in ("overlays/canary", "overlays/canary-replicas"):
        stable, canary = (_release(render(folder), name) for name in ("inference", "inference-canary"))
        assert stable.pop("image") != canary.pop("image")
        assert stable == canary


def test_slots_differ_by_their_tags_alone(render: Render) -> None:
    blue, green = (_release(render("overlays/blue-green"), f"inference-{slot}") for slot in ("blue", "green"))
    assert blue.pop("image") != green.pop("image")
    assert blue == green


def _release(objects: list[Object], name: str) -> dict[str, Any]:
    """What a release runs, but for its own names."""
    each = workload(objects, name)
    own = {"image", "envFrom"}
    return {
        "image": each.main["image"],
        "settings": environment(objects, each.main),
        "container": {key: value for key, value in each.main.items() if key not in own},
        "volumes": each.pod["volumes"],
        "grace": each.pod["terminationGracePeriodSeconds"],
    }


def test_overlays_leave_what_runs_alone(render: Render) -> None:
    """Selectors cannot be changed: an overlay over base must not ask for others."""
    before = workload(render("base"), "inference").whole
    for folder in ("overlays/cpu", "overlays/gpu", "overlays/canary", "overlays/canary-replicas"):
        after = workload(render(folder), "inference").whole
        assert after["spec"]["selector"] == before["spec"]["selector"]
        assert after["spec"]["template"]["metadata"] == before["spec"]["template"]["metadata"]


@pytest.mark.parametrize("folder", ["overlays/canary/release", "overlays/blue-green/blue", "overlays/blue-green/green"])
def test_a_release_stands_by_itself(folder: str) -> None:
    """The README applies it before anything leads to it."""
    objects = kustomized(FOLDER / folder)
    (release,) = workloads(objects)
    assert release.pod["serviceAccountName"] in {each["metadata"]["name"] for each in objects}
    assert all(each["metadata"]["namespace"] == "spaceport" for each in objects)
    assert environment(objects, release.main)


@pytest.mark.parametrize("below", ["cpu", "gpu"])
@pytest.mark.parametrize("overlay", ["canary", "canary-replicas", "blue-green"])
def test_releases_stand_on_any_overlay(tmp_path: Path, overlay: str, below: str) -> None:
    """One line names it, as the README says."""
    shutil.copytree(FOLDER, tmp_path / "k8s")
    file = tmp_path / "k8s/overlays" / overlay / "kustomization.yaml"
    text = file.read_text()
    changed = text.replace("../../base\n", f"../{below}\n")
    file.write_text(re.sub("components: .*\n", "", changed) if below == "gpu" else changed)
    assert file.read_text() != text
    assert problems(kustomized(file.parent)) == []


# vLLM: its model and its autoscalers


def test_model_is_served_from_where_it_is_fetched(render: Render) -> None:
    objects = render("overlays/gpu")
    vllm = workload(objects, "vllm")
    (fetch,) = vllm.pod["initContainers"]
    given, words = environment(objects, vllm.main), expanded(objects, vllm.main)
    fetches = expanded(objects, fetch)
    assert re.fullmatch(r"[0-9a-f]{40}", given["REVISION"])
    assert fetches == ["hf", "download", given["MODEL"], f"--revision={given['REVISION']}", f"--local-dir={words[0]}"]
    assert f"--served-model-name={given['MODEL']}" in words
    assert f"--max-model-len={given['CONTEXT']}" in words
    assert "$(" not in " ".join(words)
    assert fetch["image"] == workload(objects, "inference").main["image"]


def test_adapter_gives_the_metric_that_the_autoscaler_asks_for(render: Render) -> None:
    (rule,) = yaml.safe_load((FOLDER / "examples/prometheus-adapter.yaml").read_text())["rules"]["custom"]
    series = rule["seriesQuery"].partition("{")[0]
    name = re.sub(rule["name"]["matches"], rule["name"]["as"].replace("${1}", r"\1"), series)
    (metric,) = named(render("overlays/gpu"), "HorizontalPodAutoscaler", "vllm")["spec"]["metrics"]
    (trigger,) = named(render("overlays/gpu-keda"), "ScaledObject", "vllm")["spec"]["triggers"]
    assert metric["pods"]["metric"]["name"] == name
    assert metric["pods"]["target"] == {"type": "AverageValue", "averageValue": trigger["metadata"]["threshold"]}
    assert f"{series}{{" in trigger["metadata"]["query"]


def test_both_autoscalers_of_vllm_are_alike(render: Render) -> None:
    ours = named(render("overlays/gpu"), "HorizontalPodAutoscaler", "vllm")["spec"]
    keda = named(render("overlays/gpu-keda"), "ScaledObject", "vllm")["spec"]
    assert keda["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == ours["behavior"]
    assert (keda["minReplicaCount"], keda["maxReplicaCount"]) == (ours["minReplicas"], ours["maxReplicas"])
