"""Writes what Compose, Kubernetes and the gateway need for the models in models.toml."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from string import Template
from typing import Any

from containers.images import ROOT
from containers.models.table import FILE, Model, read_models, service_names

TEMPLATES = Path(__file__).parent
HEADER = "# Written by `python -m containers models` from containers/models.toml; do not edit.\n"
COMPOSE, COMPOSE_CATALOG = "containers/compose/models.yaml", "containers/compose/models-gateway.toml"
MANIFESTS, CLUSTER_CATALOG = "k8s/overlays/models/deployments/models.yaml", "k8s/overlays/models/backends.toml"
# The targets that the gateway has without these models.
OTHER_TARGETS = {
    COMPOSE_CATALOG: "containers/compose/gateway.toml",
    CLUSTER_CATALOG: "k8s/overlays/gateway/gateway/backends.toml",
}


def write_files(root: Path = ROOT, models: Path = FILE) -> list[Path]:
    """Write the files of all models below `root`, and return their paths."""
    for name, text in render(models.read_text(), root).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [root / name for name in (COMPOSE, COMPOSE_CATALOG, MANIFESTS, CLUSTER_CATALOG)]


def render(table: str, root: Path = ROOT) -> dict[str, str]:
    """Return the text of each file for the text of a models.toml."""
    others = {file: (root / name).read_text() for file, name in OTHER_TARGETS.items()}
    models = read_models(table, service_names().union(*map(tomllib.loads, others.values())))
    service, manifests = (Template((TEMPLATES / name).read_text()) for name in ("service.yaml", "manifests.yaml"))
    texts = {
        COMPOSE: HEADER + (TEMPLATES / "compose.yaml").read_text() + _substitute(service, map(_compose, models)),
        MANIFESTS: HEADER + _substitute(manifests, map(_cluster, models)),
    }
    for file, text in others.items():
        texts[file] = "\n".join([HEADER + text, *map(_target, models)])
    return texts


def _substitute(template: Template, values: Iterable[dict[str, Any]]) -> str:
    return "".join(template.substitute(each) for each in values)


def _compose(model: Model) -> dict[str, Any]:
    """The values of the template for Compose."""
    settings = model.settings
    ours = f"${{SPACEPORT_REGISTRY:-}}{settings.image}:${{SPACEPORT_TAG:-dev}}"
    return {
        "name": model.name,
        "image": ours if model.is_ours else settings.image,
        "command": f"\n    command: {_literal(settings.args)}" if settings.args else "",
        "environment": _literal(settings.environment),
        "networks": _flow(["pages", "inside"] if settings.internet else ["inside"]),
        "test": f"test: {_literal(['CMD', *settings.probe])}, " if settings.probe else "",
        "memory": f"{round(settings.memory_gb * 1024)}m",
        "disk": f"{round(settings.disk_gb * 1024)}m",
        "cpus": f"{settings.cpus:g}",
    }


def _cluster(model: Model) -> dict[str, Any]:
    """The values of the template for Kubernetes."""
    settings = model.settings
    return {
        "name": model.name,
        "image": settings.image,
        "args": f"\n          args: {_literal(settings.args)}" if settings.args else "",
        "environment": _literal([{"name": name, "value": value} for name, value in settings.environment.items()]),
        "internet": json.dumps(str(settings.internet).lower()),
        "port": settings.port,
        "ready": model.ready,
        "cpus": f"{round(settings.cpus * 1000)}m",
        "memory": f"{round(settings.memory_gb * 1024)}Mi",
        "disk": f"{round(settings.disk_gb * 1024)}Mi",
    }


def _target(model: Model) -> str:
    """The block of a model in the gateway's catalogue."""
    settings = model.settings
    fields = {
        "kind": "openai",
        "label": f"{model.name} · {settings.image.rpartition('/')[2].partition(':')[0]}",
        "url": f"http://{model.name}:{settings.port}/v1",
        "price": settings.price,
        **({"model": settings.model} if settings.model else {}),
    }
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "\n".join([f"[{model.name}]", *lines, ""])


def _literal(value: Any) -> str:
    """A value as YAML on one line, in which Compose and Kubernetes replace no variables: they read $$ as $."""
    return _flow(value).replace("$", "$$")


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    return json.dumps(value, ensure_ascii=False)
