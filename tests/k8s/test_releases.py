"""The overlays for releases and vLLM, compared with their base."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.k8s.checks import problems
from tests.k8s.conftest import FOLDER, Render, kustomize
from tests.k8s.objects import Object, command_line, environment, get_object, get_workload, workloads


def test_canary_differs_only_in_its_tag(render: Render) -> None:
    for folder in ("overlays/canary", "overlays/canary-replicas"):
        stable, canary = (_release(render(folder), name) for name in ("inference", "inference-canary"))
        assert stable.pop("image") != canary.pop("image")
        assert stable == canary


def test_slots_differ_only_in_their_tags(render: Render) -> None:
    blue, green = (_release(render("overlays/blue-green"), f"inference-{slot}") for slot in ("blue", "green"))
    assert blue.pop("image") != green.pop("image")
    assert blue == green


def _release(objects: list[Object], name: str) -> dict[str, Any]:
    """A release's pod without the names that differ between releases."""
    workload = get_workload(objects, name)
    excluded = {"image", "envFrom"}
    return {
        "image": workload.main["image"],
        "settings": environment(objects, workload.main),
        "container": {key: value for key, value in workload.main.items() if key not in excluded},
        "volumes": workload.pod["volumes"],
        "grace": workload.pod["terminationGracePeriodSeconds"],
    }


def test_overlays_keep_the_selectors_of_base(render: Render) -> None:
    """Kubernetes doesn't allow a change of selectors, so an overlay can't be applied over base otherwise."""
    before = get_workload(render("base"), "inference").manifest
    for folder in ("overlays/cpu", "overlays/gpu", "overlays/canary", "overlays/canary-replicas"):
        after = get_workload(render(folder), "inference").manifest
        assert after["spec"]["selector"] == before["spec"]["selector"]
        assert after["spec"]["template"]["metadata"] == before["spec"]["template"]["metadata"]


@pytest.mark.parametrize("folder", ["overlays/canary/release", "overlays/blue-green/blue", "overlays/blue-green/green"])
def test_release_can_be_applied_alone(folder: str) -> None:
    """The README applies it before any Service points to it."""
    objects = kustomize(FOLDER / folder)
    (release,) = workloads(objects)
    assert release.pod["serviceAccountName"] in {item["metadata"]["name"] for item in objects}
    assert all(item["metadata"]["namespace"] == "spaceport" for item in objects)
    assert environment(objects, release.main)


@pytest.mark.parametrize("base", ["cpu", "gpu"])
@pytest.mark.parametrize("overlay", ["canary", "canary-replicas", "blue-green"])
def test_releases_work_on_any_overlay(tmp_path: Path, overlay: str, base: str) -> None:
    """One line names the base, as the README says."""
    shutil.copytree(FOLDER, tmp_path / "k8s")
    file = tmp_path / "k8s/overlays" / overlay / "kustomization.yaml"
    text = file.read_text()
    changed = text.replace("../../base\n", f"../{base}\n")
    file.write_text(re.sub("components: .*\n", "", changed) if base == "gpu" else changed)
    assert file.read_text() != text
    assert problems(kustomize(file.parent)) == []


# vLLM


def test_vllm_serves_the_model_from_its_download_folder(render: Render) -> None:
    objects = render("overlays/gpu")
    vllm = get_workload(objects, "vllm")
    (download,) = vllm.pod["initContainers"]
    variables, words = environment(objects, vllm.main), command_line(objects, vllm.main)
    assert re.fullmatch(r"[0-9a-f]{40}", variables["REVISION"])
    assert command_line(objects, download) == [
        "hf",
        "download",
        variables["MODEL"],
        f"--revision={variables['REVISION']}",
        f"--local-dir={words[0]}",
    ]
    assert f"--served-model-name={variables['MODEL']}" in words
    assert f"--max-model-len={variables['CONTEXT']}" in words
    assert "$(" not in " ".join(words)
    assert download["image"] == get_workload(objects, "inference").main["image"]


def test_adapter_provides_the_metric_of_the_autoscaler(render: Render) -> None:
    (rule,) = yaml.safe_load((FOLDER / "examples/prometheus-adapter.yaml").read_text())["rules"]["custom"]
    series = rule["seriesQuery"].partition("{")[0]
    name = re.sub(rule["name"]["matches"], rule["name"]["as"].replace("${1}", r"\1"), series)
    (metric,) = get_object(render("overlays/gpu"), "HorizontalPodAutoscaler", "vllm")["spec"]["metrics"]
    (trigger,) = get_object(render("overlays/gpu-keda"), "ScaledObject", "vllm")["spec"]["triggers"]
    assert metric["pods"]["metric"]["name"] == name
    assert metric["pods"]["target"] == {"type": "AverageValue", "averageValue": trigger["metadata"]["threshold"]}
    assert f"{series}{{" in trigger["metadata"]["query"]


def test_both_autoscalers_of_vllm_are_equal(render: Render) -> None:
    hpa = get_object(render("overlays/gpu"), "HorizontalPodAutoscaler", "vllm")["spec"]
    keda = get_object(render("overlays/gpu-keda"), "ScaledObject", "vllm")["spec"]
    assert keda["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == hpa["behavior"]
    assert (keda["minReplicaCount"], keda["maxReplicaCount"]) == (hpa["minReplicas"], hpa["maxReplicas"])
