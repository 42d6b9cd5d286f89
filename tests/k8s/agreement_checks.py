"""Names, labels and ports that have to be the same in several objects. Each check gives a line for what is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from tests.k8s.objects import (
    CLUSTERWIDE,
    METRICS,
    Object,
    Workload,
    behind,
    environment,
    matches,
    metadata,
    named,
    of,
    workloads,
)

LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/part-of")


def labelled(objects: list[Object]) -> Iterator[str]:
    """The recommended labels, and a namespace that is there."""
    spaces = {each["metadata"]["name"] for each in of(objects, "Namespace")}
    for who, meta in metadata(objects):
        if who.partition("/")[0] not in CLUSTERWIDE and meta.get("namespace") not in spaces:
            yield f"{who} is in the namespace {meta.get('namespace')}"
        if meta.get("labels", {}).get("app.kubernetes.io/part-of") != "spaceport":
            yield f"{who} is part of nothing"
    for each in workloads(objects):
        if missing := [label for label in LABELS if label not in each.labels]:
            yield f"{each} has pods without {missing}"


def selected(objects: list[Object]) -> Iterator[str]:
    """Each workload picks its own pods, and nobody else's."""
    everyone = workloads(objects)
    for each in everyone:
        for other in everyone:
            if matches(each.spec["selector"], other.labels) is not (each is other):
                yield f"{each} picks the pods of {other}, or not its own"


def served(objects: list[Object]) -> Iterator[str]:
    """Each Service leads to a port that is open in each pod behind it; each workload has one."""
    found: set[str] = set()
    for service in of(objects, "Service"):
        who, spec = f"Service/{service['metadata']['name']}", service["spec"]
        if spec.get("type") == "ExternalName":
            yield from _leads_to_gateway(objects, who, service)
            continue
        targets = behind(objects, service)
        found |= {each.name for each in targets}
        if not targets:
            yield f"{who} leads nowhere"
        for port in spec["ports"]:
            for each in targets:
                if each.port(port.get("targetPort", port["port"])) is None:
                    yield f"{who} leads to the port {port.get('targetPort')} of {each}, which has none"
    for each in workloads(objects):
        if each.name not in found:
            yield f"{each} is behind no Service"
        governing = each.spec.get("serviceName")
        if governing and governing not in {service["metadata"]["name"] for service in of(objects, "Service")}:
            yield f"{each} is governed by {governing}, which is not there"


def _leads_to_gateway(objects: list[Object], who: str, service: Object) -> Iterator[str]:
    """The name of a Gateway's own Service begins with the Gateway's, in the Gateway's namespace."""
    name, space = service["spec"]["externalName"].split(".")[:2]
    gateways = {
        (each["metadata"]["name"], each["metadata"]["namespace"]): each["spec"] for each in of(objects, "Gateway")
    }
    spec = next((gateways[key] for key in gateways if f"{name}-".startswith(f"{key[0]}-") and key[1] == space), None)
    if spec is None:
        yield f"{who} is another name for {name} in {space}, where there is no Gateway"
    elif not {each["port"] for each in service["spec"]["ports"]} <= {each["port"] for each in spec["listeners"]}:
        yield f"{who} has a port on which the Gateway does not listen"


def sticky(objects: list[Object]) -> Iterator[str]:
    """A visitor's requests reach the replica that knows them, for longer than it remembers them."""
    for service in of(objects, "Service"):
        if any(each.is_page for each in behind(objects, service)):
            seconds = service["spec"].get("sessionAffinityConfig", {}).get("clientIP", {}).get("timeoutSeconds", 0)
            if service["spec"].get("sessionAffinity") != "ClientIP" or seconds <= 3600:
                yield f"Service/{service['metadata']['name']} sends a visitor from replica to replica"


def accounted(objects: list[Object]) -> Iterator[str]:
    """Each pod has an account of its own."""
    accounts = {each["metadata"]["name"] for each in of(objects, "ServiceAccount")}
    used = [each.pod.get("serviceAccountName") for each in workloads(objects)]
    if set(used) != accounts or len(used) != len(set(used)):
        yield f"the accounts are {sorted(accounts)}, and used are {used}"


def scraped(objects: list[Object]) -> Iterator[str]:
    """Prometheus sees every model server, once, with what tells releases apart."""
    services = [each for each in of(objects, "Service") if METRICS.items() <= each["metadata"]["labels"].items()]
    for each in workloads(objects):
        over = [service for service in services if each in behind(objects, service)]
        if len(over) != each.is_model_server:
            yield f"{each} is scraped {len(over)} times"
        for service in over:
            if service["metadata"]["labels"]["app.kubernetes.io/name"] != each.labels["app.kubernetes.io/name"]:
                yield f"{each} is scraped under another job's name"
    for monitor in of(objects, "ServiceMonitor"):
        spec = monitor["spec"]
        if not all(matches(spec["selector"], service["metadata"]["labels"]) for service in services):
            yield "the ServiceMonitor does not find the Services"
        ports = {port["name"] for service in services for port in service["spec"]["ports"]}
        if {endpoint["port"] for endpoint in spec["endpoints"]} != ports:
            yield f"the ServiceMonitor asks for other ports than {sorted(ports)}"
        if spec.get("jobLabel") != "app.kubernetes.io/name" or spec.get("podTargetLabels") != ["track", "slot"]:
            yield "the ServiceMonitor does not tell jobs or releases apart"


def routed(objects: list[Object]) -> Iterator[str]:
    """Each route hangs on a Gateway that lets it in, and leads to Services that are there."""
    for route in of(objects, "HTTPRoute"):
        who = f"HTTPRoute/{route['metadata']['name']}"
        for parent in route["spec"]["parentRefs"]:
            gateways = [each for each in of(objects, "Gateway") if each["metadata"]["name"] == parent["name"]]
            if [each["metadata"]["namespace"] for each in gateways] != [parent.get("namespace")]:
                yield f"{who} hangs on {parent}, which is not there"
        for rule in route["spec"]["rules"]:
            if sum(each["weight"] for each in rule["backendRefs"]) != 100:
                yield f"{who} has weights that are no shares of 100"
            for reference in rule["backendRefs"]:
                yield from _backend(objects, who, reference)


def _backend(objects: list[Object], who: str, reference: Object) -> Iterator[str]:
    try:
        service = named(objects, "Service", reference["name"])
    except LookupError as error:
        yield f"{who}: {error}"
        return
    if reference["port"] not in {port["port"] for port in service["spec"]["ports"]}:
        yield f"{who} leads to a port that {reference['name']} does not have"


def called(objects: list[Object]) -> Iterator[str]:
    """The Services that the pages' catalogue and settings name are there, with those ports."""
    for page, service, port in calls(objects):
        try:
            ports = {each["port"] for each in named(objects, "Service", service)["spec"]["ports"]}
        except LookupError as error:
            yield f"{page}: {error}"
            continue
        if port not in ports:
            yield f"{page} calls the port {port} of {service}, which has {sorted(ports)}"


def calls(objects: list[Object]) -> Iterator[tuple[Workload, str, int]]:
    """Who calls which Service on which port, from what the pages are told."""
    for page in (each for each in workloads(objects) if each.is_page):
        told = environment(objects, page.main)
        for target in catalogue(objects, page).values():
            if name := _expanded(target.get("service", ""), told):
                yield page, name, target["port"]
        if url := told.get("SPACEPORT_CHROMA_URL"):
            host, _, port = url.removeprefix("http://").partition(":")
            yield page, host, int(port)


def catalogue(objects: list[Object], page: Workload) -> dict[str, Any]:
    """The targets of a page, from the file that it finds where SPACEPORT_CATALOG says."""
    folder, _, file = environment(objects, page.main)["SPACEPORT_CATALOG"].rpartition("/")
    (mount,) = [each for each in page.main["volumeMounts"] if each["mountPath"] == folder]
    (volume,) = [each for each in page.pod["volumes"] if each["name"] == mount["name"]]
    return tomllib.loads(named(objects, "ConfigMap", volume["configMap"]["name"])["data"][file])


def _expanded(text: str, told: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda name: told.get(name[1], ""), text)


CHECKS = (labelled, selected, served, sticky, accounted, scraped, routed, called)
