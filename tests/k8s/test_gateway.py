"""The overlay with the gateway agrees with the gateway, and only what needs to reaches its Redis and its PostgreSQL."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from backends import Catalog
from gateway.app import create_app
from gateway.service import Gateway
from gateway.settings import OTHER_VARIABLES, Settings, from_environment
from inference.settings import warnings
from tests.conftest import ROOT
from tests.k8s.conftest import Render
from tests.k8s.consistency_checks import catalogue
from tests.k8s.network_checks import GATEWAY, INTERNET, is_allowed, peer
from tests.k8s.objects import Object, environment, get_workload, workloads

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "containers/compose.yaml").read_text())["services"]
URL = "postgresql://spaceport:secret@postgres/spaceport"


@pytest.fixture
def overlay(render: Render) -> list[Object]:
    return render("overlays/gateway")


def test_settings_exist_in_the_gateway(overlay: list[Object], tmp_path: Path) -> None:
    gateway = get_workload(overlay, "gateway")
    variables = environment(overlay, gateway.main)
    names = {name.removeprefix("SPACEPORT_").removesuffix("_FILE").lower() for name in variables}
    assert names - {"catalog", "inference_key"} <= {field.name for field in dataclasses.fields(Settings)}
    (tmp_path / "url").write_text(URL)
    settings = from_environment(variables | {"SPACEPORT_DATABASE_URL_FILE": str(tmp_path / "url")})
    others = (*OTHER_VARIABLES, "SPACEPORT_INFERENCE_KEY_FILE")
    assert warnings(variables, cls=Settings, others=others) == []
    assert (settings.database_url, settings.redis_url) == (URL, "redis://redis:6379")
    assert settings.port == gateway.port("http")
    assert gateway.spec["replicas"] == 2


def test_probes_use_routes_of_the_gateway(overlay: list[Object], tmp_path: Path) -> None:
    service = Gateway(Settings(data=str(tmp_path)))
    routes = {route.path for route in create_app(service).routes}
    service.close()
    container = get_workload(overlay, "gateway").main
    paths = [container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")]
    assert paths == ["/ready", "/ready", "/health"]
    assert {*paths, "/metrics"} <= routes


def test_the_catalogue_is_usable(overlay: list[Object]) -> None:
    entries = catalogue(overlay, get_workload(overlay, "gateway"))
    targets = Catalog(entries, source="overlay", environment={"SPACEPORT_INFERENCE_KEY": "key"}).targets()
    assert [target.name for target in targets if not target.reason] == ["container"]


@pytest.mark.parametrize(("name", "port"), [("redis", 6379), ("postgres", 5432)])
def test_only_the_gateway_reaches_its_servers(overlay: list[Object], name: str, port: int) -> None:
    server = peer(get_workload(overlay, name))
    callers = [workload.name for workload in workloads(overlay) if is_allowed(overlay, peer(workload), server, port)]
    assert callers == ["gateway"]
    assert not is_allowed(overlay, server, INTERNET, 443)
    assert is_allowed(overlay, GATEWAY, peer(get_workload(overlay, "gateway")), 8080)


def test_redis_and_postgres_run_as_in_compose(overlay: list[Object]) -> None:
    redis, postgres = get_workload(overlay, "redis"), get_workload(overlay, "postgres")
    assert redis.main["args"] == COMPOSE["redis"]["command"]
    for server in (redis, postgres):
        service, probe = COMPOSE[server.name], server.main["readinessProbe"]["exec"]["command"]
        assert server.main["image"] == service["image"]
        assert ["CMD", *probe] == service["healthcheck"]["test"]
        context = server.pod["securityContext"]
        assert f"{context['runAsUser']}:{context['runAsGroup']}" == service["user"]
    names = ("POSTGRES_USER", "POSTGRES_DB")
    assert all(environment(overlay, postgres.main)[name] == COMPOSE["postgres"]["environment"][name] for name in names)
