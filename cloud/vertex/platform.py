"""Vertex AI's implementation of the deployment commands: an endpoint, a model in the registry, and machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloud.calls import ApiCall, ReportLine, Resource, Step
from cloud.vertex import calls, traffic
from cloud.vertex.client import VertexClient, deployed_models
from cloud.vertex.settings import VertexSettings
from cloud.vertex.steps import CreateEndpoint, DeployModel, MarkAsLive, RegisterModel, SetScaling


class VertexPlatform:
    """A deployment to Vertex AI; the constructor makes no request."""

    title = "Vertex AI"
    program = "cloud/deploy_vertex.py"
    file = Path(__file__).parent.parent / "vertex.toml"
    prefix = "SPACEPORT_VERTEX"
    settings = VertexSettings

    def plan(self, settings: VertexSettings) -> Sequence[ApiCall]:
        return calls.plan(settings)

    def steps(self, settings: VertexSettings) -> Sequence[Step]:
        client = VertexClient(settings)
        merge = calls.merge_aliases(f"{settings.model}@1", [calls.LIVE], "Mark it as live")
        steps = (
            RegisterModel(client, settings.model, calls.upload(settings)),
            CreateEndpoint(client, settings.endpoint, calls.create_endpoint(settings)),
            DeployModel(client, settings.endpoint, calls.deploy(settings)),
            MarkAsLive(client, settings.model, merge),
        )
        return [step.step for step in steps]

    def scaling(self, settings: VertexSettings) -> Sequence[Step]:
        return [SetScaling(VertexClient(settings), settings.endpoint, calls.scale(settings, "0")).step]

    def update(self, settings: VertexSettings, report: ReportLine) -> None:
        traffic.update(VertexClient(settings), report)

    def rollback(self, settings: VertexSettings, report: ReportLine) -> None:
        traffic.rollback(VertexClient(settings), report)

    def resources(self, settings: VertexSettings) -> Sequence[Resource]:
        client = VertexClient(settings)
        endpoint, resources = client.endpoint(), []
        if endpoint:
            address = {"address": endpoint.dedicated_endpoint_dns} if endpoint.dedicated_endpoint_dns else {}
            resources.append(Resource("endpoint", settings.name, detail=address))
        resources += [_deployed_model(settings, model, percent) for model, percent in deployed_models(endpoint)]
        for version in client.versions():
            name = f"{settings.name}@{version.version_id}"
            resources.append(Resource("model version", name, ", ".join(sorted(version.version_aliases))))
        # A running operation's result doesn't exist yet, so a deletion would miss it.
        for name in (settings.endpoint, settings.model):
            operations = client.running(name)
            resources += [Resource("operation", each.name.rpartition("/")[2], "running") for each in operations]
        return resources

    def delete(self, settings: VertexSettings, report: ReportLine) -> None:
        client = VertexClient(settings)
        for resource in (settings.endpoint, settings.model):
            client.wait_for_earlier(resource, report)
        if endpoint := client.endpoint():
            last, *others = [model.id for model, _ in deployed_models(endpoint)] or [None]
            for model_id in others:
                client.run(calls.undeploy(settings, model_id, {last: 100}), report)
            if last:
                client.run(calls.undeploy(settings, last), report)
            client.run(calls.delete_endpoint(settings), report)
        if client.versions():
            client.run(calls.delete_model(settings), report)

    def target(self, settings: VertexSettings) -> Mapping[str, Any]:
        entry: dict[str, Any] = {
            "kind": "vertex",
            "endpoint": settings.name,
            "project": settings.project,
            "location": settings.location,
            # A shared endpoint doesn't stream from a custom container.
            "route": "stream" if settings.dedicated else "whole",
        }
        return entry | ({"url": settings.api_endpoint} if settings.api_endpoint else {})

    def price(self, settings: VertexSettings) -> str:
        return settings.price_row


def _deployed_model(settings: VertexSettings, model: Any, percent: int) -> Resource:
    resources = model.dedicated_resources
    spec, is_spot = resources.machine_spec, bool(resources.spot)
    accelerator = spec.accelerator_type.name if spec.accelerator_count else None
    detail = {
        "machine": " ".join(filter(None, [spec.machine_type, accelerator, "spot" if is_spot else ""])),
        "replicas": f"{resources.min_replica_count} to {resources.max_replica_count}",
    }
    if "status" in model:
        detail["available"] = f"{model.status.available_replica_count} {model.status.message}".strip()
    one_replica = replace(
        settings, machine_type=spec.machine_type, accelerator=accelerator, metric=None, spot=is_spot,
        min_replicas=1, max_replicas=1,
    )  # fmt: skip
    machines = replace(calls.machines(one_replica), count=resources.min_replica_count)
    state = f"version {model.model_version_id}, {percent} % of the traffic"
    return Resource("deployed model", model.id, state, machines, detail)
