"""Every object matches the strict schema of its API: unknown fields are errors."""

from __future__ import annotations

import copy
import json
from functools import cache

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.k8s.conftest import FOLDER, FOLDERS, Render
from tests.k8s.crd_schemas import SCHEMAS
from tests.k8s.objects import Object, get_object

OLDEST = "1.32"
VERSIONS = (OLDEST, kubernetes_validate.latest_version())
EXAMPLES = sorted(path.name for path in (FOLDER / "examples").iterdir())


def validate(item: Object, version: str) -> None:
    """Raise a `ValidationError` that names the wrong field."""
    _validate(json.dumps(item, sort_keys=True), version)


@cache  # most objects of an overlay are those of base
def _validate(text: str, version: str) -> None:
    item = json.loads(text)
    if item["kind"] in SCHEMAS:
        jsonschema.validate(item, SCHEMAS[item["kind"]])
    else:
        kubernetes_validate.validate(item, version, strict=True)


def test_latest_version_is_newer_than_the_oldest() -> None:
    assert kubernetes_validate.utils.major_minor(VERSIONS[1]) > OLDEST


@pytest.mark.parametrize("version", VERSIONS)
def test_objects_match_their_schema(objects: list[Object], version: str) -> None:
    for item in objects:
        validate(item, version)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_matches_its_schema(name: str) -> None:
    for item in yaml.safe_load_all((FOLDER / "examples" / name).read_text()):
        if "kind" in item:  # other documents are values for a Helm chart
            validate(item, OLDEST)


def test_every_schema_is_used(render: Render) -> None:
    rendered = {item["kind"] for folder in FOLDERS for item in render(folder)}
    examples = {
        item.get("kind") for name in EXAMPLES for item in yaml.safe_load_all((FOLDER / "examples" / name).read_text())
    }
    assert SCHEMAS.keys() <= rendered | examples


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
def test_unknown_field_is_invalid(render: Render, folder: str, kind: str, name: str) -> None:
    invalid = copy.deepcopy(get_object(render(folder), kind, name))
    field, value = invalid["spec"].popitem()
    invalid["spec"][f"{field}s"] = value
    for version in VERSIONS:
        with pytest.raises(jsonschema.ValidationError):
            validate(invalid, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_both_versions_have_the_sleep_hook(render: Render, version: str) -> None:
    deployment = copy.deepcopy(get_object(render("base"), "Deployment", "inference"))
    hook = deployment["spec"]["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]
    assert hook.keys() == {"sleep"}
    hook["sleep"]["minutes"] = hook["sleep"].pop("seconds")
    with pytest.raises(jsonschema.ValidationError):
        validate(deployment, version)
