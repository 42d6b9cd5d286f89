"""The README's commands name objects and files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.conftest import ROOT
from tests.k8s.conftest import FOLDER, FOLDERS, Render
from tests.k8s.objects import get_object, workloads_of_image
from tests.k8s.pod_checks import SECRETS

README = (FOLDER / "README.md").read_text()
SERVER, DEMO, GATEWAY = "spaceport-inference", "spaceport-demo", "spaceport-gateway"


def test_folders_in_the_readme_exist() -> None:
    applied = re.findall(r"kubectl (?:-n \S+ )?(?:apply|diff|delete) -k ([\w/-]+)", README)
    files = re.findall(r"-f (k8s/[\w./-]+)", README)
    links = [f"k8s/{link}" for link in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", README)]
    assert {f"k8s/{folder}" for folder in ("base", "overlays/cpu", "overlays/gpu", "overlays/canary")} <= set(applied)
    for path in [*applied, *files, *links]:
        assert (ROOT / path).exists(), path


def test_tags_in_the_readme_equal_the_manifests(render: Render) -> None:
    images = {
        workload.main["image"] for image in (SERVER, DEMO) for workload in workloads_of_image(render("base"), image)
    }
    images |= {workload.main["image"] for workload in workloads_of_image(render("overlays/gateway"), GATEWAY)}
    assert set(re.findall(r"spaceport-(?:inference|demo|gateway):[\d.]+\d", README)) == images
    assert f"build --tag {images.pop().rpartition(':')[2]} " in README


def test_every_overlay_is_in_the_readme() -> None:
    for folder in FOLDERS:
        assert f"{Path(folder).name}/" in README, folder


def test_commands_in_the_readme_name_existing_objects(render: Render) -> None:
    objects = [item for folder in FOLDERS for item in render(folder)]
    names = {(item["kind"], item["metadata"]["name"]) for item in objects}
    for kind, pattern in (
        ("Deployment", r"(?:deploy/|deploy )([a-z]+(?:-[a-z]+)?)\b"),
        ("HorizontalPodAutoscaler", r"hpa ([a-z]+)\b"),
        ("Service", r"(?:svc/|service )([a-z]+(?:-[a-z]+)?) "),
        ("HTTPRoute", r"httproute ([a-z]+)"),
        ("Gateway", r"wait gateway/([a-z]+)"),
        ("StatefulSet", r"statefulset/([a-z]+)"),
    ):
        matches = set(re.findall(pattern, README)) - {"metrics-server"}
        assert matches, kind
        assert {(kind, name) for name in matches} <= names


def test_readme_and_external_store_create_the_same_secrets() -> None:
    external = {
        secret["spec"]["target"]["name"]: {item["secretKey"] for item in secret["spec"]["data"]}
        for secret in yaml.safe_load_all((FOLDER / "examples/external-secret.yaml").read_text())
    }
    commands = re.findall(r"create secret generic (\S+) ((?:\\\n)?.*--from-literal=(?:.*\\\n)*.*)", README)
    by_hand = {name: set(re.findall(r"--from-literal=([\w-]+)=", options)) for name, options in commands}
    gateway = {"database-url", "database-password"}
    keys = {"spaceport-keys": {"inference-api-key"}, "spaceport-hub": {"token"}, "spaceport-gateway": gateway}
    assert external == by_hand == keys
    assert by_hand.keys() == SECRETS


def test_examples_lead_to_existing_services(render: Render) -> None:
    routes = yaml.safe_load_all((FOLDER / "examples/cookie-affinity.yaml").read_text())
    for route in routes:
        for reference in route["spec"]["rules"][0]["backendRefs"]:
            (port,) = get_object(render("base"), "Service", reference["name"])["spec"]["ports"]
            assert port["port"] == reference["port"]
