"""A report: all results of a run, each computed once, from metrics and verdicts to costs and caveats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from backends.token_prices import PerToken
from compare.analyse.caveats import find_caveats, run_differences
from compare.analyse.costs.cost import BreakEven, Cost, break_evens, cost
from compare.analyse.costs.prices import Hourly, Price, is_free
from compare.analyse.metrics.client_load import ClientLoad, client_load
from compare.analyse.metrics.groups import Group, request_groups
from compare.analyse.metrics.metrics import Metrics, compute_metrics
from compare.analyse.metrics.objectives import OBJECTIVES, Objective
from compare.analyse.quality.judge_report import JudgeReport, judge_reports
from compare.analyse.quality.paired import Share
from compare.analyse.quality.quality import Measure, shares
from compare.analyse.quality.quality_verdict import MARGIN, QualityVerdict, quality_verdicts, target_pairs
from compare.analyse.telemetry import GpuUse, ServerUse, gpu_use, server_use
from compare.analyse.verdicts.rate_intervals import Interval, requests_per_second, usd_per_1000_requests
from compare.analyse.verdicts.samples import Costing
from compare.analyse.verdicts.verdict import (
    Verdict,
    changed_targets,
    compare_runs,
    earlier_label,
    joint_changes,
    joint_verdicts,
    recommended_requests,
    this_label,
    verdicts,
)
from compare.capacity.read_capacities import read_capacities
from compare.capacity.result import Capacity
from compare.errors import PriceError
from compare.report.charts.chart_style import target_colours
from compare.report.words.caveat_text import caveat_text, differences_text
from compare.report.words.cost_text import (
    NO_HOURLY_PRICE,
    break_even_text,
    missing_price_text,
    price_warning,
    quality_beside_text,
    utilisation_text,
)
from compare.report.words.verdict_text import advice_text
from compare.runs.records import Run


@dataclass
class Report:
    """A run, seen with a definition, an objective and prices by target. Everything derives from the stored run.

    `utilisation` is the share of its capacity that an hourly endpoint uses. `alternatives` are per-token models that
    hourly endpoints are compared with, besides the run's own targets. `price_errors` are prices that can't be used; the
    rest of the report does without them. `catalog` are the names of all targets, whose order decides the colours.
    """

    run: Run
    definition: str = "spaceport"
    objective: Objective = OBJECTIVES["default"]
    prices: Mapping[str, Price] = field(default_factory=dict)
    utilisation: float = 1.0
    earlier: Run | None = None
    alternatives: Sequence[PerToken] = ()
    today: date | None = None
    price_errors: Sequence[PriceError] = ()
    catalog: Sequence[str] = ()
    margin: float = MARGIN
    usd_kwh: float | None = None

    @cached_property
    def colours(self) -> dict[str, str]:
        """The colour of each target, the same in every run and picture of a catalogue."""
        return target_colours(self.run.targets, self.catalog)

    @property
    def main_load(self) -> str:
        """The load that the headline and the cards are about: the first one with measured requests."""
        return next((load for _, load in self.cells), self.run.loads[0])

    @cached_property
    def cells(self) -> dict[tuple[str, str], Metrics]:
        """Metrics by target and load, for the loads with measured requests."""
        return {
            (target, load): self._metrics(target, load)
            for target in self.run.targets
            for load in self.run.loads
            if self.run.measured(target, load)
        }

    @cached_property
    def groups(self) -> dict[tuple[str, str], list[Group]]:
        """Requests by prefix and turn, for workloads with prefixes or conversations."""
        groups = {key: request_groups(self.run, *key, definition=self.definition) for key in self.cells}
        return {key: each for key, each in groups.items() if each}

    @cached_property
    def overall(self) -> dict[str, Metrics]:
        """Metrics by target over all its loads."""
        return {target: self._metrics(target) for target in self.run.targets}

    @cached_property
    def client_loads(self) -> dict[tuple[str, str], ClientLoad]:
        return {(target, load): client_load(self.run, target, load) for target, load in self.cells}

    @property
    def costing(self) -> Costing:
        """The prices that have a say in the verdicts: a price of 0 has no ratio to another."""
        priced = {name: price for name, price in self.prices.items() if not is_free(price)}
        return Costing.of(priced, self.utilisation)

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        return verdicts(self.run, self.definition, self.costing)

    @cached_property
    def capacities(self) -> list[Capacity]:
        """The answers of a capacity search; empty for other runs."""
        return read_capacities(self.run) if self.run.is_search else []

    @cached_property
    def changes(self) -> tuple[Verdict, ...]:
        """Verdicts on this run against the earlier one, if there is one."""
        return compare_runs(self.run, self.earlier, self.definition, self.costing) if self.earlier else ()

    @cached_property
    def quality(self) -> dict[str, dict[Measure, Share]]:
        """Shares of right, supported, wrongly refused and well-formed answers by target; empty without scores."""
        shares_by_target = {target: shares(self.run, target) for target in self.run.targets}
        return {target: each for target, each in shares_by_target.items() if each}

    @cached_property
    def gpu_uses(self) -> dict[tuple[str, str], GpuUse]:
        """What the GPUs did by target and load; empty if they weren't recorded."""
        uses = {key: gpu_use(self.run, *key) for key in self.cells} if self.run.gpus else {}
        return {key: use for key, use in uses.items() if use}

    @cached_property
    def server_uses(self) -> dict[tuple[str, str], ServerUse]:
        """What the servers say of their caches and queues by target and load; empty if they weren't recorded."""
        uses = {key: server_use(self.run, *key) for key in self.cells} if self.run.servers else {}
        return {key: use for key, use in uses.items() if use}

    @cached_property
    def judges(self) -> list[JudgeReport]:
        """What judges say of the answers, apart from their scores; empty without a judge."""
        return judge_reports(self.run)

    @cached_property
    def quality_verdicts(self) -> tuple[QualityVerdict, ...]:
        """Verdicts on the quality of answers; their intervals hold together with those of `verdicts`."""
        tail = joint_verdicts(self.run, self.definition, self.costing).tail
        return quality_verdicts(target_pairs(self.run), tail, self.margin)

    @cached_property
    def quality_changes(self) -> tuple[QualityVerdict, ...]:
        """Verdicts on the quality of this run's answers against those of the earlier one, if there is one."""
        if not self.earlier:
            return ()
        tail = joint_changes(self.run, self.earlier, self.definition, self.costing).tail
        return quality_verdicts(changed_targets(self.run, self.earlier), tail, self.margin, (this_label, earlier_label))

    @cached_property
    def recommended_requests(self) -> int | None:
        """Requests that would detect a 5 % difference between medians at this run's noise."""
        return recommended_requests(self.verdicts, self.run)

    @cached_property
    def costs(self) -> dict[tuple[str, str], Cost]:
        return {
            (target, load): cost(metrics, self.prices[target], self.utilisation)
            for (target, load), metrics in self.cells.items()
            if target in self.prices
        }

    @cached_property
    def cost_intervals(self) -> dict[tuple[str, str], Interval]:
        """The interval of the cost of 1,000 requests, where there are enough blocks."""
        intervals = {key: usd_per_1000_requests(self.run, *key, self.costing) for key in self.costs}
        return {key: each for key, each in intervals.items() if each}

    @cached_property
    def rate_intervals(self) -> dict[tuple[str, str], Interval]:
        """The interval of the requests per second, where there are enough blocks of a closed loop."""
        intervals = {key: requests_per_second(self.run, *key) for key in self.cells}
        return {key: each for key, each in intervals.items() if each}

    @cached_property
    def best_load(self) -> dict[str, str]:
        """The load at which each target answered the most requests per second."""
        best: dict[str, str] = {}
        for (target, load), metrics in self.cells.items():
            rate = metrics.requests_per_s or 0.0
            if target not in best or rate > (self.cells[target, best[target]].requests_per_s or 0.0):
                best[target] = load
        return best

    @cached_property
    def break_evens(self) -> list[BreakEven]:
        busiest = {target: self.cells[target, load] for target, load in self.best_load.items()}
        return break_evens(busiest, self.prices, self.alternatives)

    @property
    def advice(self) -> str:
        """How certain the verdicts are, and how many requests would make them more certain; "" without a verdict."""
        recommended = self.recommended_requests
        if not recommended or self.run.is_search:
            return ""
        return advice_text(recommended, self.run.header["plan"]["requests"])

    @property
    def cost_notes(self) -> list[str]:
        """What the costs are based on, and the break-even points of hourly endpoints."""
        if not self.costs:
            return []
        evens = (f"{break_even_text(even)}{self._quality_beside(even)}" for even in self.break_evens)
        return [utilisation_text(self.utilisation), *evens]

    @cached_property
    def caveats(self) -> list[str]:
        """Everything that a reader needs to know before trusting the run, the most serious first."""
        today = self.today or date.today()
        differences = run_differences(self.run, self.earlier) if self.earlier else []
        warnings = [price_warning(price, today) for price in self.prices.values()]
        unpriced = [name for name in self.run.targets if self.prices and name not in self.prices]
        missing = [missing_price_text(name) for name in unpriced]
        if self.alternatives and not any(isinstance(price, Hourly) for price in self.prices.values()):
            missing.append(NO_HOURLY_PRICE)
        return [
            *([differences_text(differences)] if differences else []),
            *map(caveat_text, find_caveats(self.run)),
            *dict.fromkeys(filter(None, warnings)),
            *missing,
        ]

    @property
    def has_open_loop(self) -> bool:
        return any(record.concurrency is None for record in self.run.records)

    def _quality_beside(self, even: BreakEven) -> str:
        """Return how many answers of both sides of a break-even are right; "" without scores."""
        right = {name: each[Measure.RIGHT] for name, each in self.quality.items() if Measure.RIGHT in each}
        if even.target not in right:
            return ""
        return quality_beside_text(
            even.target, right[even.target], even.alternative or even.per_token, right.get(even.alternative)
        )

    def _metrics(self, target: str, load: str | None = None) -> Metrics:
        return compute_metrics(self.run, target, load, definition=self.definition, objective=self.objective)
