"""Everything that is said of a run, worked out once: figures, verdicts, costs, caveats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from compare.analyse.caveats import caveats, unlike
from compare.analyse.cost import BreakEven, Cost, break_evens, cost
from compare.analyse.definitions import TITLES
from compare.analyse.metrics import ClientLoad, Metrics, client_load, cold_start, compute_metrics
from compare.analyse.objectives import OBJECTIVES, Objective
from compare.analyse.prices import Hourly, PerToken, Price, warning
from compare.analyse.verdict import Verdict, against, recommended, verdicts
from compare.records import Run
from compare.report import tables

APART = "This run and the earlier one were not measured together: whatever else changed is in it too."


@dataclass
class Report:
    """A run seen with a definition, an objective, and prices by target. All of it derives from the stored run.

    `utilisation` is the share of its capacity that an hourly endpoint is used for; `alternatives` are models by
    the token that hourly endpoints are weighed against, besides the run's own.
    """

    run: Run
    definition: str = "spaceport"
    objective: Objective = OBJECTIVES["default"]
    prices: Mapping[str, Price] = field(default_factory=dict)
    utilisation: float = 1.0
    earlier: Run | None = None
    alternatives: Sequence[PerToken] = ()
    today: date | None = None

    @cached_property
    def cells(self) -> dict[tuple[str, str], Metrics]:
        """Figures by target and load, where something was measured."""
        return {
            (target, load): self._figures(target, load)
            for target in self.run.targets
            for load in self.run.loads
            if self.run.measured(target, load)
        }

    @cached_property
    def overall(self) -> dict[str, Metrics]:
        """Figures by target over all its loads."""
        return {target: self._figures(target) for target in self.run.targets}

    @cached_property
    def clients(self) -> dict[tuple[str, str], ClientLoad]:
        return {(target, load): client_load(self.run, target, load) for target, load in self.cells}

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        return verdicts(self.run, self.definition)

    @cached_property
    def changes(self) -> tuple[Verdict, ...]:
        """This run against the earlier one, if there is one."""
        return against(self.run, self.earlier, self.definition) if self.earlier else ()

    @cached_property
    def recommended(self) -> int | None:
        """Requests that would tell medians 5 % apart at the noise of this run."""
        return recommended(self.verdicts, self.run)

    @cached_property
    def costs(self) -> dict[tuple[str, str], Cost]:
        return {
            (target, load): cost(found, self.prices[target], self.utilisation)
            for (target, load), found in self.cells.items()
            if target in self.prices
        }

    @cached_property
    def best_load(self) -> dict[str, str]:
        """The load at which each target answered the most requests a second."""
        best: dict[str, str] = {}
        for (target, load), found in self.cells.items():
            rate = found.requests_per_s or 0.0
            if target not in best or rate > (self.cells[target, best[target]].requests_per_s or 0.0):
                best[target] = load
        return best

    @cached_property
    def break_evens(self) -> list[BreakEven]:
        busiest = {target: self.cells[target, load] for target, load in self.best_load.items()}
        return break_evens(busiest, self.prices, self.alternatives)

    @property
    def advice(self) -> str:
        """How sure the verdicts are, and how many requests would make them surer; "" without a verdict."""
        wanted, had = self.recommended, self.run.header["plan"]["requests"]
        if not wanted:
            return ""
        enough = "that was enough" if wanted <= had else f"this run had {had:,}"
        return (
            "Intervals hold together at 95 %. To tell medians 5 % apart at this noise: about "
            f"{wanted:,} requests a target; {enough}."
        )

    @property
    def cost_rows(self) -> list[list[str]]:
        """The costs as text, under `tables.COST_HEADS`."""
        return [
            [target, load, each.price, tables.usd(each.per_1000_requests), tables.usd(each.per_million_output_tokens)]
            for (target, load), each in self.costs.items()
        ]

    @property
    def cost_notes(self) -> list[str]:
        """What the costs are based on, and where an hourly endpoint begins to pay."""
        used = f"{self.utilisation:.0%} of what was measured" if self.utilisation < 1 else "the measured throughput"
        return [f"Endpoints by the hour at {used}.", *map(_even, self.break_evens)] if self.costs else []

    @cached_property
    def caveats(self) -> list[str]:
        today = self.today or date.today()
        doubts = [warning(price, today) for price in self.prices.values()]
        unpriced = [name for name in self.run.targets if self.prices and name not in self.prices]
        missing = [f"{name} has no price: its cost is not known." for name in unpriced]
        if self.alternatives and not any(isinstance(price, Hourly) for price in self.prices.values()):
            missing.append("No target has a price by the hour, so there is no break-even. Give it one, such as 1.25/h.")
        apart = unlike(self.run, self.earlier) if self.earlier else []
        return [*apart, *caveats(self.run), *dict.fromkeys(filter(None, doubts)), *missing]

    @cached_property
    def repetition(self) -> list[list[str]]:
        """What is needed to repeat the run, as pairs of a name and a text."""
        header = self.run.header
        plan, environment, workload = header["plan"], header["environment"], header["workload"]
        packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
        machine = f"{environment['system']}, {environment['processors']} processors, Python {environment['python']}"
        return [
            ["Started", header["started"]],
            ["Run", f"{header['id']}, seed {plan['seed']}"],
            ["Workload", f"{workload['description']} ({workload['prompts']} prompts, hash {workload['hash']})"],
            ["Loads", f"{', '.join(header['loads'])}; {plan['requests']} requests each, {plan['warmup']} before them"],
            ["Machine", machine],
            ["Packages", packages],
            *([name, _settings(target)] for name, target in header["targets"].items()),
            *([f"ClientLoad, {target}, {load}", _fared(each)] for (target, load), each in self.clients.items()),
        ]

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values; times in milliseconds, a percentile that the sample does not allow as None."""
        return {
            "version": 1,
            "run": self.run.header,
            "ended": self.run.ended,
            "definition": self.definition,
            "objective": asdict(self.objective),
            "targets": {target: self._target(target) for target in self.run.targets},
            "verdicts": [asdict(verdict) | {"text": verdict.text} for verdict in self.verdicts],
            "changes": [asdict(verdict) | {"text": verdict.text} for verdict in self.changes],
            "recommended_requests": self.recommended,
            "break_even": [asdict(even) for even in self.break_evens],
            "caveats": self.caveats,
        }

    def markdown(self) -> str:
        """The table of figures, the verdicts and the caveats, to paste into an issue or a document."""
        header = self.run.header
        lines = [
            f"**{' against '.join(self.run.targets)}** · {header['workload']['description']} · {header['started']} · "
            f"{TITLES[self.definition]}'s definitions, times in ms",
            "",
            tables.markdown_table(tables.HEADS, [tables.row(*key, found) for key, found in self.cells.items()]),
            "",
            *(f"- {verdict.load}: {verdict.text}" for verdict in (*self.verdicts, *self.changes)),
            *(f"- Note: {text}" for text in (APART, *self.caveats) if text != APART or self.changes),
            *([f"- {self.advice}"] if self.advice else []),
        ]
        if self.costs:
            lines[3:3] = [
                "",
                tables.markdown_table(tables.COST_HEADS, self.cost_rows),
                "",
                *(f"- {text}" for text in self.cost_notes),
            ]
        return (
            "\n".join([*lines, "", "To repeat it:", "", *(f"- {name}: {text}" for name, text in self.repetition)])
            + "\n"
        )

    def _figures(self, target: str, load: str | None = None) -> Metrics:
        return compute_metrics(self.run, target, load, definition=self.definition, objective=self.objective)

    def _target(self, target: str) -> dict[str, Any]:
        first = cold_start(self.run, target)
        by_load = {
            load: asdict(found)
            | {"client": asdict(self.clients[target, load])}
            | ({"cost": asdict(self.costs[target, load])} if (target, load) in self.costs else {})
            for (name, load), found in self.cells.items()
            if name == target
        }
        start = {"ttft_ms": first[0] * 1000, "e2e_ms": first[1] * 1000} if first else None
        return asdict(self.overall[target]) | {"cold": start, "by_load": by_load}


def _settings(target: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{key} = {value}" for key, value in target["settings"].items())
    model = target.get("served", {}).get("model")
    return f"{settings}; serves {model}" if model else settings


def _even(even: BreakEven) -> str:
    told = f"{even.requests_per_hour:,.0f} requests an hour"
    if even.capacity_share > 1:
        return (
            f"At the throughput that was measured {even.hourly} is never cheaper than {even.per_token}: it would "
            f"have to answer {told}, {even.capacity_share:.1f} times as many. More at once may reach that: measure it."
        )
    share = f"{even.capacity_share:.0%} of what was measured"
    return f"From {told} on ({share}) {even.hourly} is cheaper than {even.per_token}."


def _fared(each: ClientLoad) -> str:
    """How the client fared, in a line."""
    share = "–" if each.cpu_share is None else f"{each.cpu_share:.0%}"
    lags = f"lag p50 {tables.milliseconds(each.lag_p50_ms)} ms, p99 {tables.milliseconds(each.lag_p99_ms)} ms"
    return f"{lags}; CPU {share}; {each.new_connections} of {each.known_connections} connections were new"


def spot_prices(prices: Mapping[str, Price]) -> dict[str, Price]:
    """The same prices at spot where there is one; what is paid by the token stays."""
    return {
        name: price.at_spot() if isinstance(price, Hourly) and price.spot else price for name, price in prices.items()
    }
