"""The answer of the first target that gives one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from backends import BackendError, Done, Event
from backends.kinds.fallback import combined_error
from backends.stopwatch import now
from backends.streams import closing
from gateway.routing.target_states import TargetStates

E = TypeVar("E")
Start = Callable[[], AsyncIterator[E]]


class Failure(NamedTuple):
    """A target that was asked and gave no event, its error, and how long that took."""

    target: str
    error: BackendError
    seconds: float


class RoutedStream(Generic[E]):
    """The answer of the first of `targets` that yields an event; an error after it is not retried.

    `targets` connect to a backend by their names, in the order in which they are asked, and return what begins its
    answer; `is_end` tells its last event.
    `target` is its name, "" until the first event has come. `tried` is the name of the one that was asked last.
    `failures` are those that gave no event.
    """

    def __init__(
        self, targets: Mapping[str, Callable[[], Start[E]]], states: TargetStates, is_end: Callable[[E], bool]
    ) -> None:
        self.target = self.tried = ""
        self.failures: list[Failure] = []
        self._targets, self._states, self._is_end = targets, states, is_end
        self._asked_at: float | None = None
        self._ended_at: float | None = None
        self._events = self._stream()

    def __aiter__(self) -> AsyncIterator[E]:
        return self._events

    def __anext__(self) -> Awaitable[E]:
        return anext(self._events)

    async def aclose(self) -> None:
        await self._events.aclose()

    @property
    def seconds(self) -> float:
        """How long the target that was asked last has worked, until its last event."""
        if self._asked_at is None:
            return 0.0
        return (now() if self._ended_at is None else self._ended_at) - self._asked_at

    async def _stream(self) -> AsyncGenerator[E]:
        for name, connect in self._targets.items():
            self.tried, self._asked_at = name, now()
            try:
                start = connect()
                with self._states.attempt(name) as attempt:
                    stream = start()
                    async with closing(stream):
                        async for event in stream:
                            is_end = self._is_end(event)
                            if not self.target:
                                self.target = name
                                if not is_end:
                                    attempt.first_token()
                            if is_end:
                                self._ended_at = now()
                                attempt.succeed()
                            yield event
                return
            except BackendError as error:
                if self.target:
                    raise
                self.failures.append(Failure(name, error, self.seconds))
        raise combined_error([(failure.target, failure.error) for failure in self.failures])


def is_done(event: Event) -> bool:
    """Whether an event is the last one of an answer in text."""
    return type(event) is Done
