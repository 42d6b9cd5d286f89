"""Checks of how pods start, roll over and stop. Each check yields one line per problem."""

from __future__ import annotations

from collections.abc import Iterator

from inference.settings import Settings
from tests.k8s.objects import Object, Workload, command_line, environment, workloads

MODEL_START_SECONDS = {"inference": 300, "vllm": 900}  # the minimum that the startup probe must allow
START_SECONDS = 120  # the same without a model
SHUTDOWN_SECONDS = 5  # from the end of the last answer to the exit


def probes(objects: list[Object]) -> Iterator[str]:
    """Probes exist, use open ports, and allow enough time for startup."""
    for workload in workloads(objects):
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = workload.main.get(kind)
            if not probe:
                yield f"{workload} has no {kind}"
                continue
            if "httpGet" in probe and workload.port(probe["httpGet"]["port"]) is None:
                yield f"{workload} has a probe of the port {probe['httpGet']['port']}"
            if "initialDelaySeconds" in probe:
                yield f"{workload} has a delay in its {kind} instead of a startupProbe"
        if (budget := startup_seconds(workload)) < _required_start_seconds(workload):
            yield f"{workload} is killed after {budget} s of loading"
        if workload.manifest["kind"] == "Deployment" and budget > workload.spec.get("progressDeadlineSeconds", 600):
            yield f"{workload} fails its rollout before its startupProbe does"


def startup_seconds(workload: Workload) -> int:
    """How long the startup probe allows."""
    probe = workload.main.get("startupProbe", {})
    return int(probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3))


def _required_start_seconds(workload: Workload) -> int:
    return MODEL_START_SECONDS.get(workload.labels.get("app.kubernetes.io/name", ""), START_SECONDS)


def grace_period(objects: list[Object]) -> Iterator[str]:
    """preStop, drain and shutdown fit in the grace period."""
    for workload in workloads(objects):
        sleep = workload.main.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        grace = workload.pod.get("terminationGracePeriodSeconds", 30)
        if sleep < 5:
            yield f"{workload} stops before proxies know"
        if workload.is_page and sleep < Settings().drain_seconds:
            yield f"{workload} doesn't drain, and has only {sleep} s for running answers"
        if (total := sleep + drain_seconds(objects, workload) + SHUTDOWN_SECONDS) > grace:
            yield f"{workload} needs {total:g} s to stop and is killed after {grace} s"


def drain_seconds(objects: list[Object], workload: Workload) -> float:
    """How long the server drains after SIGTERM, from its settings or its arguments."""
    if workload.main["image"].startswith(("spaceport-inference:", "spaceport-gateway:")):
        variable = environment(objects, workload.main).get("SPACEPORT_DRAIN_SECONDS")
        return float(variable or Settings().drain_seconds)
    for word in command_line(objects, workload.main):
        if word.startswith("--shutdown-timeout="):
            return float(word.partition("=")[2])
    return 0.0


def model_drain(objects: list[Object]) -> Iterator[str]:
    """Model servers drain; vLLM doesn't by default."""
    for workload in workloads(objects):
        if workload.is_model_server and drain_seconds(objects, workload) < Settings().drain_seconds:
            yield f"{workload} aborts answers"


def rollout(objects: list[Object]) -> Iterator[str]:
    """A new pod is ready before an old one stops."""
    for workload in workloads(objects):
        if workload.manifest["kind"] == "Deployment":
            if workload.spec.get("strategy") != {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}:
                yield f"{workload} has the strategy {workload.spec.get('strategy')}"
            if not workload.spec.get("minReadySeconds"):
                yield f"{workload} counts as available the moment it is ready"


def topology_spread(objects: list[Object]) -> Iterator[str]:
    """Pods prefer separate nodes and zones, and start without them too."""
    for workload in workloads(objects):
        if workload.manifest["kind"] != "Deployment":
            continue
        constraints = {each["topologyKey"]: each for each in workload.pod.get("topologySpreadConstraints", [])}
        if constraints.keys() != {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}:
            yield f"{workload} is spread over {sorted(constraints)}"
        for constraint in constraints.values():
            selector = constraint["labelSelector"].get("matchLabels", {})
            if not selector or not selector.items() <= workload.labels.items():
                yield f"{workload} is spread among other workloads' pods"
            preferred = constraint["whenUnsatisfiable"] == "ScheduleAnyway"
            if not preferred or constraint["matchLabelKeys"] != ["pod-template-hash"]:
                yield f"{workload} can stay Pending, or counts the pods that it replaces"


CHECKS = (probes, grace_period, model_drain, rollout, topology_spread)
