"""Reads the server's settings from environment variables; a wrong one is named."""

from __future__ import annotations

import difflib
import math
import os
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends import NotConfigured

PREFIX = "SPACEPORT_"
KINDS = ("embedded", "transformers")
LEVELS = ("debug", "info", "warning", "error")
# What the platforms call it: SageMaker, then Vertex AI. Our own name wins.
ALSO = {
    "port": ("SAGEMAKER_BIND_TO_PORT", "AIP_HTTP_PORT"),
    "health_route": ("AIP_HEALTH_ROUTE",),
    "predict_route": ("AIP_PREDICT_ROUTE",),
    "storage_uri": ("AIP_STORAGE_URI",),
}
LEAST = {"port": 1, "context": 64, "parallel": 1, "threads": 1, "queue": 0, "drain_seconds": 0}
MOST = {"port": 65535}


@dataclass(frozen=True, slots=True)
class Settings:
    """Each is the environment variable SPACEPORT_ and its name; a secret may be named by SPACEPORT_API_KEY_FILE.

    `kind` with `model` is a model inside this process; `target` is one of the catalogue instead, such as a vLLM
    beside it. `parallel` answers are made at once and `queue` requests wait; both, and `threads`, follow the
    machine where they are not set. `drain_seconds` is what streams get after SIGTERM: less than the 30 s
    after which SageMaker kills. A stream that says nothing for `silence_seconds` sends a comment: SageMaker and
    many proxies give up after 60 s, which a long prompt takes on a CPU. Every `look_seconds` the model is looked after.
    """

    host: str = "0.0.0.0"  # noqa: S104 - a container is reached through its port
    port: int = 8080
    kind: str = "embedded"
    model: str | None = None
    model_name: str | None = None
    target: str | None = None
    storage_uri: str | None = None
    context: int = 4096
    parallel: int | None = None
    threads: int | None = None
    queue: int | None = None
    request_seconds: float = 600.0
    drain_seconds: float = 25.0
    look_seconds: float = 3.0
    silence_seconds: float = 15.0
    max_body_mb: float = 10.0  # what Vertex's streamRawPredict lets through
    api_key: str | None = field(default=None, repr=False)
    health_route: str | None = None
    predict_route: str | None = None
    log_level: str = "info"


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment asks for; `NotConfigured` names the variable that is wrong."""
    hints = typing.get_type_hints(Settings)
    found = {name: _found(environment, name) for name in hints}
    given = {name: _value(*each, name, hints[name]) for name, each in found.items() if each}
    settings = Settings(**given)
    for name, words in (("kind", KINDS), ("log_level", LEVELS)):
        if (word := getattr(settings, name)) not in words:
            raise NotConfigured(f"SPACEPORT_{name.upper()} is {word!r}.", f"Set it to one of: {', '.join(words)}.")
    for name in ("health_route", "predict_route"):
        route = getattr(settings, name)
        if route and not route.startswith("/"):
            raise NotConfigured(f"{found[name][0]} is {route!r}, which is no route.", "Begin it with a slash.")  # type: ignore[index]
    return settings


def misspelt(environment: Mapping[str, str] = os.environ) -> list[str]:
    """A line for each variable that looks like a misspelt one of ours.

    Only looks like: Kubernetes sets variables of its own for a Service with a name like ours.
    """
    known = {PREFIX + name.upper() for name in typing.get_type_hints(Settings)} | {"SPACEPORT_API_KEY_FILE"}
    lines = []
    for name in sorted(set(environment) - known):
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.9) if name.startswith(PREFIX) else []
        if close:
            lines.append(f"There is no setting {name}. Did you mean {close[0]}?")
    return lines


def _found(environment: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """The variable that sets `name`, and its text; an empty one counts as not set."""
    for variable in (PREFIX + name.upper(), *ALSO.get(name, ())):
        if text := environment.get(variable, "").strip():
            return variable, text
        if name == "api_key" and (file := environment.get(f"{variable}_FILE")):
            return f"{variable}_FILE", _secret(f"{variable}_FILE", file)
    return None


def _secret(variable: str, file: str) -> str:
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(f"{variable} names {file}, which cannot be read.", "Mount the secret there.") from error
    if not text:
        raise NotConfigured(f"{variable} names {file}, which is empty.", "Write the key into it.")
    return text


def _value(variable: str, text: str, name: str, hint: Any) -> Any:
    kind = next((option for option in (int, float) if option in (hint, *typing.get_args(hint))), None)
    if kind is None:
        return text
    try:
        value = kind(text)
    except ValueError as error:
        raise _no_number(variable, text, kind) from error
    low, high = LEAST.get(name, 0.001), MOST.get(name, float("inf"))
    if not low <= value <= high or not math.isfinite(value):
        bound = f"from {low:g} to {high:g}" if name in MOST else f"from {low:g}"
        raise NotConfigured(f"{variable} is {text}.", f"Set it to a number {bound}.")
    return value


def _no_number(variable: str, text: str, kind: type) -> NotConfigured:
    wanted = "a whole number" if kind is int else "a number"
    if text.startswith("tcp://"):
        remedy = "Kubernetes set it for a Service of that name: set enableServiceLinks to false, or rename the Service."
    else:
        remedy = f"Set it to {wanted}."
    return NotConfigured(f"{variable} is {text[:80]!r}, which is no {wanted.split(' ', 1)[1]}.", remedy)
