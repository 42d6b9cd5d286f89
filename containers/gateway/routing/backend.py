"""A route as a backend, for programs that aren't the gateway; each has its own measurements."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from backends import Backend, ChatRequest, Event, Health, NotConfigured
from backends.kinds.fallback import FallbackBackend, connect_targets
from backends.settings import TargetSettings
from gateway.routing.choice import order_targets
from gateway.routing.settings import RouteSettings, read_route
from gateway.routing.stream import RoutedStream, Start, text_stage
from gateway.routing.target_states import TargetStates


def connect(settings: Mapping[str, Any]) -> Backend:
    """A backend over the targets of a route that can be used; `NotConfigured` if none can."""
    route = read_route(settings)
    if not isinstance(settings, TargetSettings):
        raise NotConfigured("A route needs a catalogue with its targets.", "Connect to it by its name.")
    return RouteBackend(route, dict(connect_targets(settings, route.targets)))


class RouteBackend:
    """Streams from the target that the route chooses. There is no user here, so each request is a new one."""

    def __init__(self, route: RouteSettings, targets: Mapping[str, Backend]) -> None:
        self._route, self._targets, self._states = route, targets, TargetStates()
        self.local = any(backend.local for backend in targets.values())

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        views = [self._states.view(self._route, name) for name in self._route.targets if name in self._targets]
        names = order_targets(self._route, views, uuid.uuid4().hex)
        # The next target rarely serves the same model name, so it uses its own default.
        requests = [request, *[replace(request, model=None)] * len(names)]
        targets = {name: partial(self._start, name, each) for name, each in zip(names, requests, strict=False)}
        return aiter(RoutedStream(targets, self._states, text_stage))

    async def check(self) -> Health:
        """The health of the first target that is healthy."""
        return await FallbackBackend(list(self._targets.items())).check()

    def _start(self, name: str, request: ChatRequest) -> Start[Event]:
        return partial(self._targets[name].stream, request)

    async def aclose(self) -> None:
        for backend in self._targets.values():
            await backend.aclose()
