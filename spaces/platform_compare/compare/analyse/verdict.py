"""What a run says, in words: who is faster at what, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Literal

from compare.analyse import stats
from compare.analyse.definitions import DEFINITIONS, Timing, felt
from compare.analyse.metrics import coalesced
from compare.records import Run

Decision = Literal["faster", "alike", "not distinguishable", "too few"]
# Less than this is no difference that anybody feels, however sure it is.
MATTERS = 1.01
# Above this share of texts that come together, gaps are those of the network; tokens are asked instead.
COALESCED = 0.1
QUANTILES = {0.5: "", 0.95: " at p95"}
METRICS: dict[str, tuple[str, Callable[[Timing], Iterable[float]]]] = {
    "ttft": ("to the first token", lambda timing: (timing.first_token,)),
    "itl": ("from token to token", lambda timing: timing.gaps),
    "e2e": ("to the end of the answer", lambda timing: (timing.end_to_end,)),
    "tpot": ("per output token", lambda timing: filter(None, (timing.per_output_token,))),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One comparison. `ratio` says how many times `faster` is faster than `slower`, between `low` and `high`."""

    load: str
    metric: str
    quantile: float
    decision: Decision
    faster: str
    slower: str
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    noise: float | None = None

    @property
    def text(self) -> str:
        what = METRICS[self.metric][0] + QUANTILES[self.quantile]
        if self.decision == "too few":
            return f"{self.faster} and {self.slower}, {what}: too few measurements to tell"
        interval = f"({number(self.low)} to {number(self.high)})"
        if self.decision == "faster":
            return f"{self.faster} is {number(self.ratio)} times faster {what} than {self.slower} {interval}"
        if self.decision == "alike":
            return f"{self.faster} and {self.slower} are alike {what}: less than 1 % apart {interval}"
        return f"{self.faster} and {self.slower} are not distinguishable {what} {interval}"


def number(value: float | None) -> str:
    """A ratio with as many digits as say something."""
    if value is None:
        return "?"
    return f"{value:.2f}" if value < 1.2 else f"{value:.1f}" if value < 10 else f"{value:,.0f}"


@lru_cache(maxsize=8)
def verdicts(run: Run, definition: str = "spaceport") -> tuple[Verdict, ...]:
    """Every pair of targets at every load; all intervals of the run hold at once."""
    return _judge(
        {
            (load, metric, quantile, one, other): (
                (run, one, load, "all"),
                (run, other, load, "all"),
            )
            for load in run.loads
            for one, other in combinations(run.targets, 2)
            for metric in _metrics((run, one, load), (run, other, load))
            for quantile in QUANTILES
        },
        run.seed,
        definition,
    )


@lru_cache(maxsize=8)
def against(run: Run, earlier: Run, definition: str = "spaceport") -> tuple[Verdict, ...]:
    """Targets and loads that two runs share, now against earlier; what changed between the runs is in it too."""
    shared = [(load, name) for load in run.loads if load in earlier.loads for name in run.targets]
    return _judge(
        {
            (load, metric, quantile, f"{name} (this run)", f"{name} (earlier)"): (
                (run, name, load, "this"),
                (earlier, name, load, "earlier"),
            )
            for load, name in shared
            if name in earlier.targets
            for metric in _metrics((run, name, load), (earlier, name, load))
            for quantile in QUANTILES
        },
        run.seed,
        definition,
    )


def recommended(found: Iterable[Verdict], run: Run) -> int | None:
    """Requests a target and load that would tell medians 5 % apart, from the noise of this run."""
    noise = [verdict.noise for verdict in found if verdict.noise is not None and verdict.quantile == 0.5]
    rounds = len({record.block for record in run.records if record.phase == "measured"})
    return stats.needed(max(noise), run.header["plan"]["requests"], rounds) if noise else None


Key = tuple[str, str, float, str, str]
Side = tuple[Run, str, str, Hashable]


def _metrics(*sides: tuple[Run, str, str]) -> tuple[str, ...]:
    """What is compared."""
    return ("ttft", pace(*sides), "e2e")


def pace(*sides: tuple[Run, str, str]) -> str:
    """How fast tokens follow one another: gaps between texts, or where these say nothing of it, the time per token."""
    return "tpot" if any(coalesced(*side) > COALESCED for side in sides) else "itl"


def _judge(questions: dict[Key, tuple[Side, Side]], seed: int, definition: str) -> tuple[Verdict, ...]:
    samples: dict[tuple[int, str, str, str], stats.Sample | None] = {}

    def sampled(side: Side, metric: str) -> stats.Sample | None:
        run, target, load, rounds = side
        key = (id(run), target, load, metric)
        if key not in samples:
            samples[key] = sample_of(run, target, load, metric, definition, (load, rounds))
        return samples[key]

    asked: dict[Hashable, stats.Comparison] = {}
    for key, (one, other) in questions.items():
        left, right = sampled(one, key[1]), sampled(other, key[1])
        if left and right:
            comparison = stats.paired(left, right, key[2])
            if stats.enough(comparison):
                asked[key] = comparison
    answers = stats.compare(asked, seed)
    return tuple(_verdict(key, answers.get(key)) for key in questions)


def sample_of(run: Run, target: str, load: str, metric: str, definition: str, rounds: Hashable) -> stats.Sample | None:
    """The values of one figure of one target, or None where it has none."""
    values: list[float] = []
    blocks: list[int] = []
    for record in run.measured(target, load):
        if record.ok:
            found = list(METRICS[metric][1](felt(record, DEFINITIONS[definition](record))))
            values += found
            blocks += [record.block] * len(found)
    return stats.sample(values, blocks, rounds) if values else None


def _verdict(key: Key, answer: stats.Ratio | None) -> Verdict:
    load, metric, quantile, one, other = key
    if answer is None:
        return Verdict(load, metric, quantile, "too few", one, other)
    ratio, low, high = answer.ratio, answer.low, answer.high
    if ratio > 1:  # `one` takes longer: the other is the faster
        one, other = other, one
    else:
        ratio, low, high = 1 / ratio, 1 / high, 1 / low
    decision: Decision = "faster" if answer.distinguishable else "not distinguishable"
    if low > 1 / MATTERS and high < MATTERS:
        decision = "alike"
    return Verdict(load, metric, quantile, decision, one, other, ratio, low, high, answer.noise)
