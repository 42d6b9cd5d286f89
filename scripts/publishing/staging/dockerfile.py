"""Reads what publishing needs from a Space's Dockerfile: its Python version, ports, user and command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """`python` such as "3.11", `user` from the last USER, `command` from the last CMD in exec form; empty if absent."""

    python: str
    ports: tuple[int, ...]
    user: str
    command: tuple[str, ...]


def parse(text: str) -> Dockerfile:
    """Parse the instructions of the last stage that matter for publishing."""
    bases = re.findall(r"^FROM\s+\S*?python:(\d+\.\d+)", text, re.M)
    ports = re.findall(r"^EXPOSE\s+(\d+)", text, re.M)
    users = re.findall(r"^USER\s+(\S+)", text, re.M)
    commands = re.findall(r"^CMD\s+(\[.*\])\s*$", text, re.M)
    return Dockerfile(
        bases[-1] if bases else "",
        tuple(map(int, ports)),
        users[-1] if users else "",
        _exec_form(commands[-1]) if commands else (),
    )


def check(values: dict[str, Any], dockerfile: Dockerfile) -> Iterator[str]:
    """Yield each problem that the Hub would have with this Dockerfile and front matter."""
    if not dockerfile.python:
        yield "the Dockerfile isn't FROM python:3.x; the package versions depend on that version."
    if values.get("app_port") not in dockerfile.ports:
        exposed = ", ".join(map(str, dockerfile.ports)) or "nothing"
        yield f"app_port is {values.get('app_port')}, but the Dockerfile exposes {exposed}."
    if not re.fullmatch(r"[1-9]\d*(:\d+)?", dockerfile.user):
        yield "the Dockerfile needs a USER with a number other than 0."
    if not dockerfile.command:
        yield 'the Dockerfile needs a CMD in exec form: ["python", "-m", "…"].'


def _exec_form(text: str) -> tuple[str, ...]:
    try:
        return tuple(map(str, json.loads(text)))
    except ValueError:
        return ()
