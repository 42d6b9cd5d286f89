"""The plan for Vertex AI: no network, no credentials, and payloads that Google's own messages accept."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseError

from backends import NotConfigured
from cloud.calls import ApiCall
from cloud.settings import load
from cloud.vertex import calls
from cloud.vertex.platform import VertexPlatform
from cloud.vertex.settings import METRICS, VertexSettings
from compare import deployment
from compare.analyse.costs.prices import Prices
from tests.cloud.vertex_api import parse_request

ROOT = Path(__file__).parent.parent.parent
PLAIN = VertexSettings(project="demo", image="us-docker.pkg.dev/demo/a/b:1")
FULL = VertexSettings(
    project="demo",
    image="us-docker.pkg.dev/demo/a/b:1",
    name="chat",
    location="europe-west4",
    display_name="Chat",
    artifact_uri="gs://models/qwen",
    env={"HF_TOKEN": "hf_very_secret", "SPACEPORT_CONTEXT": "8192"},
    accelerator="NVIDIA_L4",
    accelerator_count=2,
    machine_type="g2-standard-24",
    min_replicas=2,
    max_replicas=5,
    metric="vllm_waiting",
    metric_target=4,
    spot=True,
    service_account="serving@demo.iam.gserviceaccount.com",
    log_table="bq://demo.logs.requests",
    log_share=0.25,
    labels={"team": "a"},
)


def parsed(call: ApiCall) -> Any:
    return parse_request(call.operation, call.payload)


def every_call(settings: VertexSettings) -> list[ApiCall]:
    return [
        *calls.plan(settings),
        calls.upload(settings, next_version=True),
        calls.deploy(settings, "2", traffic={"0": 0, "17": 100}),
        calls.scale(settings, "17"),
        calls.split_traffic(settings, {"17": 90, "18": 10}, "a tenth"),
        calls.undeploy(settings, "17", {"18": 100}),
        calls.delete_endpoint(settings),
        calls.delete_model(settings),
    ]


@pytest.mark.parametrize("settings", [PLAIN, FULL], ids=["plain", "full"])
def test_google_accepts_each_payload(settings: VertexSettings) -> None:
    operations = {call.operation: parsed(call) for call in every_call(settings)}
    assert set(operations) == {
        "UploadModel", "CreateEndpoint", "DeployModel", "MergeVersionAliases", "MutateDeployedModel",
        "UpdateEndpoint", "UndeployModel", "DeleteEndpoint", "DeleteModel",
    }  # fmt: skip


def test_the_requests_contain_the_settings() -> None:
    upload, create, deploy, _ = map(parsed, calls.plan(FULL))
    container = upload.model.container_spec
    assert (upload.model_id, upload.service_account, upload.model.artifact_uri) == (
        "chat",
        FULL.service_account,
        FULL.artifact_uri,
    )
    assert container.image_uri == FULL.image and container.deployment_timeout.total_seconds() == 1800
    assert (container.predict_route, container.health_route, container.ports[0].container_port) == (
        "/v1/chat/completions",
        "/ready",
        8080,
    )
    logging = create.endpoint.predict_request_response_logging_config
    assert (create.endpoint_id, create.endpoint.dedicated_endpoint_enabled) == ("chat", True)
    assert (logging.sampling_rate, logging.bigquery_destination.output_uri) == (0.25, FULL.log_table)
    resources = deploy.deployed_model.dedicated_resources
    assert deploy.deployed_model.model == f"{FULL.model}@{calls.version_alias(FULL)}"
    assert deploy.deployed_model.service_account == FULL.service_account
    assert resources.machine_spec.accelerator_type.name == "NVIDIA_L4" and resources.machine_spec.accelerator_count == 2
    assert (resources.min_replica_count, resources.max_replica_count, resources.spot) == (2, 5, True)
    metric = resources.autoscaling_metric_specs[0]
    assert (metric.metric_name, metric.target) == (METRICS["vllm_waiting"], 4)


def rename_field(payload: Any, old: str, new: str) -> Any:
    """Return the payload with one field renamed."""
    return json.loads(json.dumps(payload).replace(f'"{old}":', f'"{new}":'))


@pytest.mark.parametrize(
    ("number", "name", "misspelt"),
    [
        (0, "modelId", "modelID"),
        (0, "imageUri", "imageURL"),
        (0, "deploymentTimeout", "deploymentTimeoutSeconds"),
        (1, "dedicatedEndpointEnabled", "dedicatedEndpoint"),
        (1, "samplingRate", "sampleRate"),
        (2, "spot", "preemptible"),
        (2, "minReplicaCount", "minReplicas"),
        (2, "metricName", "metric"),
        (2, "trafficSplit", "traffic"),
        (3, "versionAliases", "aliases"),
    ],
)
def test_google_rejects_a_misspelt_field(number: int, name: str, misspelt: str) -> None:
    call = calls.plan(FULL)[number]
    payload = rename_field(call.payload, name, misspelt)
    assert payload != call.payload
    with pytest.raises(ParseError):
        parse_request(call.operation, payload)


def test_google_rejects_an_unknown_accelerator() -> None:
    call = calls.deploy(VertexSettings(project="demo", image="i", accelerator="L4"))
    with pytest.raises(ParseError):
        parsed(call)


def test_the_metrics_are_those_of_the_sdk() -> None:
    import google.cloud.aiplatform.models as sdk

    source = Path(sdk.__file__).read_text(encoding="utf-8").replace('"\n', '"')
    joined = "".join(source.split()).replace('""', "")
    assert all(f'"{name}"' in joined for name in METRICS.values())


def test_the_plan_masks_secrets() -> None:
    output = json.dumps([call.payload for call in calls.plan(FULL)])
    assert "hf_very_secret" not in output and "8192" in output
    assert "hf_very_secret" in json.dumps(calls.upload(FULL).payload)


def test_the_version_depends_on_container_and_machine() -> None:
    def alias(**changes: Any) -> str:
        values = {each.name: getattr(PLAIN, each.name) for each in fields(PLAIN)} | changes
        return calls.version_alias(VertexSettings(**values))

    same = [alias(), alias(max_replicas=9), alias(labels={"a": "b"}), alias(traffic="all")]
    other = [alias(image="b:2"), alias(env={"A": "1"}), alias(machine_type="g2-standard-8"), alias(spot=True)]
    assert len(set(same)) == 1
    assert len(set(other + same)) == 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Chat"}, "name"),
        ({"project": "demo/locations"}, "project"),
        ({"location": ""}, "location"),
        ({"image": " "}, "Artifact Registry"),
        ({"name": "x" * 64}, "name"),
        ({"min_replicas": 0}, "min_replicas"),
        ({"min_replicas": 3}, "max_replicas"),
        ({"metric": "temperature"}, "metric"),
        ({"metric": "gpu"}, "accelerator"),
        ({"metric": "cpu", "metric_target": 101}, "metric_target"),
        ({"traffic": "blue"}, "traffic"),
        ({"transport": "carrier pigeon"}, "transport"),
        ({"step_percent": 100}, "step_percent"),
        ({"log_share": 2.0}, "log_share"),
        ({"log_table": "demo.logs"}, "bq://"),
        ({"artifact_uri": "s3://b"}, "gs://"),
        ({"predict_route": "predict"}, "slash"),
        ({"labels": {"Team": "a"}}, "labels"),
        ({"env": {"AIP_HTTP_PORT": "1"}}, "AIP_"),
        ({"api_endpoint": "http://example.com"}, "https"),
        ({"api_endpoint": "ftp://example.com"}, "api_endpoint"),
    ],
)
def test_an_invalid_setting_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NotConfigured) as raised:
        VertexSettings(**{"project": "demo", "image": "i"} | changes)
    assert message in str(raised.value) and raised.value.remedy


def test_traffic_moves_in_the_configured_steps() -> None:
    def shares(traffic: str, step: int) -> tuple[int, ...]:
        return VertexSettings(project="p", image="i", traffic=traffic, step_percent=step).shares

    assert shares("all", 10) == (100,)
    assert shares("canary", 5) == (5, 100)
    assert shares("linear", 40) == (40, 80, 100)
    assert shares("linear", 50) == (50, 100)


def test_the_example_settings_are_valid_and_have_a_price() -> None:
    settings = load(VertexSettings, VertexPlatform.file, VertexPlatform.prefix, [], {})
    assert VertexPlatform().price(settings) in Prices.load().rows
    assert calls.plan(settings)[2].usd_hour(deployment.usd_hour) == pytest.approx(0.81)


def test_the_price_depends_on_machine_replicas_and_settings() -> None:
    def price(**changes: Any) -> float | None:
        settings = VertexSettings(project="p", image="i", **changes)
        return calls.machines(settings).usd_hour(deployment.usd_hour)

    assert price(min_replicas=2, max_replicas=2) == pytest.approx(1.62)
    assert price(machine_type="n1-standard-4", accelerator="NVIDIA_TESLA_T4") == pytest.approx(0.621)
    assert price(machine_type="n1-standard-4") is None
    assert price(spot=True) is None
    assert price(machine_type="n1-standard-4", price="1.25/h") == pytest.approx(1.25)


def test_the_target_streams_only_with_a_dedicated_endpoint() -> None:
    platform = VertexPlatform()
    assert platform.target(PLAIN) == {
        "kind": "vertex", "endpoint": "spaceport", "project": "demo", "location": "us-central1", "route": "stream",
    }  # fmt: skip
    shared = VertexSettings(project="demo", image="i", dedicated=False)
    assert platform.target(shared)["route"] == "whole"


def test_the_roles_allow_the_calls_and_nothing_else() -> None:
    folder = ROOT / "cloud" / "policies"
    lines = (folder / "vertex-deployer-role.yaml").read_text(encoding="utf-8").splitlines()
    allowed = {line.split()[1]: line for line in lines if line.startswith("  - ")}
    commented = "\n".join(allowed.values())
    reads = {"GetEndpoint", "GetOperation", "ListOperations", "ListModelVersions"}
    for operation in {call.operation for call in every_call(FULL)} | reads:
        assert operation in commented
    assert not any("*" in name for name in allowed)


def test_the_script_plans_without_credentials(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SPACEPORT_VERTEX_NAME": "from-the-environment"}
    command = [sys.executable, "-W", "error", "cloud/deploy_vertex.py", "plan", "--json", "--set", "max_replicas=7"]
    process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert (process.returncode, process.stderr) == (0, "")
    plan = json.loads(process.stdout)
    assert [call["operation"] for call in plan] == [
        "UploadModel", "CreateEndpoint", "DeployModel", "MergeVersionAliases",
    ]  # fmt: skip
    assert plan[1]["payload"]["endpointId"] == "from-the-environment"
    assert plan[2]["payload"]["deployedModel"]["dedicatedResources"]["maxReplicaCount"] == 7


def test_the_plan_loads_no_sdk() -> None:
    code = (
        "import sys; from cloud.command import Command; from cloud.vertex.platform import VertexPlatform;"
        "from compare import deployment;"
        "Command(VertexPlatform(), deployment).main(['plan']);"
        "sys.exit(any(name.startswith(('google.cloud.aiplatform', 'google.api_core', 'grpc')) for name in sys.modules))"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stderr
