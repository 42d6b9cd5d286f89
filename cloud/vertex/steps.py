"""Steps of a deployment to Vertex AI. A step waits for the operation of an interrupted command before its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cloud.calls import ApiCall, CloudError, ReportLine, Step
from cloud.vertex import calls
from cloud.vertex.aliases import with_alias
from cloud.vertex.client import VertexClient, deployed_models, deployed_versions


class VertexStep:
    """A step for one resource; it joins the operation that an interrupted command started."""

    def __init__(self, client: VertexClient, resource: str, call: ApiCall) -> None:
        self.client, self.resource, self.call = client, resource, call
        self.operation: Any = None

    @property
    def step(self) -> Step:
        return Step(self.call, self.exists, self.send, self.wait)

    def exists(self) -> bool:
        raise NotImplementedError

    def current_call(self) -> ApiCall:
        """Return the call for the current state of the resources."""
        return self.call

    def send(self) -> None:
        if not self.client.running(self.resource):
            self.operation = self.client.send(self.current_call())

    def wait(self, report: ReportLine) -> None:
        if self.operation:
            self.client.wait(self.operation, report, self.call.operation)
        else:
            self.client.wait_for_earlier(self.resource, report)
        if not self.exists():
            self.client.run(self.current_call(), report)
        if not self.exists():
            raise CloudError(f"{self.call.operation} ended, but its result does not exist.", "Run status.")


class RegisterModel(VertexStep):
    def exists(self) -> bool:
        _refuse_other_settings(self.client)
        return with_alias(self.client.versions(), calls.version_alias(self.client.settings)) is not None

    def current_call(self) -> ApiCall:
        return calls.upload(self.client.settings, next_version=bool(self.client.versions()))


class CreateEndpoint(VertexStep):
    def exists(self) -> bool:
        return self.client.endpoint() is not None


class DeployModel(VertexStep):
    def exists(self) -> bool:
        return bool(deployed_models(self.client.endpoint()))  # the first step has refused another version


class MarkAsLive(VertexStep):
    def exists(self) -> bool:
        return with_alias(self.client.versions(), calls.LIVE) is not None

    def current_call(self) -> ApiCall:
        settings = self.client.settings
        version = with_alias(self.client.versions(), calls.version_alias(settings))
        number = version.version_id if version else "1"
        return replace(self.call, payload=dict(self.call.payload) | {"name": f"{settings.model}@{number}"})


class SetScaling(VertexStep):
    def exists(self) -> bool:
        resources = self._live_model().dedicated_resources
        target = calls.replicas(self.client.settings)
        metrics = [
            {"metricName": spec.metric_name, "target": spec.target} for spec in resources.autoscaling_metric_specs
        ]
        bounds = resources.min_replica_count, resources.max_replica_count
        same_bounds = bounds == (target["minReplicaCount"], target["maxReplicaCount"])
        return same_bounds and metrics == target.get("autoscalingMetricSpecs", [])

    def current_call(self) -> ApiCall:
        return calls.scale(self.client.settings, self._live_model().id)

    def _live_model(self) -> Any:
        models = deployed_models(self.client.endpoint())
        if not models:
            raise CloudError("No model is deployed, so there is nothing to scale.", "Run deploy first.")
        return models[0][0]


def _refuse_other_settings(client: VertexClient) -> None:
    """Raise an error if another version is deployed: a new one would get all its traffic at once."""
    versions = set(deployed_versions(client.endpoint()))
    if not versions:
        return
    version = with_alias(client.versions(), calls.version_alias(client.settings))
    if version is None or versions != {version.version_id}:
        raise CloudError("Other settings are in service, or an update is unfinished.", "Run update, or rollback.")
