"""What every pod is allowed, and what it is given. Each check gives a line for each thing that is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.k8s.objects import Object, Workload, environment, named, of, quantity, workloads

VOLUMES = {"configMap", "secret", "emptyDir", "persistentVolumeClaim"}  # of those that `restricted` allows
SECRETS = {"spaceport-keys", "spaceport-hub"}  # made by hand or by an external store; k8s/README.md says how
RESOURCES = ("cpu", "memory", "ephemeral-storage")


def confined(objects: list[Object]) -> Iterator[str]:
    """The pod security standard `restricted`, which the namespace asks for too, and nothing written but to volumes."""
    for space in of(objects, "Namespace"):
        level = space["metadata"]["labels"].get("pod-security.kubernetes.io/enforce")
        if level != "restricted" and any(each.namespace == space["metadata"]["name"] for each in workloads(objects)):
            yield f"the namespace {space['metadata']['name']} admits any pod"
    for each in workloads(objects):
        pod, context = each.pod, each.pod.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            yield f"{each} could run as root"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{each} has no seccomp profile"
        if {"hostNetwork", "hostPID", "hostIPC"} & pod.keys():
            yield f"{each} sees the node"
        for volume in pod.get("volumes", []):
            if not volume.keys() - {"name"} <= VOLUMES:
                yield f"{each} mounts {volume}"
        for container in each.containers:
            yield from _confined(f"{each} {container['name']}", container.get("securityContext", {}))


def _confined(who: str, context: Object) -> Iterator[str]:
    wanted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    if context != wanted:
        yield f"{who} has the context {context}"


def silent(objects: list[Object]) -> Iterator[str]:
    """No pod holds a token of the API server, or variables that Kubernetes makes of Services."""
    for each in workloads(objects):
        if each.pod.get("automountServiceAccountToken") is not False:
            yield f"{each} is given a token"
        if each.pod.get("enableServiceLinks") is not False:
            yield f"{each} gets variables of Services"
    for account in of(objects, "ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"the account {account['metadata']['name']} hands out its token"


def pinned(objects: list[Object]) -> Iterator[str]:
    """Every image says which version it is."""
    for each in workloads(objects):
        for container in each.containers:
            if not re.search(r":v?\d+\.\d+\.\d+$", container["image"]):
                yield f"{each} runs {container['image']}"


def limited(objects: list[Object]) -> Iterator[str]:
    """Requests and limits for each container, and volumes on the node's disk that fit into them."""
    for each in workloads(objects):
        for container in each.containers:
            sizes = container.get("resources", {})
            for name in RESOURCES:
                asked, most = (sizes.get(kind, {}).get(name) for kind in ("requests", "limits"))
                if asked is None or most is None:
                    yield f"{each} {container['name']} has no request or limit of {name}"
                elif quantity(asked) > quantity(most):
                    yield f"{each} {container['name']} asks for more {name} than it may have"
        yield from _volumes_fit(each)


def _volumes_fit(each: Workload) -> Iterator[str]:
    folders = [volume for volume in each.pod.get("volumes", []) if "emptyDir" in volume]
    if unbound := [volume["name"] for volume in folders if "sizeLimit" not in volume["emptyDir"]]:
        yield f"{each} may fill the node by {unbound}"
        return
    most = each.main.get("resources", {}).get("limits", {})
    for medium, resource in (("", "ephemeral-storage"), ("Memory", "memory")):
        held = [volume["emptyDir"] for volume in folders if volume["emptyDir"].get("medium", "") == medium]
        if sum(quantity(folder["sizeLimit"]) for folder in held) > quantity(most.get(resource, 0)):
            yield f"{each} would be evicted before its volumes are full: {resource}"


def mounted(objects: list[Object]) -> Iterator[str]:
    """Each mount has its volume, each volume its source, and /tmp can be written."""
    for each in workloads(objects):
        volumes = {volume["name"] for volume in each.pod.get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in each.spec.get("volumeClaimTemplates", [])}
        for container in each.containers:
            mounts = container.get("volumeMounts", [])
            for mount in mounts:
                if mount["name"] not in volumes:
                    yield f"{each} mounts {mount['name']}, which is no volume of it"
            if "/tmp" not in {mount["mountPath"] for mount in mounts if not mount.get("readOnly")}:
                yield f"{each} {container['name']} cannot write to /tmp"


def secret(objects: list[Object]) -> Iterator[str]:
    """No value of a secret is in the tree or in an environment: files of Secrets that somebody else makes."""
    for each in of(objects, "Secret"):
        yield f"Secret/{each['metadata']['name']} has values"
    for each in workloads(objects):
        for volume in each.pod.get("volumes", []):
            if "secret" in volume and volume["secret"]["secretName"] not in SECRETS:
                yield f"{each} wants the Secret {volume['secret']['secretName']}, of which nobody knows"
        for container in each.containers:
            yield from _no_secret_in(f"{each} {container['name']}", container, objects)


def _no_secret_in(who: str, container: Object, objects: list[Object]) -> Iterator[str]:
    places = tuple(mount["mountPath"] + "/" for mount in container.get("volumeMounts", []))
    for name, value in environment(objects, container).items():
        if re.search(r"KEY|PASSWORD|TOKEN|SECRET", name) and not re.search(r"_(FILE|PATH)$", name):
            yield f"{who} has {name} in its environment"
        if re.search(r"_(FILE|PATH)$", name) and not value.startswith(places):
            yield f"{who} looks for {name} in {value}, where nothing is mounted"
    if any("secretKeyRef" in each.get("valueFrom", {}) for each in container.get("env", [])):
        yield f"{who} has a secret in its environment"


def known_maps(objects: list[Object]) -> Iterator[str]:
    """Every ConfigMap that a pod names is there."""
    for each in workloads(objects):
        asked = [volume["configMap"]["name"] for volume in each.pod.get("volumes", []) if "configMap" in volume]
        asked += [source["configMapRef"]["name"] for each_ in each.containers for source in each_.get("envFrom", [])]
        for name in asked:
            try:
                named(objects, "ConfigMap", name)
            except LookupError as error:
                yield f"{each}: {error}"


CHECKS = (confined, silent, pinned, limited, mounted, secret, known_maps)
