"""Reads models.toml: the models behind the gateway that have an image, dependencies and limits of their own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends import NotConfigured
from backends.settings import read_settings
from containers.images import FOLDER, ContainerError

FILE = FOLDER / "models.toml"
NAME = re.compile(r"[a-z]([a-z0-9-]{0,40}[a-z0-9])?")  # a host's name
OURS = re.compile(r"spaceport-[a-z-]+")
EXACT_VERSION = re.compile(r"[^\s.]{0,40}\d\.\d\S{0,80}")
FIXES = "Fix the block, or see the comments at the top of models.toml."


@dataclass(frozen=True, slots=True)
class Settings:
    """A block of models.toml, whose comments explain the fields."""

    image: str
    cpus: float
    memory_gb: float
    disk_gb: float = 2
    port: int = 8080
    price: str = "tokens:0/0"
    model: str | None = None
    internet: bool = False
    ready: str | None = None
    probe: list[str] = field(default_factory=list)
    args: list[str] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Model:
    """A model's name, which is its service's and its target's, and its settings."""

    name: str
    settings: Settings

    @property
    def is_ours(self) -> bool:
        """Whether the image is one of this project's, which get their tag from Compose or kustomize."""
        return OURS.fullmatch(self.settings.image) is not None

    @property
    def ready(self) -> str:
        """The route that says whether the model answers."""
        return self.settings.ready or ("/ready" if self.is_ours else "/health")


def read_models(text: str, taken: frozenset[str] = frozenset()) -> list[Model]:
    """Return the models in the text of a models.toml; raises `ContainerError` with the block that is wrong.

    `taken` are names of other services and targets.
    """
    try:
        blocks = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ContainerError(f"The list of models isn't TOML ({error}).", FIXES) from error
    return [_read_model(name, block, taken) for name, block in blocks.items()]


def _read_model(name: str, block: Any, taken: frozenset[str]) -> Model:
    if not isinstance(block, dict):
        raise ContainerError(f"{name} stands outside of a block.", FIXES)
    if not NAME.fullmatch(name) or name in taken:
        reason = "is another service's or target's" if name in taken else "isn't a host's name"
        raise ContainerError(
            f"The name {name!r} {reason}.", "Choose another name: lowercase letters, digits and hyphens."
        )
    try:
        model = Model(name, read_settings(Settings, block))
    except NotConfigured as error:
        raise ContainerError(f"[{name}]: {error.message}", error.remedy) from error
    _check(model)
    return model


def _check(model: Model) -> None:
    settings = model.settings
    name, _, tag = settings.image.partition("@")[0].rpartition(":")
    if not model.is_ours and not (name and EXACT_VERSION.fullmatch(tag)):
        remedy = "Write it like ghcr.io/OWNER/NAME:1.0.0."
        raise ContainerError(f"[{model.name}]: the image {settings.image} has no exact version.", remedy)
    numbers = {"cpus": settings.cpus, "memory_gb": settings.memory_gb, "disk_gb": settings.disk_gb}
    for name, number in (numbers | {"port": settings.port}).items():
        if not 0 < number < 65536:
            raise ContainerError(f"[{model.name}]: {name} is {number}.", FIXES)
    if wrong := [value for value in settings.environment.values() if not isinstance(value, str)]:
        raise ContainerError(f"[{model.name}]: {wrong[0]!r} isn't a text.", "Put it into quotes.")
    if not settings.price.startswith("tokens:"):
        raise ContainerError(f"[{model.name}]: the price is {settings.price!r}.", "Write it like tokens:0.15/0.60.")
    if not model.ready.startswith("/"):
        raise ContainerError(f"[{model.name}]: ready is {model.ready!r}, which is not a route.", FIXES)


def service_names(compose: Path = FOLDER / "compose.yaml") -> frozenset[str]:
    """Return the names of the services in compose.yaml."""
    (section,) = re.findall(r"^services:\n((?:[ #].*\n|\n)+)", compose.read_text(), re.MULTILINE)
    return frozenset(re.findall(r"^  ([a-z0-9-]+):", section, re.MULTILINE))
