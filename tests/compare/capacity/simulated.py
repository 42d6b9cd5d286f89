"""A search without a server: which requests miss is decided by a function of the load."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from compare.capacity.answer_scores import with_score
from compare.capacity.curve import Curve
from compare.capacity.grid import Grid
from compare.capacity.result import Capacity, conclude
from compare.capacity.search import Batch, Search
from compare.capacity.slo import parse_slo
from compare.runs.records import Record, Score
from tests.compare.make_runs import record

QUESTIONS = 24
SLO = "ttft_p95<1s"


class SimulatedSearch:
    """One search; `miss_rate` returns the share of requests that miss, from the load and the requests so far.

    `right_rate`, if answers are scored, returns the share of right answers, from the load and the question's number.
    """

    def __init__(
        self,
        miss_rate: Callable[[float, int], float],
        grid: Grid,
        seed: int = 0,
        slo: str = SLO,
        right_rate: Callable[[float, int], float] | None = None,
    ) -> None:
        self.curve = Curve(parse_slo(slo), grid)
        self.batches: list[Batch] = []
        self.requests = 0
        self._miss_rate, self._right_rate = miss_rate, right_rate
        self._random = random.Random(seed)

    def run(self, max_requests: int | None = None) -> Capacity:
        first = 2 * QUESTIONS if self._right_rate else 0
        for batch in Search(self.curve, max_requests, first).batches():
            self.batches.append(batch)
            self.curve.add(batch.value, [self._request(batch.value) for _ in range(batch.requests)])
        return conclude("a", self.curve)

    def _request(self, value: float) -> Record:
        self.requests += 1
        if self._right_rate:
            right = self._random.random() < self._right_rate(value, self.requests % QUESTIONS)
            only = replace(record(0.5), prompt=self.requests % QUESTIONS)
            return with_score(only, None, Score(0, right, None, False, None, 1))
        return record(2.0 if self._random.random() < self._miss_rate(value, self.requests) else 0.5)
