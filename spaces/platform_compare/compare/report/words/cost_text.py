"""Words of the costs: what they are based on, break-even points, and doubts about prices."""

from __future__ import annotations

from datetime import date

from compare.analyse.costs.cost import BreakEven
from compare.analyse.costs.prices import Price, price_doubt
from compare.analyse.quality.paired import Share

NO_PRICE = "No target has a price. Enter a machine or a price for each target, such as 1.25/h."
NO_HOURLY_PRICE = "There is no break-even because no target has an hourly price. Enter one, such as 1.25/h."


def utilisation_text(utilisation: float) -> str:
    share = f"{utilisation:.0%} of the measured throughput" if utilisation < 1 else "the measured throughput"
    return f"Hourly endpoints are priced at {share}."


def break_even_text(even: BreakEven) -> str:
    """Return the request rate from which an hourly endpoint is cheaper."""
    requests = f"{even.requests_per_hour:,.0f} requests per hour"
    if even.capacity_share > 1:
        return (
            f"At the measured throughput, {even.hourly} is never cheaper than {even.per_token}: it would have to "
            f"answer {requests}, {even.capacity_share:.1f} times as many. More concurrency may reach that; measure it."
        )
    share = f"{even.capacity_share:.0%} of the measured throughput"
    return f"From {requests} on ({share}), {even.hourly} is cheaper than {even.per_token}."


def quality_beside_text(target: str, right: Share, other: str, other_right: Share | None) -> str:
    """Return how many answers of an endpoint are right, and of what it's compared with, if that was measured."""
    known = f" {target} answers {right.value:.0%} of the questions right ({right.low:.0%} to {right.high:.0%})"
    if other_right is None:
        return f"{known}; {other} wasn't asked here, so a lower price may buy other answers."
    return f"{known}, {other} {other_right.value:.0%} ({other_right.low:.0%} to {other_right.high:.0%})."


def missing_price_text(target: str) -> str:
    return f"{target} has no price, so its cost is unknown."


def price_warning(price: Price, today: date) -> str | None:
    """Return a warning about an old, undated or uncertain price, or None."""
    match price_doubt(price, today):
        case "old":
            days = (today - price.as_of).days if price.as_of else 0
            return f"The price of {price.name} is from {price.as_of} ({days} days old). Check it."
        case "undated":
            return f"The price of {price.name} has no date ({price.source}). Check it."
        case "uncertain":
            return f"The price of {price.name} is uncertain ({price.confidence}: {price.source})."
        case None:
            return None
