"""Money in whole nano-USD: sums of them are exact, and a token of the cheapest model is many."""

from __future__ import annotations

NANO = 1_000_000_000


def from_usd(usd: float) -> int:
    """Return USD as nano-USD."""
    return round(usd * NANO)


def show(nano: int) -> str:
    """Return nano-USD as a text in USD: 0.25, 12.5, or 0.00000015 for a token."""
    whole, rest = divmod(abs(nano), NANO)
    digits = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if nano < 0 else ''}{whole}.{digits}"
