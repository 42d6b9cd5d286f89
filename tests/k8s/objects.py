"""Rendered manifests, looked at as what they make: workloads with their pods, Services, settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
WORKLOADS = ("Deployment", "StatefulSet")
CLUSTERWIDE = ("Namespace",)
METRICS = {"spaceport-metrics": "true"}
_UNITS = {"m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment or StatefulSet, and the pods that it makes."""

    whole: Object

    def __str__(self) -> str:
        return f"{self.whole['kind']}/{self.name}"

    @property
    def name(self) -> str:
        return str(self.whole["metadata"]["name"])

    @property
    def spec(self) -> Object:
        return dict(self.whole["spec"])

    @property
    def pod(self) -> Object:
        return dict(self.whole["spec"]["template"]["spec"])

    @property
    def labels(self) -> dict[str, str]:
        """Those of its pods."""
        return dict(self.whole["spec"]["template"]["metadata"]["labels"])

    @property
    def namespace(self) -> str:
        return str(self.whole["metadata"]["namespace"])

    @property
    def is_page(self) -> bool:
        return self.labels.get("app.kubernetes.io/component") == "page"

    @property
    def is_model_server(self) -> bool:
        return self.labels.get("app.kubernetes.io/component") == "model-server"

    @property
    def main(self) -> Object:
        """Its container; there is one, beside those that run before it."""
        (container,) = self.pod["containers"]
        return dict(container)

    @property
    def containers(self) -> list[Object]:
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    def port(self, named: str | int) -> int | None:
        """The number of one of its ports, by name or by number."""
        ports = {port["name"]: port["containerPort"] for port in self.main.get("ports", [])}
        return ports.get(named) if isinstance(named, str) else named if named in ports.values() else None


def of(objects: list[Object], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def named(objects: list[Object], kind: str, name: str) -> Object:
    """The one of that kind and name; `LookupError` says which there are."""
    found = {each["metadata"]["name"]: each for each in of(objects, kind)}
    if name not in found:
        raise LookupError(f"There is no {kind} {name!r}, but {sorted(found)}.")
    return found[name]


def workloads(objects: list[Object]) -> list[Workload]:
    return [Workload(each) for each in objects if each["kind"] in WORKLOADS]


def workload(objects: list[Object], name: str) -> Workload:
    return next(each for each in workloads(objects) if each.name == name)


def of_image(objects: list[Object], image: str) -> list[Workload]:
    return [each for each in workloads(objects) if each.main["image"].startswith(f"{image}:")]


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector picks these labels; an empty one picks everything, None nothing."""
    if selector is None:
        return False
    pairs = selector.get("matchLabels", {}).items()
    return pairs <= labels.items() and all(_expression(each, labels) for each in selector.get("matchExpressions", []))


def _expression(expression: Object, labels: Mapping[str, str]) -> bool:
    value, operator = labels.get(expression["key"]), expression["operator"]
    if operator == "In":
        return value in expression["values"]
    if operator == "NotIn":
        return value not in expression["values"]
    return (value is not None) is (operator == "Exists")


def behind(objects: list[Object], service: Object) -> list[Workload]:
    """The workloads whose pods a Service sends to."""
    selector = service["spec"].get("selector")
    return [each for each in workloads(objects) if selector and selector.items() <= each.labels.items()]


def environment(objects: list[Object], container: Object) -> dict[str, str]:
    """What the container finds in its environment, but for what comes from a Secret."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= named(objects, "ConfigMap", source["configMapRef"]["name"])["data"]
    return found | {each["name"]: each["value"] for each in container.get("env", []) if "value" in each}


def expanded(objects: list[Object], container: Object) -> list[str]:
    """Its command and arguments, with $(NAME) replaced as the kubelet does it."""
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
    for each in objects:
        yield f"{each['kind']}/{each['metadata']['name']}", each["metadata"]
