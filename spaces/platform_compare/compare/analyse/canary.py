"""Whether a canary may go on: what was measured of it, against what was measured of the stable version.

It is promoted when it is shown to be at most `tolerance` slower and dearer and to fail no more often; it is rolled back
when it is shown to be worse; while neither is shown, it is measured on. A p95 can take a canary back, and never holds
one up: it would need many times as many requests.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Literal

from compare.analyse import failure_rates as shares
from compare.analyse import stats, verdict
from compare.analyse.definitions import DEFINITIONS, felt
from compare.analyse.objectives import Objective
from compare.analyse.prices import Hourly, Price
from compare.errors import CompareError, PriceError
from compare.records import GIVE_UP_AFTER, Record, Run

Decision = Literal["promote", "roll back", "go on measuring"]
State = Literal["good", "worse", "open"]
TOLERANCE = 0.10
MORE_FAILURES = 0.05  # the share of requests that may fail more often
LEAST_REQUESTS = 55  # below, even no failure at all does not show that there are less than that
# What is compared, under which name, and whether not knowing it holds the canary back.
SPEEDS = (("ttft", 0.5, "first token", True), ("ttft", 0.95, "first token, p95", False))


@dataclass(frozen=True, slots=True)
class Side:
    """A target of a run."""

    run: Run
    target: str

    def requests(self, load: str) -> list[Record]:
        return self.run.measured(self.target, load)

    @property
    def was_given_up(self) -> bool:
        """Whether so many of its requests failed in a row that no more were sent."""
        last = [record for record in self.run.records if record.target == self.target][-GIVE_UP_AFTER:]
        return len(last) == GIVE_UP_AFTER and not any(record.ok for record in last)


@dataclass(frozen=True, slots=True)
class Check:
    """One figure at one load; `ratio`, between `low` and `high`, is the canary's over the stable one's."""

    load: str
    what: str
    state: State
    text: str
    holds: bool = True
    ratio: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class CanaryDecision:
    """What to do with the canary, and why; `wanted` requests of each at each load would probably tell."""

    decision: Decision
    checks: tuple[Check, ...]
    wanted: int | None


def judge(
    stable: Side,
    canary: Side,
    objective: Objective | None = None,
    prices: tuple[Price, Price] | None = None,
    tolerance: float = TOLERANCE,
) -> CanaryDecision:
    """Judge the canary at every load that was measured of both; `prices` are the stable one's, then the canary's."""
    if not 0 < tolerance < 1:
        raise CompareError(f"A tolerance of {tolerance:g} is not possible.", "Give a share between 0 and 1, like 0.1.")
    loads = [load for load in canary.run.loads if load in stable.run.loads]
    if not loads:
        told = f"{', '.join(stable.run.loads)} and {', '.join(canary.run.loads)}"
        raise CompareError(f"The two were measured at different loads ({told}).", "Measure both at the same.")
    if stable.was_given_up:
        raise CompareError(f"The stable {stable.target} answers nothing itself.", "Mend it before anything is judged.")
    if canary.was_given_up:
        given_up = Check(loads[0], "failures", "worse", f"{GIVE_UP_AFTER} requests failed in a row: it was given up")
        return CanaryDecision("roll back", (given_up,), None)
    dearer = _dearer(stable, canary, prices)
    answers, questions = _compared(stable, canary, loads)
    checks = [check for load in loads for check in _failures(stable, canary, load, objective)]
    checks += [_speed(key, answers.get(key), tolerance, dearer) for key in questions]
    return CanaryDecision(_decision(checks), tuple(checks), _wanted(canary, answers, tolerance))


def _decision(checks: list[Check]) -> Decision:
    if any(check.state == "worse" for check in checks):
        return "roll back"
    return "go on measuring" if any(check.state == "open" and check.holds for check in checks) else "promote"


Key = tuple[str, str, float, str, bool]


def _compared(stable: Side, canary: Side, loads: list[str]) -> tuple[dict[Key, stats.Ratio], list[Key]]:
    """How many times longer the canary takes, in all that is asked; the intervals hold together."""
    questions: list[Key] = []
    comparisons: dict[Hashable, stats.Comparison] = {}
    for load in loads:
        pace = verdict.pace((stable.run, stable.target, load), (canary.run, canary.target, load))
        asked = [*SPEEDS, (pace, 0.5, "pace of tokens", True), ("e2e", 0.5, "cost", True)]
        for metric, quantile, what, holds in asked:
            key = (load, metric, quantile, what, holds)
            questions.append(key)
            one, other = (_sample(side, load, metric) for side in (canary, stable))
            if one and other and stats.enough(comparison := stats.paired(one, other, quantile)):
                comparisons[key] = comparison
    return stats.compare(comparisons, canary.run.seed), questions  # type: ignore[return-value]


def _sample(side: Side, load: str, metric: str) -> stats.Sample | None:
    # Rounds of one run are resampled together: what the machine did is in both or in none.
    return verdict.sample_of(side.run, side.target, load, metric, "spaceport", (id(side.run), load))


def _speed(key: Key, answer: stats.Ratio | None, tolerance: float, dearer: float) -> Check:
    load, _, _, what, holds = key
    if answer is None:
        return Check(load, what, "open", "too few answers to tell", holds)
    times = dearer if what == "cost" else 1.0
    ratio, low, high = answer.ratio * times, answer.low * times, answer.high * times
    # Half of the tolerance: one that is slower by no more than is tolerated is hardly ever taken for worse.
    state: State = "worse" if low > 1 + tolerance / 2 else "good" if high <= 1 + tolerance else "open"
    text = f"{ratio:.2f} times the stable one's ({low:.2f} to {high:.2f})"
    return Check(load, what, state, text, holds, ratio, low, high)


def _failures(stable: Side, canary: Side, load: str, objective: Objective | None) -> Iterator[Check]:
    """The shares of requests that failed, and that missed the objective."""
    sides = stable.requests(load), canary.requests(load)
    paired = stable.run is canary.run
    failed = [[(record.block, not record.ok) for record in side] for side in sides]
    yield _share(load, "failures", shares.compare(*failed, paired=paired))
    if objective:
        missed = [[(record.block, not _met(record, objective)) for record in side] for side in sides]
        yield _share(load, f"outside {objective.name}", shares.compare(*missed, paired=paired))


def _met(record: Record, objective: Objective) -> bool:
    return record.ok and objective.met(felt(record, DEFINITIONS["spaceport"](record)))


def _share(load: str, what: str, found: shares.Difference) -> Check:
    state: State = "worse" if found.is_more else "good" if found.at_most <= MORE_FAILURES else "open"
    text = f"{found.canary:.1%} against {found.stable:.1%}, at most {max(0.0, found.at_most):.1%} more"
    return Check(load, what, state, text)


def _dearer(stable: Side, canary: Side, prices: tuple[Price, Price] | None) -> float:
    """How many times as much the canary's time costs; without prices, time stands for cost."""
    if prices is None:
        return 1.0
    one, other = prices
    if not (isinstance(one, Hourly) and isinstance(other, Hourly)):
        raise PriceError("A canary is judged by what its machine costs an hour.", "Give both a price like 1.25/h.")
    return other.usd_hour / one.usd_hour


def _wanted(canary: Side, answers: dict[Key, stats.Ratio], tolerance: float) -> int | None:
    """Requests that would show a difference of the tolerance, from the noise of these."""
    noise = [answer.noise for key, answer in answers.items() if key[-1]]
    if not noise:
        return None
    rounds = len({record.block for record in canary.run.records if record.phase == "measured"})
    requests = int(canary.run.header["plan"]["requests"])
    return max(LEAST_REQUESTS, stats.needed(max(noise), requests, rounds, difference=tolerance))
