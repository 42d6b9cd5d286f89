"""What a Space's Dockerfile says of it: the Python that its packages are for, its port, how it starts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """`python` is such as "3.11", `user` the last USER, `command` the CMD in exec form; empty where it does not say."""

    python: str
    ports: tuple[int, ...]
    user: str
    command: tuple[str, ...]


def parse(text: str) -> Dockerfile:
    """The instructions that matter for publishing, of the last stage."""
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


def check(values: dict[str, Any], said: Dockerfile) -> Iterator[str]:
    """What the Hub would trip over, given the front matter."""
    if not said.python:
        yield "its Dockerfile is not FROM python:3.x, whose version the packages are chosen for."
    if values.get("app_port") not in said.ports:
        exposed = ", ".join(map(str, said.ports)) or "nothing"
        yield f"app_port is {values.get('app_port')}, its Dockerfile exposes {exposed}."
    if not re.fullmatch(r"[1-9]\d*(:\d+)?", said.user):
        yield "its Dockerfile wants USER with a number other than 0."
    if not said.command:
        yield 'its Dockerfile wants CMD in exec form: ["python", "-m", "…"].'


def _exec_form(text: str) -> tuple[str, ...]:
    try:
        return tuple(map(str, json.loads(text)))
    except ValueError:
        return ()
