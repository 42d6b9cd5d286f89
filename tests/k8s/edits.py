"""Edits of rendered manifests that simulate mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.k8s.objects import Object, get_object

Edit = Callable[[list[Object]], Any]


def _locate(objects: list[Object], kind: str, name: str, path: str) -> tuple[Any, Any]:
    """The parent and the key of a dotted path in an object; ~ stands for a dot inside a key."""
    parent: Any = get_object(objects, kind, name)
    *steps, key = (int(step) if step.isdecimal() else step.replace("~", ".") for step in path.split("."))
    for step in steps:
        parent = parent[step]
    return parent, key


def put(kind: str, name: str, path: str, value: Any) -> Edit:
    """Set the value at a path."""

    def edit(objects: list[Object]) -> None:
        parent, key = _locate(objects, kind, name, path)
        parent[key] = value

    return edit


def drop(kind: str, name: str, path: str = "") -> Edit:
    """Delete the value at a path, or the whole object."""

    def edit(objects: list[Object]) -> None:
        if path:
            parent, key = _locate(objects, kind, name, path)
            del parent[key]
        else:
            objects.remove(get_object(objects, kind, name))

    return edit


def add(kind: str, name: str, path: str, value: Any) -> Edit:
    """Append a value to the list at a path."""

    def edit(objects: list[Object]) -> None:
        parent, key = _locate(objects, kind, name, path)
        parent[key].append(value)

    return edit


def setting(prefix: str, variable: str, value: str) -> Edit:
    """Change a variable of the ConfigMap whose name has this prefix."""

    def edit(objects: list[Object]) -> None:
        (config,) = [item for item in objects if item["metadata"]["name"].startswith(prefix) and "data" in item]
        config["data"][variable] = value

    return edit
