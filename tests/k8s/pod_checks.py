"""Checks of pod security, images, resources and volumes. Each check yields one line per problem."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.k8s.objects import Object, Workload, environment, get_object, of_kind, quantity, workloads

VOLUME_TYPES = {"configMap", "secret", "emptyDir", "persistentVolumeClaim"}  # the ones we use of those in `restricted`
SECRETS = {
    "spaceport-keys",
    "spaceport-hub",
    "spaceport-gateway",
}  # created by hand or by an external store; see k8s/README.md
RESOURCES = ("cpu", "memory", "ephemeral-storage")


def pod_security(objects: list[Object]) -> Iterator[str]:
    """Namespace and pods follow the pod security standard `restricted`, and containers write only to volumes."""
    for namespace in of_kind(objects, "Namespace"):
        name = namespace["metadata"]["name"]
        level = namespace["metadata"]["labels"].get("pod-security.kubernetes.io/enforce")
        if level != "restricted" and any(workload.namespace == name for workload in workloads(objects)):
            yield f"the namespace {name} admits any pod"
    for workload in workloads(objects):
        pod, context = workload.pod, workload.pod.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            yield f"{workload} could run as root"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{workload} has no seccomp profile"
        if {"hostNetwork", "hostPID", "hostIPC"} & pod.keys():
            yield f"{workload} shares a namespace with the node"
        for volume in pod.get("volumes", []):
            if not volume.keys() - {"name"} <= VOLUME_TYPES:
                yield f"{workload} mounts {volume}"
        for container in workload.containers:
            yield from _check_context(f"{workload} {container['name']}", container.get("securityContext", {}))


def _check_context(name: str, context: Object) -> Iterator[str]:
    expected = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    if context != expected:
        yield f"{name} has the context {context}"


def injected_data(objects: list[Object]) -> Iterator[str]:
    """Pods get no API token and no variables of Services."""
    for workload in workloads(objects):
        if workload.pod.get("automountServiceAccountToken") is not False:
            yield f"{workload} gets a token"
        if workload.pod.get("enableServiceLinks") is not False:
            yield f"{workload} gets variables of Services"
    for account in of_kind(objects, "ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"the account {account['metadata']['name']} gives pods its token"


def image_tags(objects: list[Object]) -> Iterator[str]:
    """Every image has an exact version as its tag."""
    for workload in workloads(objects):
        for container in workload.containers:
            # PostgreSQL's versions have two numbers; one image has its device before the version.
            if not re.search(r":(?:cpu-|v)?\d+\.\d+(\.\d+)?(@sha256:[0-9a-f]{64})?$", container["image"]):
                yield f"{workload} runs {container['image']}"


def resources(objects: list[Object]) -> Iterator[str]:
    """Each container has requests and limits, and volumes on the node's disk fit in them."""
    for workload in workloads(objects):
        for container in workload.containers:
            sizes = container.get("resources", {})
            for name in RESOURCES:
                request, limit = (sizes.get(kind, {}).get(name) for kind in ("requests", "limits"))
                if request is None or limit is None:
                    yield f"{workload} {container['name']} has no request or limit of {name}"
                elif quantity(request) > quantity(limit):
                    yield f"{workload} {container['name']} requests more {name} than its limit"
        yield from _check_volume_sizes(workload)


def _check_volume_sizes(workload: Workload) -> Iterator[str]:
    volumes = [volume for volume in workload.pod.get("volumes", []) if "emptyDir" in volume]
    if unlimited := [volume["name"] for volume in volumes if "sizeLimit" not in volume["emptyDir"]]:
        yield f"{workload} can fill the node's disk with {unlimited}"
        return
    limits = workload.main.get("resources", {}).get("limits", {})
    for medium, resource in (("", "ephemeral-storage"), ("Memory", "memory")):
        folders = [volume["emptyDir"] for volume in volumes if volume["emptyDir"].get("medium", "") == medium]
        if sum(quantity(folder["sizeLimit"]) for folder in folders) > quantity(limits.get(resource, 0)):
            yield f"{workload} would be evicted before its volumes are full: {resource}"


def mounts(objects: list[Object]) -> Iterator[str]:
    """Each mount has a volume, and every container can write to /tmp."""
    for workload in workloads(objects):
        volumes = {volume["name"] for volume in workload.pod.get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in workload.spec.get("volumeClaimTemplates", [])}
        for container in workload.containers:
            container_mounts = container.get("volumeMounts", [])
            for mount in container_mounts:
                if mount["name"] not in volumes:
                    yield f"{workload} mounts {mount['name']}, which is not one of its volumes"
            if "/tmp" not in {mount["mountPath"] for mount in container_mounts if not mount.get("readOnly")}:
                yield f"{workload} {container['name']} cannot write to /tmp"


def secrets(objects: list[Object]) -> Iterator[str]:
    """Secrets have no values in the repository, and reach containers as files, never as variables."""
    for item in of_kind(objects, "Secret"):
        yield f"Secret/{item['metadata']['name']} has values"
    for workload in workloads(objects):
        for volume in workload.pod.get("volumes", []):
            if "secret" in volume and volume["secret"]["secretName"] not in SECRETS:
                yield f"{workload} uses the Secret {volume['secret']['secretName']}, which is not documented"
        for container in workload.containers:
            yield from _check_variables(f"{workload} {container['name']}", container, objects)


def _check_variables(name: str, container: Object, objects: list[Object]) -> Iterator[str]:
    mount_paths = tuple(mount["mountPath"] + "/" for mount in container.get("volumeMounts", []))
    for variable, value in environment(objects, container).items():
        if re.search(r"KEY|PASSWORD|TOKEN|SECRET", variable) and not re.search(r"_(FILE|PATH)$", variable):
            yield f"{name} has {variable} in its environment"
        if re.search(r"_(FILE|PATH)$", variable) and not value.startswith(mount_paths):
            yield f"{name} reads {variable} from {value}, where nothing is mounted"
    if any("secretKeyRef" in item.get("valueFrom", {}) for item in container.get("env", [])):
        yield f"{name} has a secret in its environment"


def config_maps(objects: list[Object]) -> Iterator[str]:
    """Every ConfigMap that a pod uses exists."""
    for workload in workloads(objects):
        names = [volume["configMap"]["name"] for volume in workload.pod.get("volumes", []) if "configMap" in volume]
        for container in workload.containers:
            names += [source["configMapRef"]["name"] for source in container.get("envFrom", [])]
        for name in names:
            try:
                get_object(objects, "ConfigMap", name)
            except LookupError as error:
                yield f"{workload}: {error}"


CHECKS = (pod_security, injected_data, image_tags, resources, mounts, secrets, config_maps)
