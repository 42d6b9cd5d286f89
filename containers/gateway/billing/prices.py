"""Prices of targets: by the token, or by the hour of the machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends import NotConfigured
from backends.token_prices import NoPrice, PerToken, price_at, read_token_price, read_usd
from backends.variables import expand

EXAMPLES = '"tokens:0.15/0.60" for USD per million input and output tokens, or "1.25/h" for USD an hour of its machine'
_HOUR = ("/h", "/hour", "per hour", "an hour")


@dataclass(frozen=True, slots=True)
class PerHour:
    """A machine's price in USD an hour; `answers_at_once` of its answers share it."""

    usd_hour: float
    answers_at_once: int = 1

    def time(self, seconds: float) -> float:
        """Return the USD of an answer that takes so long."""
        return self.usd_hour / 3600 * seconds / self.answers_at_once


Price = PerToken | PerHour


def read_price(entry: Mapping[str, Any]) -> tuple[Price | None, str]:
    """Return the price of an entry of the catalogue, or why it has none.

    Without a price in the catalogue, only an API whose address genai-prices knows has one: a model of the same name on
    a machine of one's own costs something else.
    """
    text = str(entry.get("price") or "").strip()
    try:
        if text.lower().startswith("tokens:"):
            return read_token_price(text[7:].strip()), ""
        if text.lower().endswith(_HOUR):
            return PerHour(_read_hourly(text)), ""
        if text:
            return None, f"{text!r} isn't a price for the gateway, which doesn't have the comparator's table."
        if entry.get("kind") == "openai" and {"url", "model"} <= entry.keys():
            url, model = (str(expand(entry[name], os.environ)) for name in ("url", "model"))
            return price_at(url, model), ""
    except (NoPrice, NotConfigured) as error:
        return None, str(error)
    return None, "Its entry in the catalogue has no price."


def _read_hourly(text: str) -> float:
    """Return the USD of a price such as 1.25/h or $1.25 per hour; `NoPrice` if there are none in it."""
    price = text.lower()
    for unit in _HOUR:
        price = price.removesuffix(unit)
    return read_usd(price.strip().removesuffix("usd").strip().removeprefix("$"), text)
