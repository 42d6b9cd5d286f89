"""Who may speak to whom, worked out from the NetworkPolicies as a cluster's network does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.k8s.agreement_checks import calls
from tests.k8s.objects import METRICS, Object, Workload, behind, matches, named, of, workload, workloads


@dataclass(frozen=True, slots=True)
class Peer:
    """One end of a connection: labels of its pod and of its namespace."""

    namespace: str
    labels: dict[str, str] = field(default_factory=dict)
    namespace_labels: dict[str, str] = field(default_factory=dict)
    internet: bool = False  # an address outside of the cluster

    @property
    def place(self) -> dict[str, str]:
        return {"kubernetes.io/metadata.name": self.namespace} | self.namespace_labels


STRANGER = Peer("elsewhere", {"app.kubernetes.io/component": "page", "app.kubernetes.io/name": "chat"})
PROMETHEUS = Peer("monitoring")
GATEWAY = Peer("ingress", namespace_labels={"spaceport-gateway": "true"})
NAMES = Peer("kube-system", {"k8s-app": "kube-dns"})
OTHER_SYSTEM = Peer("kube-system", {"k8s-app": "metrics-server"})
INTERNET = Peer("", internet=True)


def peer(each: Workload) -> Peer:
    return Peer(each.namespace, each.labels)


def allowed(objects: list[Object], source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
    """Whether a connection may leave where it begins and arrive where it ends."""
    leaves = _passes(objects, source, target, port, protocol, "Egress")
    return leaves and _passes(objects, target, source, port, protocol, "Ingress")


def _passes(objects: list[Object], own: Peer, other: Peer, port: int, protocol: str, way: str) -> bool:
    """Without a policy that picks the pod for this way, all passes; with any, what one of them lists."""
    policies = [
        policy
        for policy in of(objects, "NetworkPolicy")
        if policy["metadata"]["namespace"] == own.namespace
        and way in policy["spec"]["policyTypes"]
        and matches(policy["spec"]["podSelector"], own.labels)
    ]
    if not policies:
        return True
    rules = [rule for policy in policies for rule in policy["spec"].get(way.lower(), [])]
    return any(_in_rule(rule, own, other, port, protocol, way) for rule in rules)


def _in_rule(rule: Object, own: Peer, other: Peer, port: int, protocol: str, way: str) -> bool:
    ports = rule.get("ports", [])
    if ports and not any(each["port"] == port and each.get("protocol", "TCP") == protocol for each in ports):
        return False
    peers = rule.get("from" if way == "Ingress" else "to", [])
    return not peers or any(_is(each, own, other) for each in peers)


def _is(rule: Object, own: Peer, other: Peer) -> bool:
    if "ipBlock" in rule:
        return other.internet and rule["ipBlock"]["cidr"] == "0.0.0.0/0"
    if other.internet:
        return False
    there = rule.get("namespaceSelector")
    in_place = matches(there, other.place) if there is not None else other.namespace == own.namespace
    return in_place and matches(rule.get("podSelector", {}), other.labels)


def covered(objects: list[Object]) -> Iterator[str]:
    """Nothing passes that is not listed, and each pod is listed with what it serves."""
    for each in workloads(objects):
        picking = [
            policy["spec"]
            for policy in of(objects, "NetworkPolicy")
            if policy["metadata"]["namespace"] == each.namespace and matches(policy["spec"]["podSelector"], each.labels)
        ]
        denied = {way for spec in picking if spec["podSelector"] == {} for way in spec["policyTypes"]}
        if denied != {"Ingress", "Egress"}:
            yield f"{each} is closed by default for {sorted(denied)} alone"
        ports = {port["port"] for spec in picking for rule in spec.get("ingress", []) for port in rule["ports"]}
        if ports != {port["containerPort"] for port in each.main["ports"]}:
            yield f"{each} may be reached on {sorted(ports)}"


def reachable(objects: list[Object]) -> Iterator[str]:
    """All that has to speak to one another can."""
    for source, target, port in _needed(objects):
        if not allowed(objects, source, target, port):
            yield f"{source} cannot reach {target} on {port}"
    for each in workloads(objects):
        if not all(allowed(objects, peer(each), NAMES, 53, protocol) for protocol in ("TCP", "UDP")):
            yield f"{each} cannot look up a name"


def _needed(objects: list[Object]) -> Iterator[tuple[Peer, Peer, int]]:
    for page, name, port in calls(objects):
        service = named(objects, "Service", name)
        if service["spec"].get("type") == "ExternalName":
            yield peer(page), _gateway(service), port
        for target in behind(objects, service):
            yield peer(page), peer(target), port
    for route in of(objects, "HTTPRoute"):
        for reference in (each for rule in route["spec"]["rules"] for each in rule["backendRefs"]):
            for target in behind(objects, named(objects, "Service", reference["name"])):
                yield GATEWAY, peer(target), reference["port"]
    for service in of(objects, "Service"):
        for target in behind(objects, service):
            if target.is_page:
                yield GATEWAY, peer(target), 7860
            if METRICS.items() <= service["metadata"]["labels"].items():
                yield PROMETHEUS, peer(target), service["spec"]["ports"][0]["port"]


def _gateway(service: Object) -> Peer:
    return Peer(service["spec"]["externalName"].split(".")[1], namespace_labels={"spaceport-gateway": "true"})


def closed(objects: list[Object]) -> Iterator[str]:
    """What has no business with one another is kept apart."""
    everyone = workloads(objects)
    chroma = workload(objects, "chroma")
    for each in everyone:
        for port in {other["containerPort"] for one in everyone for other in one.main["ports"]}:
            if allowed(objects, STRANGER, peer(each), port):
                yield f"anybody in the cluster reaches {each} on {port}"
        if each.name != "chat" and _passes(objects, peer(chroma), peer(each), 8000, "TCP", "Ingress"):
            yield f"{each} is let in to what visitors uploaded"
        if allowed(objects, peer(each), OTHER_SYSTEM, 443) or allowed(objects, peer(each), STRANGER, 80):
            yield f"{each} wanders about the cluster"
        fetches = bool(each.pod.get("initContainers"))
        if allowed(objects, peer(each), INTERNET, 443) is not fetches:
            yield f"{each} {'cannot fetch its model' if fetches else 'reaches the internet'}"


CHECKS = (covered, reachable, closed)
