"""Number formats of the report: as many digits as are meaningful, and a dash for a missing value."""

from __future__ import annotations

MISSING = "–"


def milliseconds(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def rate(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.3f}"


def usd(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{value:,.2f}" if value >= 1 or value == 0 else f"{value:.2g}"


def percent(value: float | None) -> str:
    return MISSING if value is None else f"{value:.0%}"


def ratio(value: float | None) -> str:
    """Return a ratio with as many digits as are meaningful."""
    if value is None:
        return "?"
    return f"{value:.2f}" if value < 1.2 else f"{value:.1f}" if value < 10 else f"{value:,.0f}"
