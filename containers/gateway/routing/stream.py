"""The answer of the first target that gives one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace

from backends import Backend, BackendError, ChatRequest, Done, Event
from backends.kinds.fallback import combined_error
from backends.streams import closing
from gateway.routing.target_states import TargetStates


class RoutedStream:
    """The answer to a request of the first of `targets` that yields an event; an error after it is not retried.

    `targets` connect to a backend by their names, in the order in which they are asked.
    `target` is its name, "" until the first event has come. `tried` is the name of the one that was asked last.
    `failures` are those that gave no event, with their errors.
    """

    def __init__(
        self, request: ChatRequest, targets: Mapping[str, Callable[[], Backend]], states: TargetStates
    ) -> None:
        self.target = self.tried = ""
        self.failures: list[tuple[str, BackendError]] = []
        self._request, self._targets, self._states = request, targets, states
        self._events = self._stream()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    def __anext__(self) -> Awaitable[Event]:
        return anext(self._events)

    async def aclose(self) -> None:
        await self._events.aclose()

    async def _stream(self) -> AsyncGenerator[Event]:
        for name, connect in self._targets.items():
            # The next target rarely serves the same model name, so it uses its own default.
            request = replace(self._request, model=None) if self.failures else self._request
            self.tried = name
            try:
                backend = connect()
                with self._states.attempt(name) as attempt:
                    stream = backend.stream(request)
                    async with closing(stream):
                        async for event in stream:
                            if not self.target:
                                self.target = name
                                attempt.first_token()
                            if type(event) is Done:
                                attempt.succeed()
                            yield event
                return
            except BackendError as error:
                if self.target:
                    raise
                self.failures.append((name, error))
        raise combined_error(self.failures)
