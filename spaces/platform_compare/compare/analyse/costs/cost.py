"""Cost of requests: by the hour at the measured throughput, or by the token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from backends.token_prices import PerToken
from compare.analyse.costs.prices import Hourly, Price
from compare.analyse.metrics.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Cost:
    """USD per 1,000 requests and per million output tokens; None if the metrics don't allow it."""

    price: str
    per_1000_requests: float | None
    per_million_output_tokens: float | None
    utilisation: float | None = None


@dataclass(frozen=True, slots=True)
class BreakEven:
    """From `requests_per_hour` on, the hourly endpoint is cheaper; `capacity_share` is its utilisation at that rate.

    A share above 1 means never: the endpoint can't answer that many. `target` is the endpoint, and `alternative` the
    target that is paid by the token, "" if that is a price alone.
    """

    hourly: str
    per_token: str
    requests_per_hour: float
    capacity_share: float
    target: str = ""
    alternative: str = ""


def cost(metrics: Metrics, price: Price, utilisation: float = 1.0) -> Cost:
    """Return the cost at the measured throughput, of which the endpoint uses the share `utilisation` (0 to 1)."""
    requests, tokens = metrics.requests_per_s, metrics.output_tokens_per_s
    if isinstance(price, Hourly):
        per_second = price.usd_hour / 3600 / utilisation
        return Cost(
            price.name,
            per_second / requests * 1000 if requests else None,
            per_second / tokens * 1e6 if tokens else None,
            utilisation,
        )
    each = _mean_request(metrics, price)
    mean_output = metrics.output_tokens / metrics.succeeded if metrics.output_tokens and metrics.succeeded else None
    return Cost(
        price.name,
        None if each is None else each * 1000,
        each / mean_output * 1e6 if each is not None and mean_output else None,
    )


def break_even(metrics: Metrics, hourly: Hourly, per_token: PerToken) -> BreakEven | None:
    """Return the request rate at which the measured endpoint costs as much as the same tokens bought one by one."""
    each = _mean_request(metrics, per_token)
    if not each or not metrics.requests_per_s:
        return None
    requests_per_hour = hourly.usd_hour / each
    capacity_share = requests_per_hour / (metrics.requests_per_s * 3600)
    return BreakEven(hourly.name, per_token.name, requests_per_hour, capacity_share)


def race_cost(price: Price, seconds: float, input_tokens: int | None, output_tokens: int | None) -> float | None:
    """Return the USD of one request: of its tokens, or of `seconds` on a dedicated machine."""
    if isinstance(price, Hourly):
        return price.usd_hour / 3600 * seconds
    if input_tokens is None or output_tokens is None:
        return None
    return price.request(input_tokens, output_tokens)


def break_evens(
    metrics: Mapping[str, Metrics], prices: Mapping[str, Price], alternatives: Iterable[PerToken] = ()
) -> list[BreakEven]:
    """Return every hourly target against every per-token price: those of the targets and the alternatives."""
    per_token = [
        *((name, price) for name, price in prices.items() if isinstance(price, PerToken)),
        *(("", price) for price in alternatives),
    ]
    return [
        replace(even, target=name, alternative=alternative)
        for name, hourly in prices.items()
        for alternative, price in per_token
        if isinstance(hourly, Hourly) and name in metrics
        if (even := break_even(metrics[name], hourly, price))
    ]


def _mean_request(metrics: Metrics, price: PerToken) -> float | None:
    if metrics.input_tokens is None or metrics.output_tokens is None or not metrics.succeeded:
        return None
    return price.request(metrics.input_tokens / metrics.succeeded, metrics.output_tokens / metrics.succeeded)
