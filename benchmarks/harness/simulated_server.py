"""A server whose requests are simulated, without sockets and waiting: its places are known, and so is its knee."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from backends import Arrival
from compare.capacity.answer_scores import with_score
from compare.capacity.grid import Grid
from compare.runs.records import Failure, Record, Score

FAILURE = Failure("Overloaded", "simulated")
QUESTIONS, WRONG_EVERY, HURRIED_SHARE = 50, 5, 1 / 3


@dataclass(frozen=True)
class Server:
    """A simulated server: `places` requests run at once, each for about `seconds`; `noise` is the spread of its log.

    Without a wait, the first token takes about `first` seconds.

    With `shared`, all requests run at once and each takes longer the more there are: `seconds` times (1 + n / places).
    With `rejects`, a request that finds no free place fails at once. One batch differs from the next by `wobble`;
    after `drift_after` requests everything takes `drift` times as long. A fifth of `QUESTIONS` is always answered
    wrongly; with more users than `hurries_beyond`, a third of the right answers are wrong, too.
    """

    places: int
    seconds: float = 1.0
    noise: float = 0.2
    first: float = 0.1
    shared: bool = False
    rejects: bool = False
    wobble: float = 0.02
    drift: float = 1.0
    drift_after: int = 0
    hurries_beyond: int = 0


class Simulation:
    """Requests to one server, batch by batch."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.random = np.random.default_rng(seed)
        self.sent = self.answered = 0

    def batch(self, grid: Grid, value: float, requests: int) -> list[Record]:
        """Return the measured requests of a batch, in the order in which they were sent."""
        slowness = float(np.exp(self.server.wobble * self.random.standard_normal()))
        if self.server.drift_after and self.sent > self.server.drift_after:
            slowness *= self.server.drift
        self.sent += requests
        ramp = grid.ramp(value)
        run = self._closed if grid.unit == "users" else self._open
        records = list(run(value, ramp + requests, slowness))[ramp:]
        return [self._answer(record, value) for record in records] if self.server.hurries_beyond else records

    def _answer(self, record: Record, value: float) -> Record:
        """Return a request with the mark of its answer; questions are asked in turn."""
        self.answered += 1
        question = self.answered % QUESTIONS
        hurries = value > self.server.hurries_beyond and self.random.random() < HURRIED_SHARE
        right = question % WRONG_EVERY > 0 and not hurries
        return with_score(replace(record, prompt=question), None, Score(0, right, None, False, None, 1))

    def _closed(self, value: float, count: int, slowness: float) -> Iterator[Record]:
        """`value` users, each of whom sends the next request when an answer ends; they start one after another."""
        users = [self.server.seconds * place / value for place in range(int(value))]
        yield from self._serve(users, count, slowness, lambda ended: heapq.heappush(users, ended))

    def _open(self, value: float, count: int, slowness: float) -> Iterator[Record]:
        arrivals = np.cumsum(self.random.exponential(1 / value, count)).tolist()
        yield from self._serve(arrivals, count, slowness, lambda ended: None)

    def _serve(
        self, arrivals: list[float], count: int, slowness: float, answered: Callable[[float], None]
    ) -> Iterator[Record]:
        server = self.server
        times = (slowness * np.exp([0.2, server.noise] * self.random.standard_normal((count, 2)))).tolist()
        free = [0.0] * server.places
        for first, whole in times:
            sent = heapq.heappop(arrivals)
            first, seconds = server.first * first, server.seconds * whole
            begins = max(sent, free[0])
            if server.rejects and begins > sent:
                answered(sent + seconds)  # a user looks at the error for as long as at an answer
                yield Record("a", "", 0, "measured", 0, sent, sent, 0.0, error=FAILURE)
                continue
            if server.shared:
                load = 1 + (len(arrivals) + 1) / server.places
                first, seconds, begins = first * load, seconds * load, sent
            else:
                heapq.heapreplace(free, begins + seconds)
            answered(begins + seconds)
            arrival = Arrival(begins - sent + first, "answer", 4)
            yield Record("a", "", 0, "measured", 0, sent, sent, begins - sent + seconds, 1, (arrival,))
