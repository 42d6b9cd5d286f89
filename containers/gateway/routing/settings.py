"""The settings of a route in the catalogue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends import NotConfigured
from backends.settings import read_settings

CHOICES = ("order", "weights", "least_busy", "cheapest")


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """`targets` are names in the same catalogue. The first choice answers; the others follow if it fails at its start.

    `choose`: "order" takes the targets in their order. "weights" gives each its share of the users, one of `weights`
    for each target; with `sticky`, a user always gets the same one. "least_busy" takes the one with the fewest answers
    in progress. "cheapest" takes the one with the lowest price whose recent first tokens come within
    `first_token_seconds`, at the 95th percentile.

    A target that fails `failures` times in a row is left out for `pause_seconds`; then one request tries it again.
    """

    targets: list[str]
    choose: str = "order"
    weights: list[float] | None = None
    sticky: bool = True
    first_token_seconds: float | None = None
    failures: int = 3
    pause_seconds: float = 30.0


def read_route(settings: Mapping[str, Any]) -> RouteSettings:
    """Read a route; `NotConfigured` says what is wrong with it."""
    route = read_settings(RouteSettings, settings)
    if not route.targets or len(set(route.targets)) != len(route.targets):
        raise NotConfigured("A route needs targets, each once.", 'Write targets = ["gpu", "laptop"].')
    if route.choose not in CHOICES:
        raise NotConfigured(f"There is no choice {route.choose!r}.", f"Set choose to one of: {', '.join(CHOICES)}.")
    if route.choose == "weights":
        _check_weights(route)
    elif route.weights is not None:
        raise NotConfigured(f"Weights have no effect with choose = {route.choose!r}.", 'Set choose = "weights".')
    if route.first_token_seconds is not None and route.choose != "cheapest":
        message = f"first_token_seconds has no effect with choose = {route.choose!r}."
        raise NotConfigured(message, 'Set choose = "cheapest".')
    for name in ("failures", "pause_seconds", "first_token_seconds"):
        value = getattr(route, name)
        if value is not None and not 0 < value < math.inf:
            raise NotConfigured(f"The setting {name} is {value}.", "Set it to a number above 0.")
    return route


def _check_weights(route: RouteSettings) -> None:
    weights = route.weights or []
    if len(weights) != len(route.targets):
        message = f"The route has {len(route.targets)} targets and {len(weights)} weights."
        raise NotConfigured(message, "Write one weight for each target.")
    if not all(0 <= weight < math.inf for weight in weights) or not sum(weights):
        raise NotConfigured("The weights aren't numbers from 0, or all are 0.", "Write shares such as [95, 5].")
