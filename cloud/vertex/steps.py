"""What a deployment to Vertex AI needs, one step each; an interrupted one is joined, not begun twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cloud.calls import Call, CloudError, Say, Step
from cloud.vertex import calls
from cloud.vertex.aliases import with_alias
from cloud.vertex.client import Vertex, deployed, versions_of


class Thing:
    """A step over what Vertex AI has: it joins an operation that an interrupted command began."""

    def __init__(self, vertex: Vertex, resource: str, call: Call) -> None:
        self.vertex, self.resource, self.call = vertex, resource, call
        self.operation: Any = None

    @property
    def step(self) -> Step:
        return Step(self.call, self.found, self.make, self.wait)

    def found(self) -> bool:
        raise NotImplementedError

    def ready(self) -> Call:
        """The call, as what is there now makes it."""
        return self.call

    def make(self) -> None:
        if not self.vertex.running(self.resource):
            self.operation = self.vertex.send(self.ready())

    def wait(self, say: Say) -> None:
        if self.operation:
            self.vertex.finish(self.operation, say, self.call.operation)
        else:
            self.vertex.settle(self.resource, say)
        if not self.found():
            self.vertex.do(self.ready(), say)
        if not self.found():
            raise CloudError(f"{self.call.operation} ended, but what it should make is not there.", "Look at status.")


class Registered(Thing):
    def found(self) -> bool:
        _refuse_other(self.vertex)
        return with_alias(self.vertex.versions(), calls.alias(self.vertex.settings)) is not None

    def ready(self) -> Call:
        return calls.upload(self.vertex.settings, into=bool(self.vertex.versions()))


class Address(Thing):
    def found(self) -> bool:
        return self.vertex.endpoint() is not None


class Running(Thing):
    def found(self) -> bool:
        return bool(deployed(self.vertex.endpoint()))  # another version was refused at the first step


class Marked(Thing):
    def found(self) -> bool:
        return with_alias(self.vertex.versions(), calls.LIVE) is not None

    def ready(self) -> Call:
        version = with_alias(self.vertex.versions(), calls.alias(self.vertex.settings))
        number = version.version_id if version else "1"
        return replace(self.call, payload=dict(self.call.payload) | {"name": f"{self.vertex.settings.model}@{number}"})


class Scaled(Thing):
    def found(self) -> bool:
        resources = self._live().dedicated_resources
        wanted = calls.replicas(self.vertex.settings)
        metrics = [
            {"metricName": each.metric_name, "target": each.target} for each in resources.autoscaling_metric_specs
        ]
        bounds = resources.min_replica_count, resources.max_replica_count
        same = bounds == (wanted["minReplicaCount"], wanted["maxReplicaCount"])
        return same and metrics == wanted.get("autoscalingMetricSpecs", [])

    def ready(self) -> Call:
        return calls.scale(self.vertex.settings, self._live().id)

    def _live(self) -> Any:
        found = deployed(self.vertex.endpoint())
        if not found:
            raise CloudError("Nothing is deployed that could scale.", "Run deploy first.")
        return found[0][0]


def _refuse_other(vertex: Vertex) -> None:
    """Deploying beside what is in service would take all its traffic at once: that is for update."""
    running = set(versions_of(vertex.endpoint()))
    if not running:
        return
    ours = with_alias(vertex.versions(), calls.alias(vertex.settings))
    if ours is None or running != {ours.version_id}:
        raise CloudError("Other settings are in service, or an update is not done.", "Run update, or rollback.")
