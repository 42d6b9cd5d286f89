"""Number formats of the report: as many digits as are meaningful, and a dash for a missing value."""

from __future__ import annotations

from datetime import UTC, datetime
from math import floor, log10

MISSING = "–"


def milliseconds(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def rate(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.3f}"


def signed_points(share: float, digits: int = 0) -> str:
    """Return a difference of shares in points with its sign; one that rounds to nothing is "0"."""
    text = f"{share * 100:+.{digits}f}"
    return text if float(text) else f"{0:.{digits}f}"


def usd(value: float | None) -> str:
    if value is None:
        return MISSING
    # Two digits that say something, also of very little: "0.10", "0.000012".
    return f"{value:,.2f}" if abs(value) >= 1 or value == 0 else f"{value:.{1 - floor(log10(abs(value)))}f}"


def percent(value: float | None) -> str:
    return MISSING if value is None else f"{value:.0%}"


def ratio_span(low: float | None, high: float | None) -> str:
    """Return the interval of a ratio, both ends with the digits that its lower end needs."""
    if low is not None and high is not None and low < 1.2 <= high < 10:
        return f"({ratio(low)} to {high:.2f})"
    return f"({ratio(low)} to {ratio(high)})"


def ratio(value: float | None) -> str:
    """Return a ratio with as many digits as are meaningful."""
    if value is None:
        return "?"
    return f"{value:.2f}" if value < 1.2 else f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def moment(text: str) -> str:
    """Return a moment in ISO 8601 as a date and a time in UTC; any other text stays as it is."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if when.tzinfo else text
