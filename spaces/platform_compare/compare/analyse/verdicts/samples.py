"""Samples of a target at a load: its times, the seconds between its answers, and what an answer costs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from backends.token_prices import PerToken
from compare.analyse.costs.prices import Hourly, Price
from compare.analyse.metrics.definitions import DEFINITIONS, Timing, user_timing
from compare.analyse.metrics.pacing import block_departure_seconds
from compare.analyse.verdicts.resamples import RateSample, Sample, Side, make_sample
from compare.runs.records import Record, Run

THROUGHPUT, COST = "throughput", "cost"
METRICS: dict[str, Callable[[Timing], Iterable[float]]] = {
    "ttft": lambda timing: (timing.first_token,),
    "itl": lambda timing: timing.gaps,
    "e2e": lambda timing: (timing.end_to_end,),
    "tpot": lambda timing: filter(None, (timing.per_output_token,)),
}


@dataclass(frozen=True, slots=True)
class Costing:
    """How the answers of each target are priced: hourly machines are used to the share `utilisation` of capacity."""

    prices: tuple[tuple[str, Price], ...] = ()
    utilisation: float = 1.0

    @classmethod
    def of(cls, prices: Mapping[str, Price], utilisation: float) -> Costing:
        return cls(tuple(prices.items()), utilisation)

    def price(self, target: str) -> Price | None:
        return dict(self.prices).get(target)


def sample(
    run: Run, target: str, load: str, metric: str, definition: str, costing: Costing, rounds: Hashable
) -> Side | None:
    """Return the values of a metric of a target at a load, None if it has none."""
    if metric == THROUGHPUT:
        return throughput_sample(run, target, load, rounds)
    if metric == COST:
        price = costing.price(target)
        return cost_sample(run, target, load, rounds, price, costing.utilisation) if price else None
    return metric_sample(run, target, load, metric, definition, rounds)


def metric_sample(run: Run, target: str, load: str, metric: str, definition: str, rounds: Hashable) -> Sample | None:
    """Return the times of one metric of one target, or None if it has none."""
    values: list[float] = []
    blocks: list[int] = []
    for record in run.measured(target, load):
        if record.ok:
            times = list(METRICS[metric](user_timing(record, DEFINITIONS[definition](record))))
            values += times
            blocks += [record.block] * len(times)
    return make_sample(values, blocks, rounds) if values else None


def throughput_sample(run: Run, target: str, load: str, rounds: Hashable) -> RateSample | None:
    """Return the seconds of each block and its answers; None for an open loop, whose schedule decides the rate."""
    records = run.measured(target, load)
    if any(record.concurrency is None for record in records):
        return None
    return _rate_sample(_block_seconds(run, target, load), records, rounds)


def cost_sample(
    run: Run, target: str, load: str, rounds: Hashable, price: Price, utilisation: float
) -> RateSample | None:
    """Return the USD of each block and its answers; None if the server reports no tokens that have a price."""
    records = run.measured(target, load)
    if isinstance(price, Hourly):
        usd_second = price.usd_hour / 3600 / utilisation
        seconds = _block_seconds(run, target, load)
        return _rate_sample({block: each * usd_second for block, each in seconds.items()}, records, rounds)
    usd = _token_costs(records, price)
    return _rate_sample(usd, records, rounds) if usd else None


def _token_costs(records: list[Record], price: PerToken) -> dict[int, float] | None:
    """Return the USD of each block's answers; None if the tokens of one aren't known."""
    usd: dict[int, float] = {}
    for record in records:
        if record.ok:
            if record.usage is None:
                return None
            each = price.request(record.usage.input_tokens, record.usage.output_tokens)
            usd[record.block] = usd.get(record.block, 0.0) + each
    return usd


def _block_seconds(run: Run, target: str, load: str) -> dict[int, float]:
    """Return for how long each block kept the target under load, as for the metrics."""
    records = run.measured(target, load)
    if any(record.concurrency is None for record in records):
        return block_departure_seconds(records)
    return {block.block: block.seconds for block in run.target_blocks(target, load)}


def _rate_sample(spent: Mapping[int, float], records: Iterable[Record], rounds: Hashable) -> RateSample | None:
    """Return what the blocks took for their answers; None without any."""
    answers: dict[int, int] = {}
    for record in records:
        answers[record.block] = answers.get(record.block, 0) + record.ok
    blocks = sorted(spent.keys() & answers.keys())
    if not sum(answers[block] for block in blocks) or min((spent[block] for block in blocks), default=0.0) <= 0:
        return None
    return RateSample(
        np.asarray([spent[block] for block in blocks], float),
        np.asarray([answers[block] for block in blocks], float),
        np.asarray(blocks, np.int64),
        rounds,
    )
