"""The manifests agree with the servers, the images, the catalogue and the compose stack."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml

from backends import Catalog
from containers import images
from inference.app import create_app
from inference.service import Service
from inference.settings import Settings, from_environment, warnings
from tests.conftest import ROOT
from tests.k8s.conftest import FOLDER, Render
from tests.k8s.objects import Object, environment, of_image, workload

COMPOSE = yaml.safe_load((ROOT / "containers/compose.yaml").read_text())["services"]
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
SERVER, DEMO = "spaceport-inference", "spaceport-demo"


def test_probes_ask_for_routes_of_the_server(objects: list[Object]) -> None:
    routes = {route.path for route in create_app(Service(Settings())).routes}
    for each in of_image(objects, SERVER):
        asked = [each.main[probe]["httpGet"]["path"] for probe in PROBES]
        assert asked == ["/ready", "/ready", "/health"]
        assert {*asked, "/metrics"} <= routes


def test_probes_of_pages_ask_what_the_image_asks(objects: list[Object]) -> None:
    health = (ROOT / "containers/demo/health.py").read_text()
    for page in of_image(objects, DEMO):
        assert {page.main[probe]["httpGet"]["path"] for probe in PROBES} == {"/"}
    assert 'request("GET", "/")' in health


@pytest.mark.parametrize(("name", "folder"), [("chroma", "base"), ("vllm", "overlays/gpu")])
def test_probes_of_others_ask_what_compose_asks(render: Render, name: str, folder: str) -> None:
    each = workload(render(folder), name)
    (path,) = {each.main[probe]["httpGet"]["path"] for probe in PROBES}
    assert path in str(COMPOSE[name]["healthcheck"]["test"])
    assert each.main["image"] == COMPOSE[name]["image"]


def test_settings_are_the_servers_own(objects: list[Object], tmp_path: Path) -> None:
    key = tmp_path / "inference-api-key"
    key.write_text("a key")
    for each in of_image(objects, SERVER):
        given = environment(objects, each.main)
        settings = from_environment(given | {"SPACEPORT_API_KEY_FILE": str(key)})
        assert warnings(given) == []
        assert {name.removeprefix("SPACEPORT_").removesuffix("_FILE").lower() for name in given} <= set(
            Settings.__slots__
        )
        assert (settings.port, settings.api_key) == (each.port("http"), "a key")


def test_settings_of_pages_are_read_by_somebody(objects: list[Object]) -> None:
    sources = "".join(path.read_text() for folder in ("backends", "spaces") for path in (ROOT / folder).rglob("*.py"))
    catalogue = (FOLDER / "base/backends.toml").read_text()
    for page in of_image(objects, DEMO):
        for name in environment(objects, page.main):
            assert name in sources or f"${{{name.removesuffix('_FILE')}}}" in catalogue, name


def test_pages_run_apps_that_are_there(objects: list[Object]) -> None:
    for page in of_image(objects, DEMO):
        (app,) = page.main["args"]
        assert (ROOT / "spaces" / app / "app.py").is_file()


def test_images_are_ours_and_run_as_their_user(objects: list[Object]) -> None:
    for name in images.NAMES:
        dockerfile = (ROOT / "containers" / name / "Dockerfile").read_text()
        found = of_image(objects, f"spaceport-{name}")
        assert found
        for each in found:
            context = each.pod["securityContext"]
            assert f"\nUSER {context['runAsUser']}:{context['runAsGroup']}\n" in dockerfile
            assert f"\nEXPOSE {each.port('http')}\n" in dockerfile


# The catalogue


def test_catalogue_is_one(tmp_path: Path) -> None:
    entries = tomllib.loads((FOLDER / "base/backends.toml").read_text())
    catalogue = Catalog(entries, source="base", environment={"SPACEPORT_INFERENCE_KEY": "key"})
    kinds = {path.stem for path in (ROOT / "backends").glob("*.py") if "\ndef connect(" in path.read_text()}
    assert catalogue.default == "container"
    assert {target.kind for target in catalogue.targets()} <= kinds
    reasons = {target.name: target.reason for target in catalogue.targets()}
    assert "SPACEPORT_VLLM_SERVICE" in reasons.pop("vllm")
    assert set(reasons.values()) == {""}


def test_catalogue_with_vllm(render: Render) -> None:
    objects = render("overlays/gpu")
    told = environment(objects, workload(objects, "chat").main) | {"SPACEPORT_INFERENCE_KEY": "key"}
    entries = tomllib.loads((FOLDER / "base/backends.toml").read_text())
    reasons = [target.reason for target in Catalog(entries, source="base", environment=told).targets()]
    assert set(reasons) == {""}
