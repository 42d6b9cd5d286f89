"""The manifests agree with the servers, the images, the catalogue and the compose stack."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest
import yaml

from backends import Catalog
from backends.kinds import KINDS
from containers import images
from diffusion.settings import DiffusionSettings
from inference.app import create_app
from inference.service import Service
from inference.settings import ServerSettings, Settings, from_environment, warnings
from tests.conftest import ROOT
from tests.k8s import consistency_checks
from tests.k8s.checks import CHECKS
from tests.k8s.conftest import FOLDER, Render
from tests.k8s.objects import Object, environment, get_workload, workloads_of_image
from vision.settings import VisionSettings

COMPOSE = yaml.safe_load((ROOT / "containers/compose.yaml").read_text())["services"]
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
SERVER, DEMO = "spaceport-inference", "spaceport-demo"


def test_probes_use_routes_of_the_server(objects: list[Object]) -> None:
    routes = {route.path for route in create_app(Service(Settings())).routes}
    for server in workloads_of_image(objects, SERVER):
        paths = [server.main[probe]["httpGet"]["path"] for probe in PROBES]
        assert paths == ["/ready", "/ready", "/health"]
        assert {*paths, "/metrics"} <= routes


def test_probes_of_pages_equal_the_images_health_check(objects: list[Object]) -> None:
    health = (ROOT / "containers/demo/health.py").read_text()
    for page in workloads_of_image(objects, DEMO):
        assert {page.main[probe]["httpGet"]["path"] for probe in PROBES} == {"/"}
    assert 'request("GET", "/")' in health


@pytest.mark.parametrize(("name", "folder"), [("chroma", "base"), ("vllm", "overlays/gpu")])
def test_probes_of_other_servers_equal_those_of_compose(render: Render, name: str, folder: str) -> None:
    workload = get_workload(render(folder), name)
    (path,) = {workload.main[probe]["httpGet"]["path"] for probe in PROBES}
    assert path in str(COMPOSE[name]["healthcheck"]["test"])
    assert workload.main["image"] == COMPOSE[name]["image"]


def test_settings_exist_in_the_server(objects: list[Object], tmp_path: Path) -> None:
    key = tmp_path / "inference-api-key"
    key.write_text("a key")
    for server in workloads_of_image(objects, SERVER):
        variables = environment(objects, server.main)
        settings = from_environment(variables | {"SPACEPORT_API_KEY_FILE": str(key)})
        assert warnings(variables) == []
        names = {name.removeprefix("SPACEPORT_").removesuffix("_FILE").lower() for name in variables}
        assert names <= {field.name for field in dataclasses.fields(Settings)}
        assert (settings.port, settings.api_key) == (server.port("http"), "a key")


def test_settings_of_pages_are_in_use(objects: list[Object]) -> None:
    sources = "".join(path.read_text() for folder in ("backends", "spaces") for path in (ROOT / folder).rglob("*.py"))
    catalogue = (FOLDER / "base/backends.toml").read_text()
    for page in workloads_of_image(objects, DEMO):
        for name in environment(objects, page.main):
            assert name in sources or f"${{{name.removesuffix('_FILE')}}}" in catalogue, name


def test_pages_run_existing_apps(objects: list[Object]) -> None:
    for page in workloads_of_image(objects, DEMO):
        (app,) = page.main["args"]
        assert (ROOT / "spaces" / app / "app.py").is_file()


def test_pods_use_the_user_and_the_port_of_the_image(objects: list[Object]) -> None:
    for name in images.STACK:
        dockerfile = (ROOT / "containers" / name / "Dockerfile").read_text()
        matches = workloads_of_image(objects, f"spaceport-{name}")
        assert matches or name == "gateway"  # which only its overlay has
        for workload in matches:
            context = workload.pod["securityContext"]
            assert f"\nUSER {context['runAsUser']}:{context['runAsGroup']}\n" in dockerfile
            assert f"\nEXPOSE {workload.port('http')}\n" in dockerfile


def test_the_example_of_a_classifier_keeps_the_rules_of_all_pods(render: Render) -> None:
    objects = [*render("base"), *example("vision")]
    # Those left out say which pods of the overlays are scraped and have accounts.
    checks = [
        check for check in CHECKS if check not in (consistency_checks.scraping, consistency_checks.service_accounts)
    ]
    assert [problem for check in checks for problem in check(objects)] == []


@pytest.mark.parametrize(("name", "settings"), [("vision", VisionSettings), ("diffusion", DiffusionSettings)])
def test_the_examples_of_servers_for_pictures_agree_with_compose(name: str, settings: type[ServerSettings]) -> None:
    objects, compose = example(name), COMPOSE[name]
    workload = get_workload(objects, name)
    variables = environment(objects, workload.main)
    assert warnings(variables, settings) == []
    names = {each.removeprefix("SPACEPORT_").removesuffix("_FILE").lower() for each in variables} - {"hf_token_path"}
    assert names <= {field.name for field in dataclasses.fields(settings)}
    assert variables["SPACEPORT_PORT"] == compose["environment"]["SPACEPORT_PORT"] == str(workload.port("http"))
    assert f"}}{workload.main['image'].partition(':')[0]}:" in compose["image"]


def example(name: str) -> list[Object]:
    return list(yaml.safe_load_all((FOLDER / f"examples/{name}.yaml").read_text()))


# The catalogue


def test_catalogue_is_valid() -> None:
    entries = tomllib.loads((FOLDER / "base/backends.toml").read_text())
    catalogue = Catalog(entries, source="base", environment={"SPACEPORT_INFERENCE_KEY": "key"})
    assert catalogue.default == "container"
    assert {target.kind for target in catalogue.targets()} <= set(KINDS)
    reasons = {target.name: target.reason for target in catalogue.targets()}
    assert "SPACEPORT_VLLM_SERVICE" in reasons.pop("vllm")
    assert set(reasons.values()) == {""}


def test_catalogue_with_vllm(render: Render) -> None:
    objects = render("overlays/gpu")
    variables = environment(objects, get_workload(objects, "chat").main) | {"SPACEPORT_INFERENCE_KEY": "key"}
    entries = tomllib.loads((FOLDER / "base/backends.toml").read_text())
    reasons = [target.reason for target in Catalog(entries, source="base", environment=variables).targets()]
    assert set(reasons) == {""}
