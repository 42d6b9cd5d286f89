"""Verdicts of a run: which target is faster at what, by how much, and how certain that is."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from weakref import WeakKeyDictionary

from compare.analyse.metrics.pacing import MAX_COALESCED_SHARE, coalesced_share, lacks_gaps
from compare.analyse.quality.quality_verdict import count_comparisons, target_pairs
from compare.analyse.verdicts import intervals
from compare.analyse.verdicts.resamples import Side as SampleOf
from compare.analyse.verdicts.samples import COST, THROUGHPUT, Costing, sample, throughput_sample
from compare.runs.records import Run

# Nobody notices a smaller ratio than this, however certain it is.
NOTICEABLE_RATIO = 1.01
QUANTILES = (0.5, 0.95)
UNPRICED = Costing()


class Finding(StrEnum):
    """What a comparison shows; the values are those of the JSON output."""

    FASTER = "faster"
    EQUALLY_FAST = "alike"
    NOT_DISTINGUISHABLE = "not distinguishable"
    TOO_FEW_MEASUREMENTS = "too few"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One comparison. `ratio`, from `low` to `high`, says how many times faster `faster` is than `slower`.

    Throughput and cost are rates over all answers and have no `quantile`; who costs less is the faster one.
    """

    load: str
    metric: str
    quantile: float | None
    decision: Finding
    faster: str
    slower: str
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    noise: float | None = None


@dataclass(frozen=True, slots=True)
class JointVerdicts:
    """Verdicts whose intervals hold together; each leaves out `tail` at each end, as those of other kinds have to."""

    verdicts: tuple[Verdict, ...]
    tail: float


# They are kept as long as the run, which can have a hundred megabytes.
VerdictsByView = dict[tuple[str, Costing], JointVerdicts]  # by definition and prices
_verdicts: WeakKeyDictionary[Run, VerdictsByView] = WeakKeyDictionary()
_changes: WeakKeyDictionary[Run, WeakKeyDictionary[Run, VerdictsByView]] = WeakKeyDictionary()


def verdicts(run: Run, definition: str = "spaceport", costing: Costing = UNPRICED) -> tuple[Verdict, ...]:
    """Compare every pair of targets at every load; all intervals of the run are simultaneous."""
    return joint_verdicts(run, definition, costing).verdicts


def joint_verdicts(run: Run, definition: str = "spaceport", costing: Costing = UNPRICED) -> JointVerdicts:
    """Return the verdicts of a run, and the tail that its verdicts on the quality of answers share."""
    by_view = _verdicts.setdefault(run, {})
    if (definition, costing) not in by_view:
        by_view[definition, costing] = _compare_targets(run, definition, costing)
    return by_view[definition, costing]


def _compare_targets(run: Run, definition: str, costing: Costing) -> JointVerdicts:
    return _compare_all(
        {
            (load, metric, quantile, one, other): (
                (run, one, load, "all"),
                (run, other, load, "all"),
            )
            for load in run.loads
            for one, other in combinations(run.targets, 2)
            for metric, quantile in _questions(costing, (run, one, load), (run, other, load))
        },
        run.seed,
        definition,
        costing,
        count_comparisons(target_pairs(run)),
    )


def compare_runs(
    run: Run, earlier: Run, definition: str = "spaceport", costing: Costing = UNPRICED
) -> tuple[Verdict, ...]:
    """Compare a run with an earlier one, by shared target and load; other changes between the runs are included."""
    return joint_changes(run, earlier, definition, costing).verdicts


def joint_changes(run: Run, earlier: Run, definition: str = "spaceport", costing: Costing = UNPRICED) -> JointVerdicts:
    """Return the verdicts on a run against an earlier one, and the tail that those on quality share."""
    by_view = _changes.setdefault(run, WeakKeyDictionary()).setdefault(earlier, {})
    if (definition, costing) not in by_view:
        by_view[definition, costing] = _compare_with(run, earlier, definition, costing)
    return by_view[definition, costing]


def _compare_with(run: Run, earlier: Run, definition: str, costing: Costing) -> JointVerdicts:
    shared = [(load, name) for load in run.loads if load in earlier.loads for name in run.targets]
    return _compare_all(
        {
            (load, metric, quantile, this_label(name), earlier_label(name)): (
                (run, name, load, "this"),
                (earlier, name, load, "earlier"),
            )
            for load, name in shared
            if name in earlier.targets
            for metric, quantile in _questions(costing, (run, name, load), (earlier, name, load))
        },
        run.seed,
        definition,
        costing,
        count_comparisons(changed_targets(run, earlier)),
    )


def changed_targets(run: Run, earlier: Run) -> list[tuple[tuple[Run, str], tuple[Run, str]]]:
    """Return each target that both runs have, in this run and in the earlier one."""
    return [((run, name), (earlier, name)) for name in run.targets if name in earlier.targets]


def this_label(target: str) -> str:
    """Return the name of a target of this run, in a comparison with an earlier run."""
    return f"{target} (this run)"


def earlier_label(target: str) -> str:
    """Return the name of a target of the earlier run."""
    return f"{target} (earlier)"


def recommended_requests(results: Iterable[Verdict], run: Run) -> int | None:
    """Return the requests per target and load that would detect a 5 % difference between medians at this noise."""
    noise = [verdict.noise for verdict in results if verdict.noise is not None and verdict.quantile == 0.5]
    rounds = len({record.block for record in run.records if record.phase == "measured"})
    return intervals.required_requests(max(noise), run.header["plan"]["requests"], rounds) if noise else None


Key = tuple[str, str, float | None, str, str]
Side = tuple[Run, str, str, Hashable]


def _questions(costing: Costing, *sides: tuple[Run, str, str]) -> Iterator[tuple[str, float | None]]:
    """Yield what is compared: medians and p95s of times, and the rates of answers and of cost."""
    for metric in ("ttft", pace_metric(*sides), "e2e"):
        yield from ((metric, quantile) for quantile in QUANTILES)
    if all(throughput_sample(*side, "") for side in sides):
        yield THROUGHPUT, None
    if all(costing.price(target) for _, target, _ in sides):
        yield COST, None


def pace_metric(*sides: tuple[Run, str, str]) -> str:
    """Return the metric for the pace of tokens: gaps between texts, or the time per token if gaps don't show it."""
    return "tpot" if any(lacks_gaps(*side) or coalesced_share(*side) > MAX_COALESCED_SHARE for side in sides) else "itl"


def _compare_all(
    questions: dict[Key, tuple[Side, Side]], seed: int, definition: str, costing: Costing, others: int
) -> JointVerdicts:
    """Compare times, with intervals that hold together with those of `others` more comparisons."""
    samples: dict[tuple[int, str, str, str], SampleOf | None] = {}

    def cached_sample(side: Side, metric: str) -> SampleOf | None:
        run, target, load, rounds = side
        key = (id(run), target, load, metric)
        if key not in samples:
            samples[key] = sample(run, target, load, metric, definition, costing, (load, rounds))
        return samples[key]

    comparisons: dict[Key, intervals.Comparison] = {}
    for key, (one, other) in questions.items():
        left, right = cached_sample(one, key[1]), cached_sample(other, key[1])
        if left and right:
            comparison = intervals.pair(left, right, key[2])
            if intervals.is_large_enough(comparison):
                comparisons[key] = comparison
    ratios, tail = intervals.compare_with_others(comparisons, seed, others)
    return JointVerdicts(tuple(_verdict(key, ratios.get(key)) for key in questions), tail)


def _verdict(key: Key, answer: intervals.Ratio | None) -> Verdict:
    load, metric, quantile, one, other = key
    if answer is None:
        return Verdict(load, metric, quantile, Finding.TOO_FEW_MEASUREMENTS, one, other)
    ratio, low, high = answer.ratio, answer.low, answer.high
    if ratio > 1:  # `one` takes longer, so `other` is faster
        one, other = other, one
    else:
        ratio, low, high = 1 / ratio, 1 / high, 1 / low
    decision = Finding.FASTER if answer.distinguishable else Finding.NOT_DISTINGUISHABLE
    if low > 1 / NOTICEABLE_RATIO and high < NOTICEABLE_RATIO:
        decision = Finding.EQUALLY_FAST
    return Verdict(load, metric, quantile, decision, one, other, ratio, low, high, answer.noise)
