"""How many there are, who sets it, and what they get. Each check gives a line for each thing that is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.k8s.objects import Object, expanded, matches, of, workload, workloads

CALM_SECONDS = 300  # the least for which an autoscaler looks back before it takes a replica away


def scaled(objects: list[Object]) -> Iterator[str]:
    """Each workload's replicas are set by one: by an autoscaler, or by its own `replicas`."""
    owners = Counter(_target(scaler) for scaler in _scalers(objects))
    known = {(each.whole["kind"], each.name) for each in workloads(objects)}
    for target in owners.keys() - known:
        yield f"an autoscaler scales {target}, which is not there"
    for each in workloads(objects):
        setting = owners[each.whole["kind"], each.name] + ("replicas" in each.spec)
        if setting != 1:
            yield f"{each}: {setting} set its replicas"
    for scaler in _scalers(objects):
        yield from _calm(scaler, objects)


def _scalers(objects: list[Object]) -> list[Object]:
    return [*of(objects, "HorizontalPodAutoscaler"), *of(objects, "ScaledObject")]


def _target(scaler: Object) -> tuple[str, str]:
    target = scaler["spec"]["scaleTargetRef"]
    return target["kind"], target["name"]


def _calm(scaler: Object, objects: list[Object]) -> Iterator[str]:
    who, spec = f"{scaler['kind']}/{scaler['metadata']['name']}", scaler["spec"]
    by_keda = scaler["kind"] == "ScaledObject"
    least, most = (spec[name + ("ReplicaCount" if by_keda else "Replicas")] for name in ("min", "max"))
    if not 1 <= least <= most:
        yield f"{who} scales from {least} to {most}"
    how = spec["advanced"]["horizontalPodAutoscalerConfig"] if by_keda else spec
    if how.get("behavior", {}).get("scaleDown", {}).get("stabilizationWindowSeconds", 0) < CALM_SECONDS:
        yield f"{who} takes replicas away at every pause"
    for metric in spec.get("metrics", []):
        if metric["type"] == "Resource" and _target(scaler)[1] in {each.name for each in workloads(objects)}:
            requests = workload(objects, _target(scaler)[1]).main["resources"].get("requests", {})
            if metric["resource"]["name"] not in requests:
                yield f"{who} measures against a request that is not there"


def budgeted(objects: list[Object]) -> Iterator[str]:
    """Each workload has one budget, which lets a node be drained."""
    budgets = of(objects, "PodDisruptionBudget")
    for each in workloads(objects):
        own = [budget for budget in budgets if matches(budget["spec"]["selector"], each.labels)]
        if len(own) != 1:  # a pod in two cannot be evicted at all
            yield f"{each} is in {len(own)} budgets"
    for budget in budgets:
        who, spec = f"PodDisruptionBudget/{budget['metadata']['name']}", budget["spec"]
        if sum(matches(spec["selector"], each.labels) for each in workloads(objects)) != 1:
            yield f"{who} is not of one workload"
        if spec.get("maxUnavailable") != 1:
            yield f"{who} could hold up a drain for ever"


def sized(objects: list[Object]) -> Iterator[str]:
    """vLLM shares its model among as many GPUs as it is given, and a node without one is never tried."""
    for each in workloads(objects):
        given = each.main["resources"].get("limits", {}).get("nvidia.com/gpu")
        split = [word for word in expanded(objects, each.main) if word.startswith("--tensor-parallel-size=")]
        if split != ([f"--tensor-parallel-size={given}"] if given else []):
            yield f"{each} has {given} GPUs and splits its model by {split}"
        if given and not (each.pod.get("tolerations") and each.pod.get("affinity", {}).get("nodeAffinity")):
            yield f"{each} wants a GPU and does not say where to find one"


CHECKS = (scaled, budgeted, sized)
