"""What the README tells people to type is there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.conftest import ROOT
from tests.k8s.conftest import FOLDER, FOLDERS, Render
from tests.k8s.objects import named, of_image
from tests.k8s.pod_checks import SECRETS

README = (FOLDER / "README.md").read_text()
SERVER, DEMO = "spaceport-inference", "spaceport-demo"


def test_folders_of_the_readme_are_there() -> None:
    applied = re.findall(r"kubectl (?:-n \S+ )?(?:apply|diff|delete) -k ([\w/-]+)", README)
    files = re.findall(r"-f (k8s/[\w./-]+)", README)
    links = [f"k8s/{link}" for link in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", README)]
    assert {f"k8s/{folder}" for folder in ("base", "overlays/cpu", "overlays/gpu", "overlays/canary")} <= set(applied)
    for path in [*applied, *files, *links]:
        assert (ROOT / path).exists(), path


def test_tags_of_the_readme_are_those_that_are_applied(render: Render) -> None:
    applied = {each.main["image"] for image in (SERVER, DEMO) for each in of_image(render("base"), image)}
    assert set(re.findall(r"spaceport-(?:inference|demo):[\d.]+\d", README)) == applied
    assert f"build --tag {applied.pop().rpartition(':')[2]} " in README


def test_every_overlay_is_in_the_readme() -> None:
    for folder in FOLDERS:
        assert f"{Path(folder).name}/" in README, folder


def test_commands_of_the_readme_name_what_is_there(render: Render) -> None:
    everything = [each for folder in FOLDERS for each in render(folder)]
    names = {(each["kind"], each["metadata"]["name"]) for each in everything}
    for kind, pattern in (
        ("Deployment", r"(?:deploy/|deploy )([a-z]+(?:-[a-z]+)?)\b"),
        ("HorizontalPodAutoscaler", r"hpa ([a-z]+)\b"),
        ("Service", r"(?:svc/|service )([a-z]+(?:-[a-z]+)?) "),
        ("HTTPRoute", r"httproute ([a-z]+)"),
        ("Gateway", r"gateway/([a-z]+)"),
    ):
        found = set(re.findall(pattern, README)) - {"metrics-server"}
        assert found, kind
        assert {(kind, name) for name in found} <= names


def test_secrets_are_made_by_the_readme_and_the_store() -> None:
    stored = {
        each["spec"]["target"]["name"]: {item["secretKey"] for item in each["spec"]["data"]}
        for each in yaml.safe_load_all((FOLDER / "examples/external-secret.yaml").read_text())
    }
    made = {name: {key} for name, key in re.findall(r"create secret generic (\S+) --from-literal=([\w-]+)=", README)}
    assert stored == made == {"spaceport-keys": {"inference-api-key"}, "spaceport-hub": {"token"}}
    assert made.keys() == SECRETS


def test_examples_lead_to_services_that_are_there(render: Render) -> None:
    routes = yaml.safe_load_all((FOLDER / "examples/cookie-affinity.yaml").read_text())
    for route in routes:
        for reference in route["spec"]["rules"][0]["backendRefs"]:
            (port,) = named(render("base"), "Service", reference["name"])["spec"]["ports"]
            assert port["port"] == reference["port"]
