"""Reads the server's settings from environment variables; an error names the variable."""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from backends import NotConfigured

T = TypeVar("T", bound="ServerSettings")

PREFIX = "SPACEPORT_"
CHOICES = {"kind": ("embedded", "transformers"), "log_level": ("debug", "info", "warning", "error")}
CHOICES |= {"cache_pace": ("at_once", "original"), "safety_checker": ("on", "off")}
CHOICES |= {"device": ("auto", "cuda", "mps", "cpu"), "dtype": ("auto", "float32", "bfloat16", "float16")}
SECRETS = ("api_key", "database_url", "redis_url")  # the variable with _FILE names a file that contains it
# The platforms' names for a setting: SageMaker's, then Vertex AI's. Ours takes precedence.
PLATFORM_NAMES = {
    "port": ("SAGEMAKER_BIND_TO_PORT", "AIP_HTTP_PORT"),
    "health_route": ("AIP_HEALTH_ROUTE",),
    "predict_route": ("AIP_PREDICT_ROUTE",),
    "storage_uri": ("AIP_STORAGE_URI",),
}
NEW_NAMES = {"SPACEPORT_LOOK_SECONDS": "SPACEPORT_HEALTH_CHECK_SECONDS"}
MINIMUM = {"port": 1, "context": 64, "parallel": 1, "threads": 1, "queue": 0, "drain_seconds": 0, "cache_mb": 0}
MINIMUM |= dict.fromkeys(("max_connections", "max_messages", "max_prompt_characters"), 1)
MINIMUM |= {"guidance": 0, "max_pixels": 4096, "max_steps": 1, "max_pictures": 1, "steps": 1}
MAXIMUM = {"port": 65535, "max_pixels": 2_000_000}  # the base64 of a larger picture can be too long for an event


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What every server has. Each field is the environment variable SPACEPORT_ and its name.

    `drain_seconds` is how long answers may run after SIGTERM: less than the 30 s after which SageMaker kills the
    container. A client has `client_seconds` for a request's head, and loses its connection if it reads nothing of its
    answer for as long. `max_connections` is how many clients may be connected.
    """

    host: str = "0.0.0.0"  # noqa: S104 - clients reach a container through its port
    port: int = 8080
    request_seconds: float = 600.0
    drain_seconds: float = 25.0
    client_seconds: float = 10.0
    max_connections: int = 2000
    max_body_mb: float = 10.0  # the limit of Vertex AI's streamRawPredict
    log_level: str = "info"


@dataclass(frozen=True, slots=True)
class ChatServerSettings(ServerSettings):
    """What every server for chat has besides.

    A stream without text for `silence_seconds` sends a comment: SageMaker and many proxies give up after 60 s, and a
    long prompt takes that long on a CPU. The messages of one request, with content parts and tool calls, are at most
    `max_messages`, with at most `max_prompt_characters` in all.
    """

    silence_seconds: float = 15.0
    max_messages: int = 1000
    max_prompt_characters: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Settings(ChatServerSettings):
    """The settings of the inference server; SPACEPORT_API_KEY_FILE names a file with the key.

    `kind` with `model` is a model on this machine; `target` is one of the catalogue instead, such as vLLM in a
    container beside this one. `embeddings_target` is the target of the catalogue that answers /v1/embeddings.
    `parallel` answers are generated at once and `queue` requests wait; the defaults of both, and of `threads`, follow
    the machine. The server checks the model every `health_check_seconds`.
    """

    kind: str = "embedded"
    model: str | None = None
    model_name: str | None = None
    target: str | None = None
    embeddings_target: str | None = None
    storage_uri: str | None = None
    context: int = 4096
    parallel: int | None = None
    threads: int | None = None
    queue: int | None = None
    health_check_seconds: float = 3.0
    api_key: str | None = field(default=None, repr=False)
    health_route: str | None = None
    predict_route: str | None = None


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of the inference server; see `read`."""
    return read(Settings, environment)


def read(cls: type[T], environment: Mapping[str, str] = os.environ) -> T:
    """Return the settings of a server; raises `NotConfigured` with the name of a variable that is wrong."""
    hints = typing.get_type_hints(cls)
    variables = {name: variable for name in hints if (variable := _lookup(environment, name))}
    settings = cls(**{name: _parse(*variable, name, hints[name]) for name, variable in variables.items()})
    for name, choices in CHOICES.items():
        if (choice := getattr(settings, name, choices[0])) not in choices:
            raise NotConfigured(f"SPACEPORT_{name.upper()} is {choice!r}.", f"Set it to one of: {', '.join(choices)}.")
    for name in ("health_route", "predict_route"):
        route = getattr(settings, name, None)
        if route and not route.startswith("/"):
            raise NotConfigured(f"{variables[name][0]} is {route!r}, which is not a route.", "Start it with a slash.")
    return settings


def describe(cls: type[ServerSettings]) -> list[str]:
    """Return a line with each variable and its default."""
    lines = [f"{PREFIX + field.name.upper():35}{_default(field)}" for field in dataclasses.fields(cls)]
    return [line.rstrip() for line in lines]


def _default(field: dataclasses.Field[Any]) -> Any:
    return "" if field.default is None else field.default


def warnings(
    environment: Mapping[str, str] = os.environ, cls: type[ServerSettings] = Settings, others: Iterable[str] = ()
) -> list[str]:
    """Return one line for each variable with an old name, or with a name that looks like a typo.

    `others` are variables that other parts of the program read.
    Unknown variables aren't errors: Kubernetes sets its own for a Service with a name like ours.
    """
    names = {PREFIX + name.upper() for name in typing.get_type_hints(cls)} | {"SPACEPORT_API_KEY_FILE", *others}
    lines = []
    for name in sorted(set(environment) - names):
        if name in NEW_NAMES:
            lines.append(f"{name} has no effect: its name is now {NEW_NAMES[name]}.")
        elif name.startswith(PREFIX) and (close := difflib.get_close_matches(name, names, n=1, cutoff=0.9)):
            lines.append(f"There is no setting {name}. Did you mean {close[0]}?")
    return lines


def _lookup(environment: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """Return the variable that sets `name` and its text; an empty one counts as not set."""
    for variable in (PREFIX + name.upper(), *PLATFORM_NAMES.get(name, ())):
        if text := environment.get(variable, "").strip():
            return variable, text
        if name in SECRETS and (file := environment.get(f"{variable}_FILE")):
            return f"{variable}_FILE", _read_secret(f"{variable}_FILE", file)
    return None


def _read_secret(variable: str, file: str) -> str:
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(f"{variable} names {file}, which cannot be read.", "Mount the secret there.") from error
    if not text:
        raise NotConfigured(f"{variable} names {file}, which is empty.", "Write the key to it.")
    return text


def _parse(variable: str, text: str, name: str, hint: Any) -> Any:
    number = next((option for option in (int, float) if option in (hint, *typing.get_args(hint))), None)
    if number is None:
        return text
    try:
        value = number(text)
    except ValueError as error:
        raise _not_a_number(variable, text, number) from error
    low, high = MINIMUM.get(name, 0.001), MAXIMUM.get(name, float("inf"))
    if not low <= value <= high or not math.isfinite(value):
        bound = f"from {low:g} to {high:g}" if name in MAXIMUM else f"from {low:g}"
        raise NotConfigured(f"{variable} is {text}.", f"Set it to a number {bound}.")
    return value


def _not_a_number(variable: str, text: str, number: type) -> NotConfigured:
    expected = "a whole number" if number is int else "a number"
    if text.startswith("tcp://"):
        remedy = "Kubernetes set it for a Service of that name: set enableServiceLinks to false, or rename the Service."
    else:
        remedy = f"Set it to {expected}."
    return NotConfigured(f"{variable} is {text[:80]!r}, which is not {expected}.", remedy)
