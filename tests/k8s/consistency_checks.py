"""Checks that names, labels and ports are equal across objects. Each check yields one line per problem."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.k8s.objects import (
    CLUSTER_SCOPED,
    METRICS_LABEL,
    Object,
    Workload,
    environment,
    get_object,
    matches,
    metadata,
    of_kind,
    service_targets,
    workloads,
)

LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/part-of")


def labels(objects: list[Object]) -> Iterator[str]:
    """Every object has the recommended labels and an existing namespace."""
    namespaces = {item["metadata"]["name"] for item in of_kind(objects, "Namespace")}
    for name, meta in metadata(objects):
        if name.partition("/")[0] not in CLUSTER_SCOPED and meta.get("namespace") not in namespaces:
            yield f"{name} is in the namespace {meta.get('namespace')}"
        if meta.get("labels", {}).get("app.kubernetes.io/part-of") != "spaceport":
            yield f"{name} has no label part-of"
    for workload in workloads(objects):
        if missing := [label for label in LABELS if label not in workload.labels]:
            yield f"{workload} has pods without {missing}"


def selectors(objects: list[Object]) -> Iterator[str]:
    """Each workload selects its own pods and no others."""
    for workload in workloads(objects):
        for other in workloads(objects):
            if matches(workload.spec["selector"], other.labels) is not (workload.name == other.name):
                yield f"{workload} selects the pods of {other}, or not its own"


def services(objects: list[Object]) -> Iterator[str]:
    """Each Service leads to an open port of every pod that it selects; each workload has a Service."""
    served: set[str] = set()
    names = {service["metadata"]["name"] for service in of_kind(objects, "Service")}
    for service in of_kind(objects, "Service"):
        name, spec = f"Service/{service['metadata']['name']}", service["spec"]
        if spec.get("type") == "ExternalName":
            yield from _gateway_alias(objects, name, service)
            continue
        targets = service_targets(objects, service)
        served |= {target.name for target in targets}
        if not targets:
            yield f"{name} selects no pods"
        for port in spec["ports"]:
            for target in targets:
                if target.port(port.get("targetPort", port["port"])) is None:
                    yield f"{name} leads to the port {port.get('targetPort')} of {target}, which doesn't exist"
    for workload in workloads(objects):
        if workload.name not in served:
            yield f"{workload} has no Service"
        governing = workload.spec.get("serviceName")
        if governing and governing not in names:
            yield f"{workload} has the governing Service {governing}, which doesn't exist"


def _gateway_alias(objects: list[Object], name: str, service: Object) -> Iterator[str]:
    """An ExternalName must start with a Gateway's name, in the Gateway's namespace."""
    host, namespace = service["spec"]["externalName"].split(".")[:2]
    gateways = {
        (item["metadata"]["name"], item["metadata"]["namespace"]): item["spec"] for item in of_kind(objects, "Gateway")
    }
    specs = (gateways[key] for key in gateways if f"{host}-".startswith(f"{key[0]}-") and key[1] == namespace)
    spec = next(specs, None)
    if spec is None:
        yield f"{name} is an alias for {host} in {namespace}, where there is no Gateway"
    elif not {port["port"] for port in service["spec"]["ports"]} <= {each["port"] for each in spec["listeners"]}:
        yield f"{name} has a port without a listener of the Gateway"


def session_affinity(objects: list[Object]) -> Iterator[str]:
    """Requests of one visitor reach the same page replica for longer than the replica keeps the visitor's data."""
    for service in of_kind(objects, "Service"):
        if any(workload.is_page for workload in service_targets(objects, service)):
            seconds = service["spec"].get("sessionAffinityConfig", {}).get("clientIP", {}).get("timeoutSeconds", 0)
            if service["spec"].get("sessionAffinity") != "ClientIP" or seconds <= 3600:
                yield f"Service/{service['metadata']['name']} sends a visitor to several replicas"


def service_accounts(objects: list[Object]) -> Iterator[str]:
    """Each workload has its own service account."""
    accounts = {item["metadata"]["name"] for item in of_kind(objects, "ServiceAccount")}
    in_use = [workload.pod.get("serviceAccountName") for workload in workloads(objects)]
    if set(in_use) != accounts or len(in_use) != len(set(in_use)):
        yield f"the accounts are {sorted(accounts)}, but pods use {in_use}"


def scraping(objects: list[Object]) -> Iterator[str]:
    """Prometheus scrapes every model server and gateway once, with labels that distinguish releases."""
    metrics_services = [
        service
        for service in of_kind(objects, "Service")
        if METRICS_LABEL.items() <= service["metadata"]["labels"].items()
    ]
    for workload in workloads(objects):
        own = [service for service in metrics_services if workload in service_targets(objects, service)]
        if len(own) != (workload.is_model_server or workload.is_gateway):
            yield f"{workload} is scraped {len(own)} times"
        for service in own:
            if service["metadata"]["labels"]["app.kubernetes.io/name"] != workload.labels["app.kubernetes.io/name"]:
                yield f"{workload} is scraped with another job's name"
    for monitor in of_kind(objects, "ServiceMonitor"):
        yield from _check_monitor(monitor["spec"], metrics_services)


def _check_monitor(spec: Object, metrics_services: list[Object]) -> Iterator[str]:
    if not all(matches(spec["selector"], service["metadata"]["labels"]) for service in metrics_services):
        yield "the ServiceMonitor doesn't select the Services"
    ports = {port["name"] for service in metrics_services for port in service["spec"]["ports"]}
    if {endpoint["port"] for endpoint in spec["endpoints"]} != ports:
        yield f"the ServiceMonitor scrapes other ports than {sorted(ports)}"
    if spec.get("jobLabel") != "app.kubernetes.io/name" or spec.get("podTargetLabels") != ["track", "slot"]:
        yield "the ServiceMonitor doesn't distinguish jobs or releases"


def routes(objects: list[Object]) -> Iterator[str]:
    """Each route has an existing Gateway as its parent and leads to existing Services."""
    for route in of_kind(objects, "HTTPRoute"):
        name = f"HTTPRoute/{route['metadata']['name']}"
        for parent in route["spec"]["parentRefs"]:
            gateways = [item for item in of_kind(objects, "Gateway") if item["metadata"]["name"] == parent["name"]]
            if [gateway["metadata"]["namespace"] for gateway in gateways] != [parent.get("namespace")]:
                yield f"{name} has the parent {parent}, which doesn't exist"
        for rule in route["spec"]["rules"]:
            if sum(reference["weight"] for reference in rule["backendRefs"]) != 100:
                yield f"{name} has weights that don't add up to 100"
            for reference in rule["backendRefs"]:
                yield from _check_backend(objects, name, reference)


def _check_backend(objects: list[Object], name: str, reference: Object) -> Iterator[str]:
    try:
        service = get_object(objects, "Service", reference["name"])
    except LookupError as error:
        yield f"{name}: {error}"
        return
    if reference["port"] not in {port["port"] for port in service["spec"]["ports"]}:
        yield f"{name} leads to a port that {reference['name']} doesn't have"


def references(objects: list[Object]) -> Iterator[str]:
    """The Services and ports in the catalogues and settings of the pages and of the gateway exist."""
    for page, service, port in service_calls(objects):
        try:
            ports = {each["port"] for each in get_object(objects, "Service", service)["spec"]["ports"]}
        except LookupError as error:
            yield f"{page}: {error}"
            continue
        if port not in ports:
            yield f"{page} calls the port {port} of {service}, which has {sorted(ports)}"


def service_calls(objects: list[Object]) -> Iterator[tuple[Workload, str, int]]:
    """Each page and gateway with the Services and ports that it calls, from its catalogue and its settings."""
    for caller in (workload for workload in workloads(objects) if workload.is_page or workload.is_gateway):
        variables = environment(objects, caller.main)
        urls = [variables[name] for name in ("SPACEPORT_CHROMA_URL", "SPACEPORT_REDIS_URL") if name in variables]
        for target in catalogue(objects, caller).values():
            urls += [target["url"]] if "url" in target else []
            if name := _expand(target.get("service", ""), variables):
                yield caller, name, target["port"]
        for address in map(urlsplit, urls):
            yield caller, str(address.hostname), int(address.port or 0)


def catalogue(objects: list[Object], page: Workload) -> dict[str, Any]:
    """A page's targets, from the file that SPACEPORT_CATALOG names."""
    folder, _, file = environment(objects, page.main)["SPACEPORT_CATALOG"].rpartition("/")
    (mount,) = [mount for mount in page.main["volumeMounts"] if mount["mountPath"] == folder]
    (volume,) = [volume for volume in page.pod["volumes"] if volume["name"] == mount["name"]]
    return tomllib.loads(get_object(objects, "ConfigMap", volume["configMap"]["name"])["data"][file])


def _expand(text: str, variables: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: variables.get(match[1], ""), text)


CHECKS = (labels, selectors, services, session_affinity, service_accounts, scraping, routes, references)
