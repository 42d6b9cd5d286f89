"""The files of the compose stack agree with each other and with the server; these tests need no Docker engine."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from backends import Catalog
from backends.serving.redis.connection import SharedRedis
from containers import stack
from containers.images import ContainerError
from gateway.metrics import GatewayMetrics
from gateway.routing.router import Router
from gateway.routing.target_states import TargetStates
from inference.metrics import Metrics
from tests.conftest import ROOT, missing

FOLDER = ROOT / "containers"
COMPOSE = FOLDER / "compose.yaml"
PROMETHEUS = FOLDER / "prometheus"
DASHBOARD = FOLDER / "grafana" / "dashboards" / "serving.json"
GATEWAY_DASHBOARD = DASHBOARD.with_name("gateway.json")
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
each_board = pytest.mark.parametrize("file", [DASHBOARD, GATEWAY_DASHBOARD], ids=lambda file: file.stem)


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
    scrapes = {job["job_name"]: job for job in _prometheus()["scrape_configs"]}
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


# The metrics


def test_metrics_of_queries_exist() -> None:
    metrics = _exposed(_gateway_metrics()).keys() | _recorded() | {"up", "ALERTS"}
    queries = {name: expression for expression in _expressions() for name in _metrics(expression)}
    unknown = {name: queries[name] for name in queries if not name.startswith("vllm:") and name not in metrics}
    assert unknown == {}
    assert any(name.startswith("vllm:") for name in queries)


def test_labels_of_queries_exist() -> None:
    labels = {"job", "instance", "le", "alertstate"}.union(*_exposed(_gateway_metrics()).values())
    queries = {
        label: expression
        for expression in _expressions()
        if "vllm:" not in expression
        for label in re.findall(r'(\w+)\s*(?:=~|!=|!~|=)\s*"', expression)
        + re.findall(r"\w+", " ".join(re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", expression)))
    }
    assert {label: queries[label] for label in queries.keys() - labels} == {}


def test_metrics_in_alert_texts_exist() -> None:
    for alert in (rule for rule in _rules() if "alert" in rule):
        assert alert["labels"]["severity"] in ("critical", "warning")
        text = " ".join(alert["annotations"].values())
        families = _families(_exposed(Metrics())) | _exposed(Metrics()).keys()
        assert set(re.findall(r"\bspaceport_\w+", text)) <= families, alert["alert"]


def test_dashboards_show_every_metric_of_their_server() -> None:
    serving = _families(_exposed(Metrics()))
    assert _families(_shown(DASHBOARD)) == serving
    assert _families(_shown(GATEWAY_DASHBOARD)) == _families(_exposed(_gateway_metrics())) - serving


# The dashboard


@each_board
def test_panels_have_unique_ids_and_do_not_overlap(file: Path) -> None:
    board = _dashboard(file)
    ids = [panel["id"] for panel in _panels(board)]
    assert len(ids) == len(set(ids))
    for group in [board["panels"], *(panel["panels"] for panel in board["panels"] if "panels" in panel)]:
        positions = [panel["gridPos"] for panel in group]
        assert all(position["x"] + position["w"] <= 24 for position in positions)
        assert not [pair for pair in itertools.combinations(positions, 2) if _overlap(*pair)]


@each_board
def test_panels_have_units_descriptions_and_legends(file: Path) -> None:
    board = _dashboard(file)
    assert board["schemaVersion"] >= 39
    assert {variable["name"] for variable in board["templating"]["list"]} == {"job", "instance"}
    for panel in _panels(board):
        if panel["type"] == "row":
            assert panel["collapsed"] is bool(panel["panels"]), "the panels of an open row are its siblings"
            continue
        title = panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "prometheus"}, title
        assert panel["fieldConfig"]["defaults"]["unit"], title
        assert panel["description"].endswith("."), title
        assert all(target["legendFormat"] for target in panel["targets"]), title
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]), title


def test_grafana_gets_its_dashboard_and_data_source() -> None:
    provisioning = FOLDER / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text())["datasources"]
    (provider,) = yaml.safe_load((provisioning / "dashboards/spaceport.yaml").read_text())["providers"]
    mounts = {mount.split(":")[1]: mount.split(":")[0] for mount in SERVICES["grafana"]["volumes"]}
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert source["uid"] == "prometheus"
    assert source["jsonData"]["timeInterval"] == _prometheus()["global"]["scrape_interval"]
    assert (FOLDER / mounts[provider["options"]["path"]]).resolve() == DASHBOARD.parent
    assert home == f"{provider['options']['path']}/{DASHBOARD.name}"


# The files as Prometheus and Compose read them


@pytest.fixture(scope="module")
def promtool() -> str:
    program = shutil.which("promtool")
    if not program:
        missing("promtool (apt-get install prometheus)")
    return str(program)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "config", PROMETHEUS / "prometheus.yml"],
        ["check", "rules", "--lint=all", "--lint-fatal", PROMETHEUS / "rules.yml"],
        ["test", "rules", Path(__file__).with_name("rules.test.yml")],
    ],
    ids=["config", "rules", "rules.test"],
)
def test_promtool_accepts(promtool: str, arguments: list[str]) -> None:
    _run([promtool, *map(str, arguments)])


def test_promtool_accepts_the_queries_of_panels(promtool: str, tmp_path: Path) -> None:
    expressions = [
        re.sub(r"\$(job|instance)\b", "x", each.replace("$__rate_interval", "1m")) for each in _panel_expressions()
    ]
    rules = [{"record": f"panel:{number}", "expr": each} for number, each in enumerate(expressions)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    _run([promtool, "check", "rules", str(file)])


def test_compose_file_matches_the_schema() -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    _run([str(program), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)])


@pytest.mark.parametrize("profile", ["", *BY_PROFILE])
def test_compose_accepts_the_file(profile: str) -> None:
    programs = [*_compose_programs()]
    if not programs:
        missing("docker compose (apt-get install docker-compose)")
    for program in programs:
        command = [*program, "-f", str(COMPOSE), *(["--profile", profile] if profile else [])]
        resolved = yaml.safe_load(_run([*command, "config"]))["services"]
        assert DEFAULT_SERVICES | BY_PROFILE.get(profile, set()) <= resolved.keys()
        assert resolved["inference"]["image"] == "spaceport-inference:dev"
        assert "127.0.0.1" in str(resolved["chat"]["ports"])


# Helpers


def _prometheus() -> dict[str, Any]:
    return yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _recorded() -> set[str]:
    return {rule["record"] for rule in _rules() if "record" in rule}


def _dashboard(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text())


def _panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", [])


def _panel_expressions(*files: Path) -> list[str]:
    boards = [_dashboard(file) for file in files or (DASHBOARD, GATEWAY_DASHBOARD)]
    return [target["expr"] for board in boards for panel in _panels(board) for target in panel.get("targets", [])]


def _shown(file: Path) -> set[str]:
    """The metrics in the panels of a dashboard."""
    return {name for expression in _panel_expressions(file) for name in _metrics(expression)}


def _families(names: Iterable[str]) -> set[str]:
    """Our metrics without the endings of histograms."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names if name.startswith("spaceport_")}


def _expressions() -> list[str]:
    boards = (_dashboard(DASHBOARD), _dashboard(GATEWAY_DASHBOARD))
    variables = [variable["query"]["query"] for board in boards for variable in board["templating"]["list"]]
    label_queries = [re.sub(r"label_values\((.*), \w+\)", r"\1", query) for query in variables]
    return [*_panel_expressions(), *(rule["expr"] for rule in _rules()), *label_queries]


def _metrics(expression: str) -> set[str]:
    """The metric names in a query: what is left without labels, ranges, functions and keywords."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(?:by|without)\s*\([^)]*\)', " ", expression)
    names = set(re.findall(r"(?<![\w:])[a-zA-Z_:][\w:]*\b(?!\s*\()", bare))
    return names - {"or", "and", "unless", "by", "without"}


def _gateway_metrics() -> GatewayMetrics:
    """Metrics of a gateway with a route, with a value of each."""
    metrics = GatewayMetrics()
    metrics.track_redis(SharedRedis("redis://localhost"))
    journal = SimpleNamespace(waiting_bytes=0, limit_bytes=1)
    metrics.track_ledger(SimpleNamespace(journal=journal, is_connected=True))  # type: ignore[arg-type]
    route = {"kind": "gateway.routing", "targets": ["a"]}
    states = TargetStates()
    metrics.track_targets(Router(Catalog({"a": {"kind": "openai", "url": "http://a"}, "r": route}, source=""), states))
    for _ in range(5):
        with states.attempt("a") as attempt:
            attempt.first_token()
    for counter in (metrics.cost, metrics.unpriced):
        counter.labels("a")
    metrics.target_requests.labels("a", "ok")
    return metrics


def _exposed(metrics: Metrics) -> dict[str, set[str]]:
    """The names of the server's metrics, with their labels."""
    metrics.track_load(slots=1, in_flight=lambda: 0, queue_length=lambda: 0)
    metrics.requests.labels("openai", "200")
    metrics.errors.labels("full")
    metrics.model.labels("a model")
    samples = re.findall(r"^(\w+)(?:\{(.*)\})? ", metrics.render().decode(), re.MULTILINE)
    labels_by_name: dict[str, set[str]] = {}
    for name, labels in samples:
        labels_by_name.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return labels_by_name


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in ("xw", "yh")
    )


def _compose_programs() -> Iterator[list[str]]:
    for program in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(program[0]) and not subprocess.run([*program, "version"], capture_output=True).returncode:
            yield program


def _run(command: list[str]) -> str:
    # Without the caller's variables, which would change ports and images.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SPACEPORT_", "COMPOSE_"))}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
