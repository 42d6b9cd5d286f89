"""Vertex AI, as `cloud.command` wants it: an endpoint, a model in its registry, and machines under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloud.calls import Call, Resource, Say, Step
from cloud.vertex import calls, traffic
from cloud.vertex.client import Vertex, deployed
from cloud.vertex.settings import VertexSettings
from cloud.vertex.steps import Address, Marked, Registered, Running, Scaled


class VertexPlatform:
    """Vertex AI for each command; making it touches no network."""

    title = "Vertex AI"
    program = "cloud/deploy_vertex.py"
    file = Path(__file__).parent.parent / "vertex.toml"
    prefix = "SPACEPORT_VERTEX"
    settings = VertexSettings

    def plan(self, settings: VertexSettings) -> Sequence[Call]:
        """Every call of a first deployment, without credentials."""
        return calls.plan(settings)

    def steps(self, settings: VertexSettings) -> Sequence[Step]:
        """The same calls with the means to make them."""
        vertex = Vertex(settings)
        registered = Registered(vertex, settings.model, calls.upload(settings))
        address = Address(vertex, settings.endpoint, calls.create_endpoint(settings))
        running = Running(vertex, settings.endpoint, calls.deploy(settings))
        marked = Marked(vertex, settings.model, calls.mark(f"{settings.model}@1", [calls.LIVE], "Mark it as live"))
        return [each.step for each in (registered, address, running, marked)]

    def scaling(self, settings: VertexSettings) -> Sequence[Step]:
        """Bounds and metric for what is in service."""
        vertex = Vertex(settings)
        return [Scaled(vertex, settings.endpoint, calls.scale(settings, "0")).step]

    def update(self, settings: VertexSettings, say: Say) -> None:
        """Register what the settings say, and move the traffic to it step by step."""
        traffic.update(Vertex(settings), say)

    def rollback(self, settings: VertexSettings, say: Say) -> None:
        """End an update that is not done, or bring the version before into service."""
        traffic.rollback(Vertex(settings), say)

    def resources(self, settings: VertexSettings) -> Sequence[Resource]:
        """The endpoint, what is deployed, each version of the model, and what is under way."""
        vertex = Vertex(settings)
        endpoint, found = vertex.endpoint(), []
        if endpoint:
            address = {"address": endpoint.dedicated_endpoint_dns} if endpoint.dedicated_endpoint_dns else {}
            found.append(Resource("endpoint", settings.name, detail=address))
        found += [_shown(settings, each, share) for each, share in deployed(endpoint)]
        for version in vertex.versions():
            name = f"{settings.name}@{version.version_id}"
            found.append(Resource("model version", name, ", ".join(sorted(version.version_aliases))))
        for resource in (settings.endpoint, settings.model):
            for operation in vertex.running(resource):  # what it makes is not there yet, and would be left behind
                found.append(Resource("operation", operation.name.rpartition("/")[2], "running"))
        return found

    def delete(self, settings: VertexSettings, say: Say) -> None:
        """Undeploy all, then delete the endpoint and the model with its versions; wait for each."""
        vertex = Vertex(settings)
        for resource in (settings.endpoint, settings.model):
            vertex.settle(resource, say)
        if endpoint := vertex.endpoint():
            last, *others = [each.id for each, _ in deployed(endpoint)] or [None]
            for each in others:
                vertex.do(calls.undeploy(settings, each, {last: 100}), say)
            if last:
                vertex.do(calls.undeploy(settings, last), say)
            vertex.do(calls.delete_endpoint(settings), say)
        if vertex.versions():
            vertex.do(calls.delete_model(settings), say)

    def target(self, settings: VertexSettings) -> Mapping[str, Any]:
        """The catalogue entry that calls it."""
        entry: dict[str, Any] = {
            "kind": "vertex",
            "endpoint": settings.name,
            "project": settings.project,
            "location": settings.location,
            "route": "stream" if settings.dedicated else "whole",  # a shared endpoint streams no container of ours
        }
        return entry | ({"url": settings.api_endpoint} if settings.api_endpoint else {})

    def price(self, settings: VertexSettings) -> str:
        """The row of the price table that it runs on."""
        return settings.price_row


def _shown(settings: VertexSettings, each: Any, share: int) -> Resource:
    resources = each.dedicated_resources
    spec, spot = resources.machine_spec, bool(resources.spot)
    accelerator = spec.accelerator_type.name if spec.accelerator_count else None
    detail = {
        "machine": " ".join(filter(None, [spec.machine_type, accelerator, "spot" if spot else ""])),
        "replicas": f"{resources.min_replica_count} to {resources.max_replica_count}",
    }
    if "status" in each:
        detail["available"] = f"{each.status.available_replica_count} {each.status.message}".strip()
    one = replace(settings, machine_type=spec.machine_type, accelerator=accelerator, metric=None, spot=spot)
    usd = calls.usd_hour(replace(one, min_replicas=1, max_replicas=1))
    cost = None if usd is None else usd * resources.min_replica_count
    return Resource(
        "deployed model", each.id, f"version {each.model_version_id}, {share} % of the traffic", cost, detail
    )
