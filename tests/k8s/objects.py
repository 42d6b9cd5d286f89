"""Typed access to rendered manifests: workloads with their pods, Services and settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
WORKLOAD_KINDS = ("Deployment", "StatefulSet")
CLUSTER_SCOPED = ("Namespace",)
METRICS_LABEL = {"spaceport-metrics": "true"}
_UNITS = {"m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment or StatefulSet."""

    manifest: Object

    def __str__(self) -> str:
        return f"{self.manifest['kind']}/{self.name}"

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def spec(self) -> Object:
        return dict(self.manifest["spec"])

    @property
    def pod(self) -> Object:
        """The pod's spec."""
        return dict(self.manifest["spec"]["template"]["spec"])

    @property
    def labels(self) -> dict[str, str]:
        """The pod's labels."""
        return dict(self.manifest["spec"]["template"]["metadata"]["labels"])

    @property
    def namespace(self) -> str:
        return str(self.manifest["metadata"]["namespace"])

    @property
    def is_page(self) -> bool:
        return self.labels.get("app.kubernetes.io/component") == "page"

    @property
    def is_model_server(self) -> bool:
        return self.labels.get("app.kubernetes.io/component") == "model-server"

    @property
    def is_gateway(self) -> bool:
        return self.labels.get("app.kubernetes.io/component") == "gateway"

    @property
    def main(self) -> Object:
        """The only container besides init containers."""
        (container,) = self.pod["containers"]
        return dict(container)

    @property
    def containers(self) -> list[Object]:
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    def port(self, key: str | int) -> int | None:
        """The number of a port, by name or number; None if the container doesn't have it."""
        ports = {port["name"]: port["containerPort"] for port in self.main.get("ports", [])}
        return ports.get(key) if isinstance(key, str) else key if key in ports.values() else None


def of_kind(objects: list[Object], kind: str) -> list[Object]:
    return [item for item in objects if item["kind"] == kind]


def get_object(objects: list[Object], kind: str, name: str) -> Object:
    """The object with this kind and name; `LookupError` lists the names that exist."""
    by_name = {item["metadata"]["name"]: item for item in of_kind(objects, kind)}
    if name not in by_name:
        raise LookupError(f"There is no {kind} {name!r}, but {sorted(by_name)}.")
    return by_name[name]


def workloads(objects: list[Object]) -> list[Workload]:
    return [Workload(item) for item in objects if item["kind"] in WORKLOAD_KINDS]


def get_workload(objects: list[Object], name: str) -> Workload:
    return next(workload for workload in workloads(objects) if workload.name == name)


def workloads_of_image(objects: list[Object], image: str) -> list[Workload]:
    return [workload for workload in workloads(objects) if workload.main["image"].startswith(f"{image}:")]


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector selects these labels; an empty one selects everything, None nothing."""
    if selector is None:
        return False
    pairs = selector.get("matchLabels", {}).items()
    expressions = selector.get("matchExpressions", [])
    return pairs <= labels.items() and all(_expression_matches(expression, labels) for expression in expressions)


def _expression_matches(expression: Object, labels: Mapping[str, str]) -> bool:
    value, operator = labels.get(expression["key"]), expression["operator"]
    if operator == "In":
        return value in expression["values"]
    if operator == "NotIn":
        return value not in expression["values"]
    return (value is not None) is (operator == "Exists")


def service_targets(objects: list[Object], service: Object) -> list[Workload]:
    """The workloads whose pods a Service selects."""
    selector = service["spec"].get("selector")
    return [workload for workload in workloads(objects) if selector and selector.items() <= workload.labels.items()]


def environment(objects: list[Object], container: Object) -> dict[str, str]:
    """The container's environment variables, without those from Secrets."""
    variables: dict[str, str] = {}
    for source in container.get("envFrom", []):
        variables |= get_object(objects, "ConfigMap", source["configMapRef"]["name"])["data"]
    return variables | {item["name"]: item["value"] for item in container.get("env", []) if "value" in item}


def command_line(objects: list[Object], container: Object) -> list[str]:
    """The container's command and arguments, with $(NAME) replaced as the kubelet does it."""
    words = [*container.get("command", []), *container.get("args", [])]
    for name, value in environment(objects, container).items():
        words = [word.replace(f"$({name})", value) for word in words]
    return words


def quantity(text: Any) -> float:
    """A Kubernetes quantity, such as 500m or 2Gi, as a number."""
    text = str(text)
    digits = text.rstrip("mkMGiK")
    return float(digits) * _UNITS[text[len(digits) :]]


def metadata(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Each object's kind and name, and its metadata."""
    for item in objects:
        yield f"{item['kind']}/{item['metadata']['name']}", item["metadata"]
