"""Canary decisions: promote, roll back, or keep measuring, from measurements of the canary and the stable release.

A canary is promoted once it is shown to be at most `tolerance` slower and more expensive and to fail no more often.
If questions were asked, it also has to answer at most `max_loss` fewer of them right. It is rolled back once it is
shown to be worse. Until then, more is measured. A p95 can cause a rollback but never
blocks a promotion, because it would need many times as many requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from compare.analyse.canary.canary_quality import MAX_LOSS, RightAnswers, compare_right_answers
from compare.analyse.costs.prices import Hourly, Price
from compare.analyse.metrics.definitions import DEFINITIONS, user_timing
from compare.analyse.metrics.failure_rates import RateDifference, compare_rates
from compare.analyse.metrics.objectives import Objective
from compare.analyse.verdicts import intervals, verdict
from compare.analyse.verdicts.resamples import Sample
from compare.analyse.verdicts.samples import metric_sample
from compare.errors import CompareError, PriceError
from compare.runs.records import Record, Run, has_stopped

TOLERANCE = 0.10
MAX_FAILURE_INCREASE = 0.05  # tolerated increase of the failure rate
MIN_REQUESTS = 55  # with fewer requests, even zero failures can't show an increase below the tolerance


class Decision(StrEnum):
    """What to do with the canary; the values are those of the JSON output."""

    PROMOTE = "promote"
    ROLL_BACK = "roll back"
    KEEP_MEASURING = "go on measuring"


class CheckState(StrEnum):
    """Whether a metric of the canary is good enough; undecided until there is enough data."""

    GOOD = "good"
    WORSE = "worse"
    UNDECIDED = "open"


class CheckName(StrEnum):
    """What a check compares; `UNREACHABLE` is the only check of a canary that doesn't answer."""

    UNREACHABLE = "unreachable"
    FAILURES = "failures"
    OBJECTIVE = "objective"
    TTFT = "ttft"
    TTFT_P95 = "ttft p95"
    PACE = "pace"
    COST = "cost"
    RIGHT = "right answers"


@dataclass(frozen=True, slots=True)
class Release:
    """One release: a target of a run."""

    run: Run
    target: str

    def requests(self, load: str) -> list[Record]:
        return self.run.measured(self.target, load)

    @property
    def stopped_answering(self) -> bool:
        """True if so many requests failed in a row that the run stopped sending to it."""
        return has_stopped([record for record in self.run.records if record.target == self.target])


@dataclass(frozen=True, slots=True)
class Check:
    """One metric at one load, and its state. An undecided check blocks a promotion if it is `required`.

    `ratio`, from `low` to `high`, is the canary's value divided by the stable one's; `rates` compares failures, and
    `right` right answers.
    """

    load: str
    name: CheckName
    state: CheckState
    required: bool = True
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    rates: RateDifference | None = None
    right: RightAnswers | None = None


@dataclass(frozen=True, slots=True)
class CanaryDecision:
    """A decision and its checks; `recommended_requests` per target and load would probably settle an undecided one.

    So would `recommended_questions`, if it's undecided whether enough answers are right.
    """

    decision: Decision
    checks: tuple[Check, ...]
    recommended_requests: int | None
    recommended_questions: int | None = None


def decide(
    stable: Release,
    canary: Release,
    objective: Objective | None = None,
    prices: tuple[Price, Price] | None = None,
    tolerance: float = TOLERANCE,
    max_loss: float = MAX_LOSS,
) -> CanaryDecision:
    """Compare the canary with the stable release at every shared load; `prices` are stable first, then canary."""
    if not 0 < tolerance < 1:
        raise CompareError(f"A tolerance of {tolerance:g} isn't possible.", "Use a share between 0 and 1, like 0.1.")
    loads = [load for load in canary.run.loads if load in stable.run.loads]
    if not loads:
        names = f"{', '.join(stable.run.loads)} and {', '.join(canary.run.loads)}"
        raise CompareError(f"The two were measured at different loads ({names}).", "Measure both at the same load.")
    if stable.stopped_answering:
        raise CompareError(
            f"The stable target {stable.target} doesn't answer.", "Fix it before you compare a canary with it."
        )
    if canary.stopped_answering:
        return CanaryDecision(Decision.ROLL_BACK, (Check(loads[0], CheckName.UNREACHABLE, CheckState.WORSE),), None)
    cost_factor = _cost_factor(prices)
    questions = [question for load in loads for question in _questions(stable, canary, load)]
    ratios = _compare(stable, canary, questions)
    checks = [check for load in loads for check in _failure_checks(stable, canary, load, objective)]
    checks += [_speed_check(question, ratios.get(question), tolerance, cost_factor) for question in questions]
    right = _right_check(stable, canary, loads, max_loss)
    checks += [right] if right else []
    questions_wanted = right.right.required if right and right.right and right.state is CheckState.UNDECIDED else None
    recommended = _recommended_requests(canary, ratios, tolerance)
    return CanaryDecision(_decision(checks), tuple(checks), recommended, questions_wanted)


def _right_check(stable: Release, canary: Release, loads: list[str], max_loss: float) -> Check | None:
    """Compare the right answers at all loads; None without questions that can be judged."""
    right = compare_right_answers((stable.run, stable.target), (canary.run, canary.target), max_loss)
    if right is None:
        return None
    state = _state(is_worse=right.is_worse(max_loss), is_good=right.is_good(max_loss))
    return Check(", ".join(loads), CheckName.RIGHT, state, right=right)


def _decision(checks: list[Check]) -> Decision:
    if any(check.state is CheckState.WORSE for check in checks):
        return Decision.ROLL_BACK
    if any(check.state is CheckState.UNDECIDED and check.required for check in checks):
        return Decision.KEEP_MEASURING
    return Decision.PROMOTE


class _Question(NamedTuple):
    load: str
    name: CheckName
    metric: str
    quantile: float
    required: bool


def _questions(stable: Release, canary: Release, load: str) -> list[_Question]:
    pace = verdict.pace_metric((stable.run, stable.target, load), (canary.run, canary.target, load))
    return [
        _Question(load, CheckName.TTFT, "ttft", 0.5, True),
        _Question(load, CheckName.TTFT_P95, "ttft", 0.95, False),
        _Question(load, CheckName.PACE, pace, 0.5, True),
        _Question(load, CheckName.COST, "e2e", 0.5, True),
    ]


def _compare(stable: Release, canary: Release, questions: list[_Question]) -> dict[_Question, intervals.Ratio]:
    """Return how many times longer the canary takes, per question; the intervals are simultaneous."""
    comparisons: dict[_Question, intervals.Comparison] = {}
    for question in questions:
        one, other = (_sample(release, question.load, question.metric) for release in (canary, stable))
        if one and other and intervals.is_large_enough(comparison := intervals.pair(one, other, question.quantile)):
            comparisons[question] = comparison
    return intervals.compare(comparisons, canary.run.seed)


def _sample(release: Release, load: str, metric: str) -> Sample | None:
    # Rounds of one run are resampled together, so what the machine did affects both or neither.
    rounds = (id(release.run), load)
    return metric_sample(release.run, release.target, load, metric, "spaceport", rounds)


def _speed_check(question: _Question, answer: intervals.Ratio | None, tolerance: float, cost_factor: float) -> Check:
    if answer is None:
        return Check(question.load, question.name, CheckState.UNDECIDED, question.required)
    factor = cost_factor if question.name is CheckName.COST else 1.0
    ratio, low, high = answer.ratio * factor, answer.low * factor, answer.high * factor
    # Half of the tolerance, so that a canary inside the tolerance is hardly ever called worse.
    state = _state(is_worse=low > 1 + tolerance / 2, is_good=high <= 1 + tolerance)
    return Check(question.load, question.name, state, question.required, ratio, low, high)


def _failure_checks(stable: Release, canary: Release, load: str, objective: Objective | None) -> Iterator[Check]:
    """Compare the rates of failed requests, and of requests that missed the objective."""
    requests = stable.requests(load), canary.requests(load)
    paired = stable.run is canary.run
    failed = [[(record.block, not record.ok) for record in side] for side in requests]
    yield _rate_check(load, CheckName.FAILURES, compare_rates(*failed, paired=paired))
    if objective:
        missed = [[(record.block, not _meets(record, objective)) for record in side] for side in requests]
        yield _rate_check(load, CheckName.OBJECTIVE, compare_rates(*missed, paired=paired))


def _meets(record: Record, objective: Objective) -> bool:
    return record.ok and objective.is_met(user_timing(record, DEFINITIONS["spaceport"](record)))


def _rate_check(load: str, name: CheckName, rates: RateDifference) -> Check:
    is_good = rates.upper_bound <= MAX_FAILURE_INCREASE
    return Check(load, name, _state(is_worse=rates.is_higher, is_good=is_good), rates=rates)


def _state(*, is_worse: bool, is_good: bool) -> CheckState:
    return CheckState.WORSE if is_worse else CheckState.GOOD if is_good else CheckState.UNDECIDED


def _cost_factor(prices: tuple[Price, Price] | None) -> float:
    """Return how many times more the canary's time costs; without prices, cost is proportional to time."""
    if prices is None:
        return 1.0
    stable, canary = prices
    if not (isinstance(stable, Hourly) and isinstance(canary, Hourly)):
        raise PriceError("A canary is compared by its machine's hourly price.", "Give both a price like 1.25/h.")
    return canary.usd_hour / stable.usd_hour


def _recommended_requests(canary: Release, ratios: dict[_Question, intervals.Ratio], tolerance: float) -> int | None:
    """Return the requests that would detect a difference of the tolerance, given this run's noise."""
    noise = [answer.noise for question, answer in ratios.items() if question.required]
    if not noise:
        return None
    rounds = len({record.block for record in canary.run.records if record.phase == "measured"})
    requests = int(canary.run.header["plan"]["requests"])
    return max(MIN_REQUESTS, intervals.required_requests(max(noise), requests, rounds, difference=tolerance))
