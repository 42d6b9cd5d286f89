"""The catalogue's targets: connected once, each with its state, its task and its price."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from backends import Backend, BackendError, Catalog, NotConfigured
from backends.token_prices import NoPrice, PerToken, price_at, read_token_price
from backends.variables import expand
from backends.vectors import EmbeddingBackend
from gateway.errors import NoSuchTarget

T = TypeVar("T", bool, int)

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
    price: PerToken | None
    unpriced: str = ""
    hides_thoughts: bool = False
    picture_tokens: int = MOST_PICTURE_TOKENS

    def connected(self) -> Backend:
        """Return the backend; raises the error of a target that can't be used."""
        if self.backend is None:
            raise self.unavailable or NotConfigured("The target is unavailable.", target=self.name)
        return self.backend

    def chatter(self) -> Backend:
        """Return the backend as one for chat; `NoSuchTarget` if its model does something else."""
        if self.task != "chat":
            raise NoSuchTarget(f"The target {self.name} doesn't chat.", "GET /v1/models lists the targets.")
        return self.connected()

    def embedder(self) -> EmbeddingBackend:
        """Return the backend as one for embeddings; `NoSuchTarget` if its kind makes none."""
        backend = self.connected()
        if self.task == "rerank" or not isinstance(backend, EmbeddingBackend):
            raise NoSuchTarget(f"The target {self.name} makes no embeddings.", "GET /v1/models lists the targets.")
        return backend


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
    price, unpriced = _price(entry)
    hides_thoughts, picture_tokens = _is_api(price), MOST_PICTURE_TOKENS
    try:
        hides_thoughts = _read(entry, "hides_thoughts", bool, hides_thoughts)
        picture_tokens = _read(entry, "picture_tokens", int, picture_tokens)
        backend = catalog.connect(name)
    except BackendError as caught:
        error = caught
    return GatewayTarget(name, catalog.task(name), backend, error, price, unpriced, hides_thoughts, picture_tokens)


def _is_api(price: PerToken | None) -> bool:
    """Whether a target is the API of a provider: of an own server, genai-prices knows no price."""
    return price is not None and price.source.startswith("genai-prices")


def _read(entry: Mapping[str, Any], name: str, kind: type[T], default: T) -> T:
    """Return a value of an entry that is for the gateway; `NotConfigured` if it is of another type."""
    value = entry.get(name, default)
    if type(value) is not kind or value < 0:
        expected = {bool: "true or false", int: "a whole number from 0"}[kind]
        raise NotConfigured(f"{name} is {value!r}.", f"Set it to {expected}.")
    return value


def _price(entry: Mapping[str, Any]) -> tuple[PerToken | None, str]:
    """Return the price of a target, or why it has none.

    Without a price in the catalogue, only an API whose address genai-prices knows has one: a model of the same name on
    a machine of one's own costs something else.
    """
    text = str(entry.get("price") or "").strip()
    try:
        if text.lower().startswith("tokens:"):
            return read_token_price(text[7:].strip()), ""
        if text:
            return None, f"{text!r} isn't a price by the token, such as tokens:0.15/0.60 or tokens:openai/gpt-4o."
        if entry.get("kind") == "openai" and {"url", "model"} <= entry.keys():
            url, model = (str(expand(entry[name], os.environ)) for name in ("url", "model"))
            return price_at(url, model), ""
    except (NoPrice, NotConfigured) as error:
        return None, str(error)
    return None, "Its entry in the catalogue has no price."
