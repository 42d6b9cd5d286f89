"""A search without a server: which requests miss is decided by a function of the load."""

from __future__ import annotations

import random
from collections.abc import Callable

from compare.capacity.curve import Curve
from compare.capacity.grid import Grid
from compare.capacity.result import Capacity, conclude
from compare.capacity.search import Batch, Search
from compare.capacity.slo import parse_slo
from compare.records import Record
from tests.compare.make_runs import record

SLO = "ttft_p95<1s"


class SimulatedSearch:
    """One search; `miss_rate` returns the share of requests that miss, from the load and the requests so far."""

    def __init__(self, miss_rate: Callable[[float, int], float], grid: Grid, seed: int = 0, slo: str = SLO) -> None:
        self.curve = Curve(parse_slo(slo), grid)
        self.batches: list[Batch] = []
        self.requests = 0
        self._miss_rate = miss_rate
        self._random = random.Random(seed)

    def run(self, max_requests: int | None = None) -> Capacity:
        for batch in Search(self.curve, max_requests).batches():
            self.batches.append(batch)
            self.curve.add(batch.value, [self._request(batch.value) for _ in range(batch.requests)])
        return conclude("a", self.curve)

    def _request(self, value: float) -> Record:
        self.requests += 1
        return record(2.0 if self._random.random() < self._miss_rate(value, self.requests) else 0.5)
