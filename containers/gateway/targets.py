"""The catalogue's targets: connected once, each with its state, its task and its price."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from backends import Backend, BackendError, Catalog, NotConfigured
from backends.token_prices import PerToken
from backends.vectors import EmbeddingBackend
from gateway.billing.prices import PerHour, Price, read_price
from gateway.errors import NoSuchTarget

T = TypeVar("T", bool, int)

# Tasks of the catalogue that the gateway has routes for: what a target does that lacks one, and the backend's method.
TASKS = {
    "chat": ("doesn't chat", "stream"),
    "embed": ("makes no embeddings", "embed"),
    "classify": ("classifies no pictures", "classify"),
    "draw": ("makes no pictures", "generate"),
}
MOST_PICTURE_TOKENS = 50_000  # gpt-4o-mini counts 2,833, and 5,667 for each of up to eight tiles


@dataclass(frozen=True, slots=True)
class GatewayTarget:
    """One target; `unavailable` is why it can't be used, and `unpriced` why its answers have no price, or "".

    `price` is None if it is unknown: an answer's cost is unknown then, never 0. With `hides_thoughts` the model may
    think at length, for a price, before any text comes. `picture_tokens` is the most that a picture has.
    """

    name: str
    task: str
    backend: Backend | None
    unavailable: BackendError | None
    price: Price | None
    unpriced: str = ""
    hides_thoughts: bool = False
    picture_tokens: int = MOST_PICTURE_TOKENS

    def connected(self) -> Backend:
        """Return the backend; raises the error of a target that can't be used."""
        if self.backend is None:
            raise self.unavailable or NotConfigured("The target is unavailable.", target=self.name)
        return self.backend

    def can(self, task: str) -> bool:
        """Whether the target is for a task; of one that can't be used, its entry alone tells."""
        if task == "chat":
            return self.task == task
        if task == "embed":
            return self.task in (task, "chat") and (self.backend is None or isinstance(self.backend, EmbeddingBackend))
        if self.backend is None:
            return self.task == task
        return callable(getattr(self.backend, TASKS[task][1], None))

    def backend_for(self, task: str) -> Any:
        """Return the backend for a task; `NoSuchTarget` if its model does something else."""
        if not self.can(task):
            raise no_such_task(f"The target {self.name}", task)
        return self.connected()


def no_such_task(what: str, task: str) -> NoSuchTarget:
    """The error for a target or route that doesn't do a task."""
    return NoSuchTarget(f"{what} {TASKS[task][0]}.", "GET /v1/models lists the targets.")


class Targets:
    """All targets of a catalogue by their names."""

    def __init__(self, targets: Iterable[GatewayTarget]) -> None:
        self.by_name: Mapping[str, GatewayTarget] = {target.name: target for target in targets}

    @classmethod
    def load(cls, catalog: Catalog) -> Targets:
        """Connect to each target, which makes no request but imports SDKs; a target that fails is unavailable."""
        return cls(_load(catalog, name) for name in catalog.all_names)

    def find(self, name: str) -> GatewayTarget:
        """Return a target; `NoSuchTarget` if there is none of that name."""
        target = self.by_name.get(name)
        if target is None:
            close = difflib.get_close_matches(name[:80], self.by_name, n=1)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise NoSuchTarget(f"There is no target {name[:80]!r}.", f"{hint}GET /v1/models lists the targets.")
        return target


def _load(catalog: Catalog, name: str) -> GatewayTarget:
    backend: Backend | None = None
    error: BackendError | None = None
    entry = catalog.settings(name)
    price, unpriced = read_price(entry)
    hides_thoughts, picture_tokens = _is_api(price), MOST_PICTURE_TOKENS
    try:
        hides_thoughts = _read(entry, "hides_thoughts", bool, hides_thoughts)
        picture_tokens = _read(entry, "picture_tokens", int, picture_tokens)
        at_once = _read(entry, "answers_at_once", int, 1, least=1)
        price = replace(price, answers_at_once=at_once) if isinstance(price, PerHour) else price
        backend = catalog.connect(name)
    except BackendError as caught:
        error = caught
    return GatewayTarget(name, catalog.task(name), backend, error, price, unpriced, hides_thoughts, picture_tokens)


def _is_api(price: Price | None) -> bool:
    """Whether a target is the API of a provider: of an own server, genai-prices knows no price."""
    return isinstance(price, PerToken) and price.source.startswith("genai-prices")


def _read(entry: Mapping[str, Any], name: str, kind: type[T], default: T, *, least: int = 0) -> T:
    """Return a value of an entry that is for the gateway; `NotConfigured` if it is of another type."""
    value = entry.get(name, default)
    if type(value) is not kind or value < least:
        expected = {bool: "true or false", int: f"a whole number from {least}"}[kind]
        raise NotConfigured(f"{name} is {value!r}.", f"Set it to {expected}.")
    return value
