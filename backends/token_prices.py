"""Prices by the token: what a person enters, or what genai-prices knows of a model."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from backends.errors import SpaceportError

_TOKENS = re.compile(r"\$?(-?[\d.]+)\s*/\s*\$?(-?[\d.]+)")


class NoPrice(SpaceportError):
    """A price that is missing, negative or misspelled."""


@dataclass(frozen=True, slots=True)
class PerToken:
    """A model's price in USD per million input and output tokens."""

    name: str
    usd_input: float
    usd_output: float
    source: str
    as_of: date | None = None
    confidence: str = ""

    def request(self, input_tokens: float, output_tokens: float) -> float:
        """Return the USD of a request of that size."""
        return (input_tokens * self.usd_input + output_tokens * self.usd_output) / 1e6


def read_token_price(text: str) -> PerToken:
    """Return the price that `text` contains, such as 0.15/0.60, or whose model it names, such as openai/gpt-4o."""
    if match := _TOKENS.fullmatch(text):
        each = [read_usd(part, text) for part in match.groups()]
        return PerToken(f"{each[0]:g}/{each[1]:g} USD per million tokens", each[0], each[1], "entered by the user")
    provider, _, model = text.rpartition("/")
    try:
        return _known_price(model, provider=provider or None)
    except LookupError as error:
        raise NoPrice(
            f"genai-prices doesn't know {text!r}.", "Write provider/model, or enter the price: 0.15/0.60."
        ) from error


def price_at(url: str, model: str) -> PerToken:
    """Return the price of a model at the address of its API; `NoPrice` if genai-prices doesn't know them together."""
    try:
        return _known_price(model, url=url)
    except LookupError as error:
        raise NoPrice(f"genai-prices doesn't know {model!r} at that address.", "Enter its price.") from error


def read_usd(value: Any, where: str) -> float:
    """Return a price as a number; `NoPrice` names `where` it is wrong."""
    try:
        usd = float(value)
    except (TypeError, ValueError):
        raise NoPrice(f"The price {value!r} of {where} isn't a number.", "Use USD, such as 1.25.") from None
    if not math.isfinite(usd) or usd < 0:
        raise NoPrice(f"The price {usd:g} of {where} is negative or not a number.", "Use USD of 0 or more.")
    return usd


def _known_price(model: str, *, provider: str | None = None, url: str = "") -> PerToken:
    from importlib.metadata import version

    import genai_prices

    usage = genai_prices.Usage(input_tokens=1000, output_tokens=1000)
    if url:
        price = genai_prices.calc_price(usage, model_ref=model, provider_api_url=url)
    else:
        price = genai_prices.calc_price(usage, model_ref=model, provider_id=provider)
    return PerToken(
        f"{price.provider.name} {price.model.name or price.model.id}",
        float(price.input_price) * 1000,
        float(price.output_price) * 1000,
        f"genai-prices {version('genai-prices')}",
    )
