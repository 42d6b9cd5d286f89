"""What a person chooses for a report, and the report of a run with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backends.token_prices import PerToken
from compare.analyse.costs.prices import Prices, run_prices, spot_prices
from compare.analyse.metrics.objectives import OBJECTIVES
from compare.analyse.quality.quality_verdict import MARGIN, check_margin
from compare.errors import PriceError
from compare.report.report import Report
from compare.runs.records import Run


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Options of a report; `prices` are texts "target=price", `alternatives` names of models priced per token.

    Targets whose shares of right answers differ by less than the `margin` are as good as each other.
    """

    definition: str = "spaceport"
    objective: str = "default"
    prices: Sequence[str] = ()
    utilisation: float = 1.0
    spot: bool = False
    alternatives: Sequence[str] = ()
    margin: float = MARGIN
    usd_kwh: float | None = None


def build_report(
    run: Run, earlier: Run | None, options: ReportOptions, table: Prices, catalog: Sequence[str] = ()
) -> Report:
    """Return the report of a run, with prices from `table`, optionally compared with an earlier run.

    A price that can't be used is left out, and its error is in `price_errors`.
    """
    prices, errors = run_prices(run, options.prices, table)
    alternatives = []
    for model in options.alternatives:
        try:
            alternatives.append(table.find(f"tokens:{model}"))
        except PriceError as error:
            errors.append(error)
    return Report(
        run,
        options.definition,
        OBJECTIVES[options.objective],
        spot_prices(prices) if options.spot else prices,
        options.utilisation,
        earlier,
        [price for price in alternatives if isinstance(price, PerToken)],
        price_errors=errors,
        catalog=catalog,
        margin=check_margin(options.margin),
        usd_kwh=options.usd_kwh,
    )
