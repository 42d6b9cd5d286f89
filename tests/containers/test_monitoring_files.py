"""What Prometheus and Grafana read agrees with the metrics of the servers; these tests need no Docker engine."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from backends import Catalog
from backends.serving.redis.connection import SharedRedis
from gateway.metrics import GatewayMetrics
from gateway.routing.router import Router
from gateway.routing.target_states import TargetStates
from inference.metrics import Metrics
from tests.conftest import missing
from tests.containers.test_stack_files import FOLDER, PROMETHEUS, SERVICES, prometheus_settings, run

DASHBOARD = FOLDER / "grafana" / "dashboards" / "serving.json"
GATEWAY_DASHBOARD = DASHBOARD.with_name("gateway.json")
each_board = pytest.mark.parametrize("file", [DASHBOARD, GATEWAY_DASHBOARD], ids=lambda file: file.stem)


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
    assert source["jsonData"]["timeInterval"] == prometheus_settings()["global"]["scrape_interval"]
    assert (FOLDER / mounts[provider["options"]["path"]]).resolve() == DASHBOARD.parent
    assert home == f"{provider['options']['path']}/{DASHBOARD.name}"


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
    run([promtool, *map(str, arguments)])


def test_promtool_accepts_the_queries_of_panels(promtool: str, tmp_path: Path) -> None:
    expressions = [
        re.sub(r"\$(job|instance)\b", "x", each.replace("$__rate_interval", "1m")) for each in _panel_expressions()
    ]
    rules = [{"record": f"panel:{number}", "expr": each} for number, each in enumerate(expressions)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    run([promtool, "check", "rules", str(file)])


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
