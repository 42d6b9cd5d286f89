"""How pods start, are replaced and end. Each check gives a line for each thing that is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from inference.settings import Settings
from tests.k8s.objects import Object, Workload, environment, expanded, workloads

LOADING_SECONDS = {"inference": 300, "vllm": 900}  # the least that a start may take
STARTING_SECONDS = 120  # and where no model is loaded
ENDING_SECONDS = 5  # what ending takes, when the last answer is given


def probed(objects: list[Object]) -> Iterator[str]:
    """A start that has time, and probes on ports that are there."""
    for each in workloads(objects):
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = each.main.get(kind)
            if not probe:
                yield f"{each} has no {kind}"
                continue
            if each.port(probe["httpGet"]["port"]) is None:
                yield f"{each} is probed on {probe['httpGet']['port']}"
            if "initialDelaySeconds" in probe:
                yield f"{each} waits in its {kind} instead of in startupProbe"
        if (budget := starting_seconds(each)) < _loading(each):
            yield f"{each} is killed after {budget} s of loading"
        if each.whole["kind"] == "Deployment" and budget > each.spec.get("progressDeadlineSeconds", 600):
            yield f"{each} is given up before its startupProbe is over"


def starting_seconds(each: Workload) -> int:
    """How long the start may take."""
    probe = each.main.get("startupProbe", {})
    return int(probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3))


def _loading(each: Workload) -> int:
    return LOADING_SECONDS.get(each.labels.get("app.kubernetes.io/name", ""), STARTING_SECONDS)


def drained(objects: list[Object]) -> Iterator[str]:
    """preStop, then the drain, then the end: all of it within the grace."""
    for each in workloads(objects):
        waits = each.main.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        grace = each.pod.get("terminationGracePeriodSeconds", 30)
        if waits < 5:
            yield f"{each} ends before proxies have heard of it"
        if each.is_page and waits < Settings().drain_seconds:
            yield f"{each} does not drain itself, and has {waits} s for the answers that were begun"
        if (needs := waits + drain_seconds(objects, each) + ENDING_SECONDS) > grace:
            yield f"{each} needs {needs:g} s to end and is killed after {grace} s"


def drain_seconds(objects: list[Object], each: Workload) -> float:
    """What the server takes for itself after SIGTERM, from its settings or its arguments."""
    if "spaceport-inference" in each.main["image"]:
        given = environment(objects, each.main).get("SPACEPORT_DRAIN_SECONDS")
        return float(given or Settings().drain_seconds)
    for word in expanded(objects, each.main):
        if word.startswith("--shutdown-timeout="):
            return float(word.partition("=")[2])
    return 0.0


def drain_is_meant(objects: list[Object]) -> Iterator[str]:
    """Model servers drain: vLLM does not unless it is told to."""
    for each in workloads(objects):
        if each.is_model_server and drain_seconds(objects, each) < Settings().drain_seconds:
            yield f"{each} breaks off answers"


def rolled(objects: list[Object]) -> Iterator[str]:
    """A new pod answers before an old one goes."""
    for each in workloads(objects):
        if each.whole["kind"] == "Deployment":
            if each.spec.get("strategy") != {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}:
                yield f"{each} has the strategy {each.spec.get('strategy')}"
            if not each.spec.get("minReadySeconds"):
                yield f"{each} counts as available the moment it is ready"


def spread(objects: list[Object]) -> Iterator[str]:
    """Over nodes and zones where there are any; never a reason not to start."""
    for each in workloads(objects):
        if each.whole["kind"] != "Deployment":
            continue
        wishes = {wish["topologyKey"]: wish for wish in each.pod.get("topologySpreadConstraints", [])}
        if wishes.keys() != {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}:
            yield f"{each} is spread over {sorted(wishes)}"
        for wish in wishes.values():
            selector = wish["labelSelector"].get("matchLabels", {})
            if not selector or not selector.items() <= each.labels.items():
                yield f"{each} is spread among pods that are not its own"
            if wish["whenUnsatisfiable"] != "ScheduleAnyway" or wish["matchLabelKeys"] != ["pod-template-hash"]:
                yield f"{each} could stay Pending, or be held up by the pods that it replaces"


CHECKS = (probed, drained, drain_is_meant, rolled, spread)
