"""Edits of rendered manifests, such as people make by mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.k8s.objects import Object, named

Edit = Callable[[list[Object]], Any]


def at(kind: str, name: str, path: str) -> Callable[[list[Object]], tuple[Any, Any]]:
    """The place at a dotted path of an object: what holds it, and its key; ~ is a dot of a name."""

    def place(objects: list[Object]) -> tuple[Any, Any]:
        holder: Any = named(objects, kind, name)
        *steps, last = (int(step) if step.isdecimal() else step.replace("~", ".") for step in path.split("."))
        for step in steps:
            holder = holder[step]
        return holder, last

    return place


def put(kind: str, name: str, path: str, value: Any) -> Edit:
    """Write a value to a place."""

    def edit(objects: list[Object]) -> None:
        holder, last = at(kind, name, path)(objects)
        holder[last] = value

    return edit


def drop(kind: str, name: str, path: str = "") -> Edit:
    """Take away a place of an object, or the whole object."""

    def edit(objects: list[Object]) -> None:
        if path:
            holder, last = at(kind, name, path)(objects)
            del holder[last]
        else:
            objects.remove(named(objects, kind, name))

    return edit


def add(kind: str, name: str, path: str, value: Any) -> Edit:
    """Append to the list at a place."""

    def edit(objects: list[Object]) -> None:
        holder, last = at(kind, name, path)(objects)
        holder[last].append(value)

    return edit


def setting(name: str, variable: str, value: str) -> Edit:
    """Change a variable of the ConfigMap whose name begins so."""

    def edit(objects: list[Object]) -> None:
        (found,) = [each for each in objects if each["metadata"]["name"].startswith(name) and "data" in each]
        found["data"][variable] = value

    return edit
