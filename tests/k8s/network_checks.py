"""Checks of allowed connections, evaluated from the NetworkPolicies as a cluster's network does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.k8s.consistency_checks import service_calls
from tests.k8s.objects import (
    METRICS_LABEL,
    Object,
    Workload,
    get_object,
    get_workload,
    matches,
    of_kind,
    service_targets,
    workloads,
)


@dataclass(frozen=True, slots=True)
class Peer:
    """One end of a connection: the labels of a pod and of its namespace."""

    namespace: str
    labels: dict[str, str] = field(default_factory=dict)
    namespace_labels: dict[str, str] = field(default_factory=dict)
    internet: bool = False  # an address outside the cluster

    @property
    def all_namespace_labels(self) -> dict[str, str]:
        return {"kubernetes.io/metadata.name": self.namespace} | self.namespace_labels


STRANGER = Peer("elsewhere", {"app.kubernetes.io/component": "page", "app.kubernetes.io/name": "chat"})
PROMETHEUS = Peer("monitoring")
GATEWAY = Peer("ingress", namespace_labels={"spaceport-gateway": "true"})
DNS = Peer("kube-system", {"k8s-app": "kube-dns"})
OTHER_SYSTEM = Peer("kube-system", {"k8s-app": "metrics-server"})
INTERNET = Peer("", internet=True)


def peer(workload: Workload) -> Peer:
    return Peer(workload.namespace, workload.labels)


def is_allowed(objects: list[Object], source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
    """Whether policies allow a connection both at its source and at its target."""
    egress = _passes(objects, source, target, port, protocol, "Egress")
    return egress and _passes(objects, target, source, port, protocol, "Ingress")


def _passes(objects: list[Object], own: Peer, other: Peer, port: int, protocol: str, direction: str) -> bool:
    """Without a policy for the pod and the direction everything passes; otherwise what one of the policies allows."""
    policies = [
        policy
        for policy in of_kind(objects, "NetworkPolicy")
        if policy["metadata"]["namespace"] == own.namespace
        and direction in policy["spec"]["policyTypes"]
        and matches(policy["spec"]["podSelector"], own.labels)
    ]
    if not policies:
        return True
    rules = [rule for policy in policies for rule in policy["spec"].get(direction.lower(), [])]
    return any(_rule_allows(rule, own, other, port, protocol, direction) for rule in rules)


def _rule_allows(rule: Object, own: Peer, other: Peer, port: int, protocol: str, direction: str) -> bool:
    ports = rule.get("ports", [])
    if ports and not any(each["port"] == port and each.get("protocol", "TCP") == protocol for each in ports):
        return False
    peers = rule.get("from" if direction == "Ingress" else "to", [])
    return not peers or any(_peer_matches(each, own, other) for each in peers)


def _peer_matches(rule: Object, own: Peer, other: Peer) -> bool:
    if "ipBlock" in rule:
        return other.internet and rule["ipBlock"]["cidr"] == "0.0.0.0/0"
    if other.internet:
        return False
    selector = rule.get("namespaceSelector")
    if selector is None:
        in_namespace = other.namespace == own.namespace
    else:
        in_namespace = matches(selector, other.all_namespace_labels)
    return in_namespace and matches(rule.get("podSelector", {}), other.labels)


def default_deny(objects: list[Object]) -> Iterator[str]:
    """A default policy denies everything, and another one allows exactly the ports of each pod."""
    for workload in workloads(objects):
        specs = [
            policy["spec"]
            for policy in of_kind(objects, "NetworkPolicy")
            if policy["metadata"]["namespace"] == workload.namespace
            and matches(policy["spec"]["podSelector"], workload.labels)
        ]
        denied = {direction for spec in specs if spec["podSelector"] == {} for direction in spec["policyTypes"]}
        if denied != {"Ingress", "Egress"}:
            yield f"{workload} has a default policy only for {sorted(denied)}"
        ports = {port["port"] for spec in specs for rule in spec.get("ingress", []) for port in rule["ports"]}
        if ports != {port["containerPort"] for port in workload.main["ports"]}:
            yield f"{workload} is reachable on {sorted(ports)}"


def required_connections(objects: list[Object]) -> Iterator[str]:
    """All connections that the system needs are allowed."""
    for source, target, port in _connections(objects):
        if not is_allowed(objects, source, target, port):
            yield f"{source} cannot reach {target} on {port}"
    for workload in workloads(objects):
        if not all(is_allowed(objects, peer(workload), DNS, 53, protocol) for protocol in ("TCP", "UDP")):
            yield f"{workload} cannot resolve names"


def _connections(objects: list[Object]) -> Iterator[tuple[Peer, Peer, int]]:
    for page, name, port in service_calls(objects):
        service = get_object(objects, "Service", name)
        if service["spec"].get("type") == "ExternalName":
            yield peer(page), _gateway(service), port
        for target in service_targets(objects, service):
            yield peer(page), peer(target), port
    for route in of_kind(objects, "HTTPRoute"):
        for reference in (each for rule in route["spec"]["rules"] for each in rule["backendRefs"]):
            for target in service_targets(objects, get_object(objects, "Service", reference["name"])):
                yield GATEWAY, peer(target), reference["port"]
    for service in of_kind(objects, "Service"):
        for target in service_targets(objects, service):
            if target.is_page:
                yield GATEWAY, peer(target), 7860
            if METRICS_LABEL.items() <= service["metadata"]["labels"].items():
                yield PROMETHEUS, peer(target), service["spec"]["ports"][0]["port"]


def _gateway(service: Object) -> Peer:
    return Peer(service["spec"]["externalName"].split(".")[1], namespace_labels={"spaceport-gateway": "true"})


def forbidden_connections(objects: list[Object]) -> Iterator[str]:
    """Connections that the system doesn't need are denied."""
    everyone = workloads(objects)
    chroma = get_workload(objects, "chroma")
    ports = {port["containerPort"] for workload in everyone for port in workload.main["ports"]}
    for workload in everyone:
        for port in ports:
            if is_allowed(objects, STRANGER, peer(workload), port):
                yield f"any pod in the cluster reaches {workload} on {port}"
        if workload.name != "chat" and _passes(objects, peer(chroma), peer(workload), 8000, "TCP", "Ingress"):
            yield f"{workload} can read what visitors uploaded"
        if is_allowed(objects, peer(workload), OTHER_SYSTEM, 443) or is_allowed(objects, peer(workload), STRANGER, 80):
            yield f"{workload} reaches other pods in the cluster"
        downloads = bool(workload.pod.get("initContainers")) or workload.labels.get("spaceport-internet") == "true"
        if is_allowed(objects, peer(workload), INTERNET, 443) is not downloads:
            yield f"{workload} {'cannot download its model' if downloads else 'reaches the internet'}"


CHECKS = (default_deny, required_connections, forbidden_connections)
