"""Turns settings into calls of Vertex AI's API, in its own names; sends nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloud.calls import ApiCall, Machines, mask_secrets
from cloud.vertex.settings import METRICS, VertexSettings

MODELS, ENDPOINTS = "ModelService", "EndpointService"
LIVE, PREVIOUS = "live", "previous"  # aliases of the version in service and of the one before it
NEW_MODEL = "0"  # the key of a traffic split for the model that the same request deploys
SCALING_FIELDS = ("minReplicaCount", "maxReplicaCount", "autoscalingMetricSpecs")


def plan(settings: VertexSettings) -> list[ApiCall]:
    """Return every call of a first deployment, with secrets masked."""
    first = f"{settings.model}@1"
    merge = merge_aliases(first, [LIVE], "Mark it as live")
    return [mask(call) for call in (upload(settings), create_endpoint(settings), deploy(settings), merge)]


def upload(settings: VertexSettings, *, next_version: bool = False) -> ApiCall:
    """Register the container as a model, or as the next version of the existing model."""
    model = _container(settings) | {
        "versionAliases": [version_alias(settings)],
        # A rollback deploys a version on the machine that it had.
        "versionDescription": json.dumps(machine(settings), separators=(",", ":")),
        "labels": labels(settings),
    }
    name = {"parentModel": settings.model} if next_version else {"modelId": settings.name}
    payload: dict[str, Any] = {"parent": settings.parent, **name, "model": model}
    if settings.service_account:
        payload["serviceAccount"] = settings.service_account
    return ApiCall(MODELS, "UploadModel", payload, f"Register the model {settings.name}, {version_alias(settings)}")


def create_endpoint(settings: VertexSettings) -> ApiCall:
    """Create the endpoint, which is free until a model is deployed."""
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
    return ApiCall(ENDPOINTS, "CreateEndpoint", payload, f"Create the endpoint {settings.name}")


def deploy(
    settings: VertexSettings,
    version: str | None = None,
    machine_values: Mapping[str, Any] | None = None,
    traffic: Mapping[str, int] | None = None,
) -> ApiCall:
    """Deploy a version (an alias or a number) on machines; without `traffic`, it gets all requests."""
    version = version or version_alias(settings)
    resources = dict(machine_values or machine(settings))
    account = resources.pop("serviceAccount", None)
    model: dict[str, Any] = {
        "model": f"{settings.model}@{version}",
        "displayName": f"{settings.name}-{version}",
        "dedicatedResources": resources | replicas(settings),
    }
    if account:
        model["serviceAccount"] = account
    split = dict(traffic or {NEW_MODEL: 100})
    payload = {"endpoint": settings.endpoint, "deployedModel": model, "trafficSplit": split}
    purpose = f"Deploy {settings.name}@{version} on {resources['machineSpec']['machineType']}"
    return ApiCall(ENDPOINTS, "DeployModel", payload, purpose, machines(settings))


def scale(settings: VertexSettings, model_id: str) -> ApiCall:
    """Set the bounds and the metric of a deployed model."""
    # The mask names all three fields, so that a metric which the settings no longer have is removed.
    mask_fields = ",".join(f"dedicatedResources.{name}" for name in SCALING_FIELDS)
    payload = {
        "endpoint": settings.endpoint,
        "deployedModel": {"id": model_id, "dedicatedResources": replicas(settings)},
        "updateMask": mask_fields,
    }
    bounds = f"{settings.min_replicas} to {settings.max_replicas} replicas"
    return ApiCall(ENDPOINTS, "MutateDeployedModel", payload, f"Scale it from {bounds}", machines(settings))


def split_traffic(settings: VertexSettings, percents: Mapping[str, int], purpose: str) -> ApiCall:
    """Set the percentage of requests for each deployed model."""
    endpoint = {"name": settings.endpoint, "trafficSplit": dict(percents)}
    return ApiCall(ENDPOINTS, "UpdateEndpoint", {"endpoint": endpoint, "updateMask": "trafficSplit"}, purpose)


def undeploy(settings: VertexSettings, model_id: str, percents: Mapping[str, int] | None = None) -> ApiCall:
    """Remove a deployed model from its machines; `percents` moves its traffic to others."""
    payload: dict[str, Any] = {"endpoint": settings.endpoint, "deployedModelId": model_id}
    if percents:
        payload["trafficSplit"] = dict(percents)
    return ApiCall(ENDPOINTS, "UndeployModel", payload, f"Undeploy {model_id}")


def merge_aliases(version: str, aliases: list[str], purpose: str) -> ApiCall:
    """Add aliases to a version; an alias with a - before it is removed."""
    return ApiCall(MODELS, "MergeVersionAliases", {"name": version, "versionAliases": aliases}, purpose)


def delete_endpoint(settings: VertexSettings) -> ApiCall:
    """Delete an endpoint without deployed models."""
    return ApiCall(ENDPOINTS, "DeleteEndpoint", {"name": settings.endpoint}, f"Delete the endpoint {settings.name}")


def delete_model(settings: VertexSettings) -> ApiCall:
    """Delete the model with all its versions."""
    purpose = f"Delete the model {settings.name} with all versions"
    return ApiCall(MODELS, "DeleteModel", {"name": settings.model}, purpose)


def version_alias(settings: VertexSettings) -> str:
    """Return the alias of the version: it is the same for the same container on the same machine."""
    text = json.dumps([_container(settings), machine(settings)], sort_keys=True)
    return f"s-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def labels(settings: VertexSettings) -> dict[str, str]:
    """Return the labels, which also appear on Google's bills."""
    return dict(settings.labels) | {"made-by": "spaceport", "deployment": settings.name}


def machine(settings: VertexSettings) -> dict[str, Any]:
    """Return the machine of one replica."""
    spec: dict[str, Any] = {"machineType": settings.machine_type}
    if settings.accelerator:
        spec |= {"acceleratorType": settings.accelerator, "acceleratorCount": settings.accelerator_count}
    values: dict[str, Any] = {"machineSpec": spec}
    if settings.spot:
        values["spot"] = True
    if settings.service_account:
        values["serviceAccount"] = settings.service_account
    return values


def replicas(settings: VertexSettings) -> dict[str, Any]:
    """Return the number of replicas and the metric that scales them."""
    values: dict[str, Any] = {"minReplicaCount": settings.min_replicas, "maxReplicaCount": settings.max_replicas}
    if settings.metric:
        name = METRICS.get(settings.metric, settings.metric)
        values["autoscalingMetricSpecs"] = [{"metricName": name, "target": settings.metric_target}]
    return values


def machines(settings: VertexSettings) -> Machines:
    """Return what is billed: the minimum number of replicas."""
    return Machines(settings.price_row, settings.min_replicas, settings.spot, settings.price)


def mask(call: ApiCall) -> ApiCall:
    """Return the call for display: variables of the container that look like secrets have no value."""
    if call.operation != "UploadModel":
        return call
    payload = json.loads(json.dumps(call.payload))
    for variable in payload["model"]["containerSpec"].get("env", []):
        variable["value"] = mask_secrets({variable["name"]: variable["value"]})[variable["name"]]
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
    model: dict[str, Any] = {"displayName": settings.display_name or settings.name, "containerSpec": spec}
    return model | ({"artifactUri": settings.artifact_uri} if settings.artifact_uri else {})
