"""Plans for requests: which targets get a request to a name of the catalogue, a target's or a route's."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from backends import Catalog, NotConfigured
from backends.catalog import CATALOG_KEYS
from gateway.routing.choice import order_targets
from gateway.routing.settings import RouteSettings, read_route
from gateway.routing.target_states import TargetStates

ROUTES = ("gateway.routing", "fallback")  # the kinds that choose among targets

# The price of a request at a target, or None if it isn't known.
Price = Callable[[str], float | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """The targets that get a request in this order, until one answers.

    `scope` is for whom equal requests share answers: not for two users of a test with weights, and not for targets of
    the same name with other settings.
    """

    targets: tuple[str, ...]
    scope: str


class Router:
    """Reads the routes of a catalogue once, and plans requests with what is known of their targets."""

    def __init__(self, catalog: Catalog, states: TargetStates) -> None:
        self.states = states
        self.routes: dict[str, RouteSettings] = {}
        self._version = catalog.digest[:16]
        for name in catalog.all_names:
            entry = catalog.settings(name)
            settings = {key: value for key, value in entry.items() if key not in CATALOG_KEYS}
            try:
                if entry["kind"] in ROUTES:
                    self.routes[name] = read_route(settings)
            except NotConfigured:
                continue  # the list of targets has the reason, and a request to it gets the error

    def plan(self, name: str, user: str = "", price: Price = lambda name: None) -> Plan:
        """The plan for a request of a user to `name`; `user` is "" for one that isn't known."""
        targets = tuple(dict.fromkeys(self._targets(name, user or uuid.uuid4().hex, price, ())))
        route = self.routes.get(name)
        scope = f"{self._version}/{name}"
        return Plan(targets, f"{scope}/{targets[0]}" if route and route.choose == "weights" else scope)

    def leaves(self, name: str, parents: tuple[str, ...] = ()) -> list[str]:
        """The targets that a name of the catalogue stands for, whatever their states."""
        if name not in self.routes or name in parents:
            return [name]
        return [leaf for each in self.routes[name].targets for leaf in self.leaves(each, (*parents, name))]

    def targets(self) -> list[str]:
        """The targets of all routes."""
        return sorted({name for route in self.routes.values() for name in route.targets})

    def left_out(self) -> list[str]:
        """The targets that get no requests of some route now."""
        names = {name for route in self.routes.values() for name in self.states.left_out(route)}
        return sorted(names)

    def _targets(self, name: str, user: str, price: Price, parents: tuple[str, ...]) -> list[str]:
        """The targets that a name stands for; a target of a route can be another route."""
        route = self.routes.get(name)
        if route is None:
            return [name]
        if name in parents:
            raise NotConfigured(f"The targets form a loop: {' → '.join((*parents, name))}.", "Remove one of them.")
        views = [self.states.view(route, target, price(target)) for target in route.targets]
        ordered = order_targets(route, views, f"{name}/{user}" if route.sticky else uuid.uuid4().hex)
        return [each for target in ordered for each in self._targets(target, user, price, (*parents, name))]
