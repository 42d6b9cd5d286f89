"""Numbers from a distribution: tokens of prompts and answers, turns, seconds."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

# How many standard deviations the 95th percentile of a normal distribution is above its median.
P95 = 1.6448536269514722
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]


class Uniform(BaseModel):
    """Every number between two bounds, equally often."""

    model_config = ConfigDict(extra="forbid")

    distribution: Literal["uniform"]
    min: NotNegative
    max: NotNegative

    @model_validator(mode="after")
    def _check(self) -> Uniform:
        _check_order(min=self.min, max=self.max)
        return self

    def draw(self, source: random.Random) -> float:
        return source.uniform(self.min, self.max)


class Lognormal(BaseModel):
    """Many small numbers and a few large ones; those beyond the bounds become the bounds."""

    model_config = ConfigDict(extra="forbid")

    distribution: Literal["lognormal"]
    median: Positive
    p95: Positive
    min: NotNegative
    max: NotNegative

    @model_validator(mode="after")
    def _check(self) -> Lognormal:
        _check_order(min=self.min, median=self.median, p95=self.p95, max=self.max)
        return self

    def draw(self, source: random.Random) -> float:
        value = source.lognormvariate(math.log(self.median), math.log(self.p95 / self.median) / P95)
        return min(max(value, self.min), self.max)


def _kind(value: Any) -> str | None:
    """Return which of the following a value is meant to be."""
    if isinstance(value, Mapping):
        return str(value.get("distribution"))
    return str(getattr(value, "distribution", "number"))


KINDS = ("number", "uniform", "lognormal")
Amount = Annotated[
    Annotated[NotNegative, Tag("number")] | Annotated[Uniform, Tag("uniform")] | Annotated[Lognormal, Tag("lognormal")],
    Discriminator(_kind),
]


def _check_order(**bounds: float) -> None:
    names, values = list(bounds), list(bounds.values())
    for place in range(1, len(values)):
        if values[place] < values[place - 1]:
            raise ValueError(f"{names[place]} is less than {names[place - 1]}")


def draw(amount: Amount, source: random.Random) -> float:
    """Return a number: the constant, or one from the distribution."""
    return amount if isinstance(amount, (int, float)) else amount.draw(source)


def bounds(amount: Amount) -> tuple[float, float]:
    """Return the smallest and the largest number that can be drawn."""
    return (amount, amount) if isinstance(amount, (int, float)) else (amount.min, amount.max)


def amount_text(amount: Amount, unit: str) -> str:
    """Return an amount in words, such as "100 to 2,000 tokens (median 400, p95 1,500)"."""
    low, high = bounds(amount)
    text = f"{low:,.12g} {unit}" if low == high else f"{low:,.12g} to {high:,.12g} {unit}"
    if isinstance(amount, Lognormal):
        text += f" (median {amount.median:,.12g}, p95 {amount.p95:,.12g})"
    return text
