"""Checks of replicas, autoscalers, disruption budgets and GPUs. Each check yields one line per problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.k8s.objects import Object, command_line, get_workload, matches, of_kind, workloads

MIN_STABILIZATION_SECONDS = 300  # how long an autoscaler looks back before it removes a replica


def autoscaling(objects: list[Object]) -> Iterator[str]:
    """Exactly one of an autoscaler and `replicas` sets the replica count of each workload."""
    owners = Counter(_target(scaler) for scaler in _scalers(objects))
    existing = {(workload.manifest["kind"], workload.name) for workload in workloads(objects)}
    for target in owners.keys() - existing:
        yield f"an autoscaler scales {target}, which doesn't exist"
    for workload in workloads(objects):
        count = owners[workload.manifest["kind"], workload.name] + ("replicas" in workload.spec)
        if count != 1:
            yield f"{workload}: {count} owners of its replica count"
    for scaler in _scalers(objects):
        yield from _check_scaler(scaler, objects)


def _scalers(objects: list[Object]) -> list[Object]:
    return [*of_kind(objects, "HorizontalPodAutoscaler"), *of_kind(objects, "ScaledObject")]


def _target(scaler: Object) -> tuple[str, str]:
    target = scaler["spec"]["scaleTargetRef"]
    return target["kind"], target["name"]


def _check_scaler(scaler: Object, objects: list[Object]) -> Iterator[str]:
    name, spec = f"{scaler['kind']}/{scaler['metadata']['name']}", scaler["spec"]
    by_keda = scaler["kind"] == "ScaledObject"
    low, high = (spec[bound + ("ReplicaCount" if by_keda else "Replicas")] for bound in ("min", "max"))
    if not 1 <= low <= high:
        yield f"{name} scales from {low} to {high}"
    config = spec["advanced"]["horizontalPodAutoscalerConfig"] if by_keda else spec
    seconds = config.get("behavior", {}).get("scaleDown", {}).get("stabilizationWindowSeconds", 0)
    if seconds < MIN_STABILIZATION_SECONDS:
        yield f"{name} removes replicas at every pause"
    for metric in spec.get("metrics", []):
        if metric["type"] == "Resource" and _target(scaler)[1] in {workload.name for workload in workloads(objects)}:
            requests = get_workload(objects, _target(scaler)[1]).main["resources"].get("requests", {})
            if metric["resource"]["name"] not in requests:
                yield f"{name} compares with a request that doesn't exist"


def disruption_budgets(objects: list[Object]) -> Iterator[str]:
    """Each workload has one budget, which allows a node to drain."""
    budgets = of_kind(objects, "PodDisruptionBudget")
    for workload in workloads(objects):
        own = [budget for budget in budgets if matches(budget["spec"]["selector"], workload.labels)]
        if len(own) != 1:  # a pod in two budgets can't be evicted
            yield f"{workload} is in {len(own)} budgets"
    for budget in budgets:
        name, spec = f"PodDisruptionBudget/{budget['metadata']['name']}", budget["spec"]
        if sum(matches(spec["selector"], workload.labels) for workload in workloads(objects)) != 1:
            yield f"{name} doesn't select exactly one workload"
        if spec.get("maxUnavailable") != 1:
            yield f"{name} can block a drain"


def gpus(objects: list[Object]) -> Iterator[str]:
    """vLLM splits its model across all GPUs of its limit, and its pods run only on nodes with a GPU."""
    for workload in workloads(objects):
        limit = workload.main["resources"].get("limits", {}).get("nvidia.com/gpu")
        split = [word for word in command_line(objects, workload.main) if word.startswith("--tensor-parallel-size=")]
        if split != ([f"--tensor-parallel-size={limit}"] if limit else []):
            yield f"{workload} has {limit} GPUs and splits its model by {split}"
        if limit and not (workload.pod.get("tolerations") and workload.pod.get("affinity", {}).get("nodeAffinity")):
            yield f"{workload} needs a GPU, but has no toleration or node affinity"


CHECKS = (autoscaling, disruption_budgets, gpus)
