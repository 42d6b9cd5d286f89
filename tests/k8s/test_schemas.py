"""Every object has the form that its API asks for, strictly: a field that nobody knows is refused."""

from __future__ import annotations

import copy
import json
from functools import cache

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.k8s.conftest import FOLDER, FOLDERS, Render
from tests.k8s.objects import Object, named
from tests.k8s.shapes import SHAPES

OLDEST = "1.32"
VERSIONS = (OLDEST, kubernetes_validate.latest_version())
EXAMPLES = sorted(path.name for path in (FOLDER / "examples").iterdir())


def validate(each: Object, version: str) -> None:
    """Raise a `ValidationError` that says which field is wrong."""
    _validate(json.dumps(each, sort_keys=True), version)


@cache  # most of what an overlay renders to is base
def _validate(text: str, version: str) -> None:
    each = json.loads(text)
    if each["kind"] in SHAPES:
        jsonschema.validate(each, SHAPES[each["kind"]])
    else:
        kubernetes_validate.validate(each, version, strict=True)


def test_there_is_a_newer_version_than_the_oldest() -> None:
    assert kubernetes_validate.utils.major_minor(VERSIONS[1]) > OLDEST


@pytest.mark.parametrize("version", VERSIONS)
def test_form(objects: list[Object], version: str) -> None:
    for each in objects:
        validate(each, version)


@pytest.mark.parametrize("name", EXAMPLES)
def test_form_of_example(name: str) -> None:
    for each in yaml.safe_load_all((FOLDER / "examples" / name).read_text()):
        if "kind" in each:  # the other is values for a chart
            validate(each, OLDEST)


def test_every_shape_is_used(render: Render) -> None:
    rendered = {each["kind"] for folder in FOLDERS for each in render(folder)}
    examples = {
        each.get("kind") for name in EXAMPLES for each in yaml.safe_load_all((FOLDER / "examples" / name).read_text())
    }
    assert SHAPES.keys() <= rendered | examples


@pytest.mark.parametrize(
    ("folder", "kind", "name"),
    [
        ("base", "Deployment", "inference"),
        ("base", "HorizontalPodAutoscaler", "inference"),
        ("base", "NetworkPolicy", "pages"),
        ("overlays/canary", "HTTPRoute", "inference"),
        ("overlays/canary", "Gateway", "models"),
        ("overlays/gpu", "ServiceMonitor", "spaceport"),
        ("overlays/gpu", "PrometheusRule", "spaceport"),
        ("overlays/gpu-keda", "ScaledObject", "vllm"),
    ],
)
def test_misspelt_field_is_noticed(render: Render, folder: str, kind: str, name: str) -> None:
    broken = copy.deepcopy(named(render(folder), kind, name))
    field, value = broken["spec"].popitem()
    broken["spec"][f"{field}s"] = value
    for version in VERSIONS:
        with pytest.raises(jsonschema.ValidationError):
            validate(broken, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_sleep_before_the_end_is_of_both_versions(render: Render, version: str) -> None:
    deployment = copy.deepcopy(named(render("base"), "Deployment", "inference"))
    hook = deployment["spec"]["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]
    assert hook.keys() == {"sleep"}
    hook["sleep"]["minutes"] = hook["sleep"].pop("seconds")
    with pytest.raises(jsonschema.ValidationError):
        validate(deployment, version)
