"""The files of the compose stack agree with each other and with the server; these tests need no Docker engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from backends import Catalog
from containers import stack
from containers.images import ContainerError
from tests.conftest import ROOT, missing

FOLDER = ROOT / "containers"
COMPOSE = FOLDER / "compose.yaml"
PROMETHEUS = FOLDER / "prometheus"
CATALOGUE = FOLDER / "compose" / "backends.toml"
GATEWAY_CATALOGUE = FOLDER / "compose" / "gateway.toml"

STACK: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
DEFAULT_SERVICES = {"inference", "chroma", "prometheus", "grafana", "chat", "compare"}
BY_PROFILE = {"gpu": {"vllm"}, "ollama": {"ollama"}, "gateway": {"gateway", "redis", "postgres"}}
BY_PROFILE |= {"pictures": {"diffusion", "vision"}, "vision": {"vision"}}
OUR_IMAGES = {
    "inference": "spaceport-inference",
    "chat": "spaceport-demo",
    "compare": "spaceport-demo",
    "gateway": "spaceport-gateway",
    "diffusion": "spaceport-diffusion-gpu",
    "vision": "spaceport-vision",
}
HOST_PORTS = {"chat": 7860, "compare": 7861, "grafana": 3000, "prometheus": 9090, "gateway": 8080, "diffusion": 8081}
HOST_PORTS["vision"] = 8082
IMAGE_HEALTH_CHECK = {"chat", "compare"}  # the health check is in the image
WRITABLE_ROOT = {"vllm"}  # compiles to several folders of its home
TMPFS = {"vllm": [], "postgres": ["/tmp", "/run/postgresql"]}  # others have only /tmp
each_service = pytest.mark.parametrize("name", SERVICES)


# The services


def test_services_by_profile() -> None:
    profiles = {name: service.get("profiles", []) for name, service in SERVICES.items()}
    assert {name for name, names in profiles.items() if not names} == DEFAULT_SERVICES
    for profile, names in BY_PROFILE.items():
        assert {name for name, listing in profiles.items() if profile in listing} == names


@each_service
def test_image_is_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    if name in OUR_IMAGES:
        assert image == f"${{SPACEPORT_REGISTRY:-}}{OUR_IMAGES[name]}:${{SPACEPORT_TAG:-dev}}"
        build = SERVICES[name]["build"]
        assert (FOLDER / build["context"] / build["dockerfile"]).resolve().is_relative_to(FOLDER)
    else:
        # PostgreSQL's versions have two numbers.
        assert re.search(r":v?\d+\.\d+(\.\d+)?(@sha256:[0-9a-f]{64})?$", image), f"{image} has no exact tag"


@each_service
def test_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["init"] is True
    assert service["restart"] == "unless-stopped"
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert "network_mode" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name not in WRITABLE_ROOT)
    assert service["tmpfs"] == TMPFS.get(name, ["/tmp"])
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@each_service
def test_service_has_limits(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"(\$\{\w+:-)?\d+[mg]\}?", service["mem_limit"])
    assert re.fullmatch(r"(\$\{\w+:-)?[\d.]+\}?", str(service["cpus"]))
    assert 0 < service["pids_limit"] <= 4096


@each_service
def test_service_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert {"interval", "timeout", "retries", "start_period"} <= check.keys()
    if name in IMAGE_HEALTH_CHECK:
        dockerfile = FOLDER.parent / SERVICES[name]["build"]["dockerfile"]
        assert "test" not in check
        assert not dockerfile.is_file() or "\nHEALTHCHECK " in dockerfile.read_text()
    else:
        assert check["test"][0] == "CMD", "a shell is not in every image"


@each_service
def test_dependencies_wait_for_health(name: str) -> None:
    for other, condition in SERVICES[name].get("depends_on", {}).items():
        assert condition == {"condition": "service_healthy"}
        together = {each for names in BY_PROFILE.values() if name in names for each in names}
        assert other in DEFAULT_SERVICES | together, "a service with another profile can be missing"


def test_only_pages_publish_ports_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == HOST_PORTS.keys()
    for name, ports in published.items():
        (port,) = ports
        variable = f"SPACEPORT_{name.upper()}_PORT"
        container_port = 7860 if name in IMAGE_HEALTH_CHECK else HOST_PORTS[name]
        assert port == f"${{SPACEPORT_BIND:-127.0.0.1}}:${{{variable}:-{HOST_PORTS[name]}}}:{container_port}"


def test_internal_services_have_no_way_out() -> None:
    internal = {"internal": True}
    assert STACK["networks"] == {"pages": None, "inside": internal, "gateway": internal}
    assert SERVICES["gateway"]["networks"] == ["pages", "inside", "gateway"]
    assert SERVICES["redis"]["networks"] == SERVICES["postgres"]["networks"] == ["gateway"]
    for name, service in SERVICES.items():
        if name in BY_PROFILE["gateway"]:
            continue
        # vLLM and Ollama download their models, and `inside` has no way out.
        outside = name in HOST_PORTS or "profiles" in service
        assert service["networks"] == (["pages", "inside"] if outside else ["inside"]), name


def test_servers_have_time_to_finish() -> None:
    for name in ("inference", "vllm"):
        assert SERVICES[name]["stop_grace_period"] == "30s"
    assert SERVICES["gateway"]["stop_grace_period"] == "35s"
    assert "--shutdown-timeout=25" in SERVICES["vllm"]["command"]


# Mounts and secrets


def test_mounts_exist() -> None:
    used = set()
    for name, service in SERVICES.items():
        for mount in service.get("volumes", []):
            source, _, rest = mount.partition(":")
            if source.startswith("."):
                assert (FOLDER / source).exists(), f"{name} mounts {source}"
                assert rest.endswith(":ro"), f"{name} could write to {source}"
            else:
                used.add(source)
    assert used == STACK["volumes"].keys()


def test_secrets_are_files_and_in_no_environment() -> None:
    assert all(secret == {"file": f"./secrets/{name}"} for name, secret in STACK["secrets"].items())
    assert {name for service in SERVICES.values() for name in service.get("secrets", [])} == STACK["secrets"].keys()
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"KEY|PASSWORD|TOKEN|SECRET", variable):
                assert re.search(r"_(FILE|PATH)$", variable), variable
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_secrets_are_made_once_and_the_url_has_the_password(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    for _ in range(2):
        stack.make_secrets(folder)
        made = {file.name: file.read_text() for file in folder.iterdir()}
        assert made.keys() == STACK["secrets"].keys()
        url = urlsplit(made["gateway_database_url"])
        environment = SERVICES["postgres"]["environment"]
        assert (url.scheme, url.hostname, url.password) == ("postgresql", "postgres", made["postgres_password"])
        assert (url.username, url.path) == (environment["POSTGRES_USER"], f"/{environment['POSTGRES_DB']}")
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o444}


def test_a_stack_that_fails_names_its_services_with_their_last_words() -> None:
    def container(service: str, health: str, log: bytes, restarts: int = 0) -> Any:
        attrs = {"State": {"Status": "running", "Health": {"Status": health}}, "RestartCount": restarts}
        labels = {"com.docker.compose.service": service}
        return SimpleNamespace(labels=labels, attrs=attrs, ports={}, logs=lambda tail: log)

    waits = b'{"message": "waiting for the database", "error": "wrong password.", "remedy": "Check it."}\n'
    containers = [
        container("redis", "healthy", b"Ready\n"),
        container("postgres", "starting", b"initdb: no space\n", restarts=2),
        container("gateway", "starting", waits),
    ]
    client = SimpleNamespace(containers=SimpleNamespace(list=lambda **_: containers))
    with pytest.raises(ContainerError, match=r"within 0\.1 s: postgres, gateway") as caught:
        stack.wait_healthy(client, "test", lambda line: None, 0.1)
    assert "postgres says: initdb: no space" in caught.value.remedy
    assert "gateway says: waiting for the database: wrong password. Check it." in caught.value.remedy
    assert "redis says" not in caught.value.remedy
    assert stack.last_words(client, "test", stack.has_failed) == "postgres says: initdb: no space"
    assert stack.ENGINE_VARIABLES.keys() > stack.DOWNLOADING_PROFILES


def test_git_ignores_the_secrets() -> None:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        missing("git, and this repository as a clone")
    command = ["git", "-C", str(ROOT), "check-ignore", "--quiet", "--no-index"]
    for name in STACK["secrets"]:
        assert subprocess.run([*command, f"containers/secrets/{name}"]).returncode == 0, name


# The pages' catalogue


def test_catalogue_lists_an_engine_only_if_its_variable_is_set() -> None:
    entries = tomllib.loads(CATALOGUE.read_text())
    catalogue = Catalog(entries, source=str(CATALOGUE), environment={"SPACEPORT_INFERENCE_KEY": "key"})
    assert catalogue.default == "container"
    reasons = {target.name: target.reason for target in catalogue.targets()}
    assert not reasons["container"]
    assert not reasons["anywhere"]
    assert "SPACEPORT_VLLM_URL" in reasons["vllm"]
    assert "SPACEPORT_OLLAMA_URL" in reasons["ollama"]


def test_the_gateway_has_the_pages_servers_and_a_route_to_them() -> None:
    environment = {"SPACEPORT_INFERENCE_KEY": "key", "SPACEPORT_VLLM_URL": "http://vllm:8000/v1"}
    entries = tomllib.loads(GATEWAY_CATALOGUE.read_text())
    catalogue = Catalog(entries, source=str(GATEWAY_CATALOGUE), environment=environment)
    reasons = {target.name: target.reason for target in catalogue.targets()}
    assert reasons.keys() == {"container", "vllm", "ollama", "anywhere"}
    assert {name for name, reason in reasons.items() if reason} == {"ollama"}
    pages = tomllib.loads(CATALOGUE.read_text())
    assert all(entries[name]["url"] == pages[name]["url"] for name in ("container", "vllm", "ollama"))


@pytest.mark.parametrize(
    ("name", "file"), [("chat", CATALOGUE), ("compare", CATALOGUE), ("gateway", GATEWAY_CATALOGUE)]
)
def test_pages_and_gateway_get_the_variables_of_the_catalogue(name: str, file: Path) -> None:
    environment = SERVICES[name]["environment"]
    variables = set(re.findall(r"= \"\$\{(\w+)", file.read_text()))
    assert {variable for variable in variables if not {variable, f"{variable}_FILE"} & environment.keys()} == set()
    assert any(mount.split(":")[1] == environment["SPACEPORT_CATALOG"] for mount in SERVICES[name]["volumes"])


def test_addresses_name_services() -> None:
    scrapes = {job["job_name"]: job for job in prometheus_settings()["scrape_configs"]}
    (source,) = yaml.safe_load((FOLDER / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    addresses = [
        tomllib.loads(CATALOGUE.read_text())["container"]["url"],
        *re.findall(r"profile \w+; (\S+)", CATALOGUE.read_text()),
        SERVICES["chat"]["environment"]["SPACEPORT_CHROMA_URL"],
        source["url"],
        *(f"http://{target}" for target in scrapes["inference"]["static_configs"][0]["targets"]),
        *(f"http://{name}" for job in ("vllm", "gateway") for name in scrapes[job]["dns_sd_configs"][0]["names"]),
        SERVICES["gateway"]["environment"]["SPACEPORT_REDIS_URL"],
        stack.DATABASE_URL,
    ]
    hosts = [urlsplit(address).hostname for address in addresses]
    assert set(hosts) == {"inference", "vllm", "ollama", "chroma", "prometheus", "gateway", "redis", "postgres"}
    assert set(hosts) <= SERVICES.keys()


# The file as Compose reads it


def test_compose_file_matches_the_schema() -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    run([str(program), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)])


@pytest.mark.parametrize("profile", ["", *BY_PROFILE])
def test_compose_accepts_the_file(profile: str) -> None:
    programs = [*_compose_programs()]
    if not programs:
        missing("docker compose (apt-get install docker-compose)")
    for program in programs:
        command = [*program, "-f", str(COMPOSE), *(["--profile", profile] if profile else [])]
        resolved = yaml.safe_load(run([*command, "config"]))["services"]
        assert DEFAULT_SERVICES | BY_PROFILE.get(profile, set()) <= resolved.keys()
        assert resolved["inference"]["image"] == "spaceport-inference:dev"
        assert "127.0.0.1" in str(resolved["chat"]["ports"])


# Helpers


def prometheus_settings() -> dict[str, Any]:
    return yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())


def _compose_programs() -> Iterator[list[str]]:
    for program in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(program[0]) and not subprocess.run([*program, "version"], capture_output=True).returncode:
            yield program


def run(command: list[str]) -> str:
    # Without the caller's variables, which would change ports and images.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SPACEPORT_", "COMPOSE_"))}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
