"""Settings to calls of Vertex AI's API, in its own names; nothing here touches a network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloud.calls import Call
from cloud.calls import hidden as shown
from cloud.vertex.settings import METRICS, VertexSettings
from compare.analyse.prices import Hourly, Prices

MODELS, ENDPOINTS = "ModelService", "EndpointService"
LIVE, PREVIOUS = "live", "previous"  # aliases of the version in service, and of the one before
NEW = "0"  # what a traffic split calls the model that its own request deploys
SCALED = ("minReplicaCount", "maxReplicaCount", "autoscalingMetricSpecs")


def plan(settings: VertexSettings) -> list[Call]:
    """Every call of a first deployment."""
    first = f"{settings.model}@1"
    made = [upload(settings), create_endpoint(settings), deploy(settings), mark(first, [LIVE], "Mark it as live")]
    return [hidden(call) for call in made]


def upload(settings: VertexSettings, *, into: bool = False) -> Call:
    """Register the container as a model; `into` one that is there, as its next version."""
    model = _container(settings) | {
        "versionAliases": [alias(settings)],
        # A rollback deploys a version on the machine that it had.
        "versionDescription": json.dumps(machine(settings), separators=(",", ":")),
        "labels": labels(settings),
    }
    where = {"parentModel": settings.model} if into else {"modelId": settings.name}
    payload: dict[str, Any] = {"parent": settings.parent, **where, "model": model}
    if settings.service_account:
        payload["serviceAccount"] = settings.service_account
    return Call(MODELS, "UploadModel", payload, f"Register the model {settings.name}, {alias(settings)}")


def create_endpoint(settings: VertexSettings) -> Call:
    """An address for it; nothing is billed for it yet."""
    endpoint: dict[str, Any] = {
        "displayName": settings.display_name or settings.name,
        "labels": labels(settings),
        "dedicatedEndpointEnabled": settings.dedicated,
    }
    if settings.log_table:
        table = {"outputUri": settings.log_table}
        logging = {"enabled": True, "samplingRate": settings.log_share, "bigqueryDestination": table}
        endpoint["predictRequestResponseLoggingConfig"] = logging
    payload = {"parent": settings.parent, "endpointId": settings.name, "endpoint": endpoint}
    return Call(ENDPOINTS, "CreateEndpoint", payload, f"Create the endpoint {settings.name}")


def deploy(
    settings: VertexSettings,
    version: str | None = None,
    on: Mapping[str, Any] | None = None,
    traffic: Mapping[str, int] | None = None,
) -> Call:
    """Put a version (an alias or a number) on machines; without `traffic` it gets all requests."""
    version = version or alias(settings)
    chosen = dict(on or machine(settings))
    account = chosen.pop("serviceAccount", None)
    deployed: dict[str, Any] = {
        "model": f"{settings.model}@{version}",
        "displayName": f"{settings.name}-{version}",
        "dedicatedResources": chosen | replicas(settings),
    }
    if account:
        deployed["serviceAccount"] = account
    payload = {"endpoint": settings.endpoint, "deployedModel": deployed, "trafficSplit": dict(traffic or {NEW: 100})}
    why = f"Deploy {settings.name}@{version} on {chosen['machineSpec']['machineType']}"
    return Call(ENDPOINTS, "DeployModel", payload, why, usd_hour(settings))


def scale(settings: VertexSettings, deployed: str) -> Call:
    """Other bounds and another metric for what is deployed."""
    resources = replicas(settings)
    # The mask names all three, so that a metric which the settings no longer have is taken away.
    mask = ",".join(f"dedicatedResources.{name}" for name in SCALED)
    payload = {
        "endpoint": settings.endpoint,
        "deployedModel": {"id": deployed, "dedicatedResources": resources},
        "updateMask": mask,
    }
    bounds = f"{settings.min_replicas} to {settings.max_replicas} replicas"
    return Call(ENDPOINTS, "MutateDeployedModel", payload, f"Scale it from {bounds}", usd_hour(settings))


def split(settings: VertexSettings, shares: Mapping[str, int], why: str) -> Call:
    """Percent of the requests for each deployed model."""
    endpoint = {"name": settings.endpoint, "trafficSplit": dict(shares)}
    return Call(ENDPOINTS, "UpdateEndpoint", {"endpoint": endpoint, "updateMask": "trafficSplit"}, why)


def undeploy(settings: VertexSettings, deployed: str, shares: Mapping[str, int] | None = None) -> Call:
    """Take it off its machines; `shares` is who gets its requests."""
    payload: dict[str, Any] = {"endpoint": settings.endpoint, "deployedModelId": deployed}
    if shares:
        payload["trafficSplit"] = dict(shares)
    return Call(ENDPOINTS, "UndeployModel", payload, f"Undeploy {deployed}")


def mark(version: str, aliases: list[str], why: str) -> Call:
    """Give a version aliases; one with - before it is taken away."""
    return Call(MODELS, "MergeVersionAliases", {"name": version, "versionAliases": aliases}, why)


def delete_endpoint(settings: VertexSettings) -> Call:
    """Delete an endpoint that nothing is deployed on."""
    return Call(ENDPOINTS, "DeleteEndpoint", {"name": settings.endpoint}, f"Delete the endpoint {settings.name}")


def delete_model(settings: VertexSettings) -> Call:
    """Delete the model with all its versions."""
    why = f"Delete the model {settings.name} with all versions"
    return Call(MODELS, "DeleteModel", {"name": settings.model}, why)


def alias(settings: VertexSettings) -> str:
    """Names the version of these settings: the same container on the same machine is the same version."""
    text = json.dumps([_container(settings), machine(settings)], sort_keys=True)
    return f"s-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def labels(settings: VertexSettings) -> dict[str, str]:
    """What Google's bills can be told apart by."""
    return dict(settings.labels) | {"made-by": "spaceport", "deployment": settings.name}


def machine(settings: VertexSettings) -> dict[str, Any]:
    """What one replica runs on."""
    spec: dict[str, Any] = {"machineType": settings.machine_type}
    if settings.accelerator:
        spec |= {"acceleratorType": settings.accelerator, "acceleratorCount": settings.accelerator_count}
    made: dict[str, Any] = {"machineSpec": spec}
    if settings.spot:
        made["spot"] = True
    if settings.service_account:
        made["serviceAccount"] = settings.service_account
    return made


def replicas(settings: VertexSettings) -> dict[str, Any]:
    """How many replicas, and what more of them is judged by."""
    made: dict[str, Any] = {"minReplicaCount": settings.min_replicas, "maxReplicaCount": settings.max_replicas}
    if settings.metric:
        name = METRICS.get(settings.metric, settings.metric)
        made["autoscalingMetricSpecs"] = [{"metricName": name, "target": settings.metric_target}]
    return made


def usd_hour(settings: VertexSettings) -> float | None:
    """What the smallest number of replicas costs an hour, if the price is known."""
    row = Prices.load().find(settings.price) if settings.price else Prices.load().rows.get(settings.price_row)
    if not isinstance(row, Hourly):
        return None
    if settings.spot and not settings.price:
        return None if row.spot is None else row.at_spot().usd_hour * settings.min_replicas
    return row.usd_hour * settings.min_replicas


def hidden(call: Call) -> Call:
    """The call as it may be shown: a variable of the container that looks like a secret has no value."""
    if call.operation != "UploadModel":
        return call
    payload = json.loads(json.dumps(call.payload))
    for each in payload["model"]["containerSpec"].get("env", []):
        each["value"] = shown({each["name"]: each["value"]})[each["name"]]
    return replace(call, payload=payload)


def _container(settings: VertexSettings) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "imageUri": settings.image,
        "ports": [{"containerPort": settings.port}],
        "predictRoute": settings.predict_route,
        "healthRoute": settings.health_route,
        "deploymentTimeout": f"{settings.deployment_seconds}s",
    }
    if settings.env:
        spec["env"] = [{"name": name, "value": value} for name, value in sorted(settings.env.items())]
    made: dict[str, Any] = {"displayName": settings.display_name or settings.name, "containerSpec": spec}
    return made | ({"artifactUri": settings.artifact_uri} if settings.artifact_uri else {})
