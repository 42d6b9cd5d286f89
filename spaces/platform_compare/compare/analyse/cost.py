"""What requests cost: by the hour at the throughput that was measured, or by the token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from compare.analyse.metrics import Metrics
from compare.analyse.prices import Hourly, PerToken, Price


@dataclass(frozen=True, slots=True)
class Cost:
    """USD per 1,000 requests and per million output tokens; None where the figures do not allow it."""

    price: str
    per_1000_requests: float | None
    per_million_output_tokens: float | None
    utilisation: float | None = None


@dataclass(frozen=True, slots=True)
class BreakEven:
    """From `requests_per_hour` on, the hourly endpoint is cheaper; `capacity_share` is how full it is then.

    A share above 1 means never: it cannot answer so many.
    """

    hourly: str
    per_token: str
    requests_per_hour: float
    capacity_share: float


def cost(found: Metrics, price: Price, utilisation: float = 1.0) -> Cost:
    """The cost at the measured throughput, of which the endpoint uses the share `utilisation` (0 to 1)."""
    requests, tokens = found.requests_per_s, found.output_tokens_per_s
    if isinstance(price, Hourly):
        per_second = price.usd_hour / 3600 / utilisation
        return Cost(
            price.name,
            per_second / requests * 1000 if requests else None,
            per_second / tokens * 1e6 if tokens else None,
            utilisation,
        )
    each = _request(found, price)
    mean_output = found.output_tokens / found.succeeded if found.output_tokens and found.succeeded else None
    return Cost(
        price.name,
        None if each is None else each * 1000,
        each / mean_output * 1e6 if each is not None and mean_output else None,
    )


def break_even(found: Metrics, hourly: Hourly, per_token: PerToken) -> BreakEven | None:
    """Where the endpoint that gave `found` costs as much as the same tokens bought one by one."""
    each = _request(found, per_token)
    if not each or not found.requests_per_s:
        return None
    wanted = hourly.usd_hour / each
    return BreakEven(hourly.name, per_token.name, wanted, wanted / (found.requests_per_s * 3600))


def race_cost(price: Price, seconds: float, input_tokens: int | None, output_tokens: int | None) -> float | None:
    """USD of one request that had the machine to itself for so long, or of its tokens."""
    if isinstance(price, Hourly):
        return price.usd_hour / 3600 * seconds
    if input_tokens is None or output_tokens is None:
        return None
    return price.request(input_tokens, output_tokens)


def break_evens(
    found: Mapping[str, Metrics], prices: Mapping[str, Price], alternatives: Iterable[PerToken] = ()
) -> list[BreakEven]:
    """Every hourly target against every target, and every alternative, that is paid by the token."""
    by_token = [*(price for price in prices.values() if isinstance(price, PerToken)), *alternatives]
    return [
        even
        for name, hourly in prices.items()
        for price in by_token
        if isinstance(hourly, Hourly) and name in found
        if (even := break_even(found[name], hourly, price))
    ]


def _request(found: Metrics, price: PerToken) -> float | None:
    if found.input_tokens is None or found.output_tokens is None or not found.succeeded:
        return None
    return price.request(found.input_tokens / found.succeeded, found.output_tokens / found.succeeded)
