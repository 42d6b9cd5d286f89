"""The answer of the first target that gives one."""

from __future__ import annotations

import enum
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from backends import BackendError, Done, Event
from backends.kinds.fallback import combined_error
from backends.stopwatch import now
from backends.streams import closing
from gateway.routing.target_states import Attempt, TargetStates

E = TypeVar("E")
Start = Callable[[], AsyncIterator[E]]


class Stage(enum.Enum):
    """How far an answer is with one of its events."""

    WAITS = enum.auto()  # for its turn at the target, which has other answers in progress
    BEGINS = enum.auto()
    GROWS = enum.auto()
    ENDS = enum.auto()


class Failure(NamedTuple):
    """A target that was asked and gave no event, its error, and how long that took."""

    target: str
    error: BackendError
    seconds: float


class RoutedStream(Generic[E]):
    """The answer of the first of `targets` that yields an event; an error after it is not retried.

    `targets` connect to a backend by their names, in the order in which they are asked, and return what begins its
    answer; `stage_of` tells how far it is with an event.
    `target` is its name, "" until the first event has come. `tried` is the name of the one that was asked last.
    `failures` are those that gave no event.
    """

    def __init__(
        self, targets: Mapping[str, Callable[[], Start[E]]], states: TargetStates, stage_of: Callable[[E], Stage]
    ) -> None:
        self.target = self.tried = ""
        self.failures: list[Failure] = []
        self._targets, self._states, self._stage_of = targets, states, stage_of
        self._works_since: float | None = None
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
        """How long the target that was asked last has worked, until its last event.

        That is since it was asked or, if it said that the answer waits for its turn, since that began.
        """
        if self._works_since is None:
            return 0.0
        return (now() if self._ended_at is None else self._ended_at) - self._works_since

    async def _stream(self) -> AsyncGenerator[E]:
        for name, connect in self._targets.items():
            self.tried, self._works_since = name, now()
            try:
                start = connect()
                with self._states.attempt(name) as attempt:
                    stream = start()
                    async with closing(stream):
                        async for event in stream:
                            self.target = name
                            self._note(self._stage_of(event), attempt)
                            yield event
                return
            except BackendError as error:
                if self.target:
                    raise
                self.failures.append(Failure(name, error, self.seconds))
        raise combined_error([(failure.target, failure.error) for failure in self.failures])

    def _note(self, stage: Stage, attempt: Attempt) -> None:
        """Note the times that an event tells."""
        if stage is Stage.WAITS:
            self._works_since = None
            return
        if self._works_since is None:
            self._works_since = now()
        if stage is Stage.GROWS:
            attempt.first_token()
        elif stage is Stage.ENDS:
            self._ended_at = now()
            attempt.succeed()


def text_stage(event: Event) -> Stage:
    """Return how far an answer in text is."""
    return Stage.ENDS if type(event) is Done else Stage.GROWS
