"""What a target costs: machines by the hour from prices.toml, models by the token from genai-prices, or one's own."""

from __future__ import annotations

import difflib
import math
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from compare.errors import PriceError

BUILT_IN = Path(__file__).parent.parent.parent / "prices.toml"
OLD = timedelta(days=90)
FORMS = 'Write a row of prices.toml (ml.g5.xlarge), "1.25/h", "tokens:openai/gpt-4o" or "tokens:0.15/0.60".'
_HOUR = re.compile(r"\$?(-?[\d.]+)\s*(?:USD\s*)?(?:/|an? |per )\s*h(?:our)?", re.IGNORECASE)
_TOKENS = re.compile(r"\$?(-?[\d.]+)\s*/\s*\$?(-?[\d.]+)")


@dataclass(frozen=True, slots=True)
class Hourly:
    """A machine's price in USD an hour; `spot` is the share of it that a spot machine costs, if there are any."""

    name: str
    usd_hour: float
    source: str
    seen: date | None = None
    confidence: str = ""
    spot: float | None = None

    def at_spot(self) -> Hourly:
        """The spot price; where there is none, an error that says so."""
        if self.spot is None:
            raise PriceError(f"{self.name} has no spot price.", "Use the on-demand price, or give one: 0.35/h.")
        return replace(self, name=f"{self.name}, spot", usd_hour=self.usd_hour * self.spot, confidence="rule of thumb")


@dataclass(frozen=True, slots=True)
class PerToken:
    """A model's price in USD for a million tokens in and out."""

    name: str
    usd_input: float
    usd_output: float
    source: str
    seen: date | None = None
    confidence: str = ""

    def request(self, input_tokens: float, output_tokens: float) -> float:
        """USD of a request of that size."""
        return (input_tokens * self.usd_input + output_tokens * self.usd_output) / 1e6


Price = Hourly | PerToken


class Prices:
    """The rows of prices.toml, those of `own` before the built-in ones."""

    def __init__(self, rows: Iterable[Hourly]) -> None:
        self.rows: dict[str, Hourly] = {}
        for row in rows:
            self.rows.setdefault(row.name, row)

    @classmethod
    def load(cls, own: str | os.PathLike[str] | None = None) -> Prices:
        """The built-in table, under the rows of `own` or of the file that SPACEPORT_PRICES names."""
        chosen = own or os.environ.get("SPACEPORT_PRICES")
        files = [Path(chosen)] if chosen else []
        return cls([row for file in (*files, BUILT_IN) for row in _rows(file)])

    def find(self, text: str) -> Price:
        """The price that `text` names or states; `PriceError` says what can be written."""
        text = text.strip()
        if hour := _HOUR.fullmatch(text):
            return Hourly(f"{_usd(hour[1], text):g} USD/h", _usd(hour[1], text), "stated by the user")
        if text.lower().startswith("tokens:"):
            return _per_token(text[7:].strip())
        if text in self.rows:
            return self.rows[text]
        ends = [row for name, row in self.rows.items() if name.split("/", 2)[-1] == text]
        if len(ends) == 1:
            return ends[0]
        if ends:
            raise PriceError(
                f"{text} is the name of several rows.", f"Name one: {', '.join(row.name for row in ends)}."
            )
        known = {name.split("/", 2)[-1] for name in self.rows}
        close = difflib.get_close_matches(text, known, n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise PriceError(f"There is no price {text!r}.", hint + FORMS)


def warning(price: Price, today: date) -> str | None:
    """What is doubtful about a price: its age, or how it is known."""
    if price.seen and today - price.seen > OLD:
        return f"The price of {price.name} is of {price.seen}, {(today - price.seen).days} days old: check it."
    if not price.seen and price.confidence:
        return f"The price of {price.name} is undated ({price.source}): check it."
    if price.confidence in ("low", "derived", "rule of thumb"):
        return f"The price of {price.name} is uncertain ({price.confidence}: {price.source})."
    return None


def _rows(file: Path) -> Iterator[Hourly]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise PriceError(f"The prices {file} cannot be read ({error.strerror}).", "Check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PriceError(f"The prices {file} are not valid TOML: {error}.", "Correct that line.") from error
    try:
        for group in table.get("price", []):
            yield from _group(group)
    except (KeyError, TypeError, AttributeError) as error:
        raise PriceError(f"A [[price]] of {file.name} lacks {error}.", "Look at the built-in prices.toml.") from error


def _group(group: dict[str, Any]) -> Iterator[Hourly]:
    spot = group.get("spot")
    if spot is not None and not 0 < spot <= 1:
        raise PriceError(f"The spot share {spot} of {group['provider']} is wrong.", "Give a share from 0 to 1.")
    if type(group.get("date", date.min)) is not date:
        raise PriceError(
            f"The date {group['date']} of {group['provider']} is no date.", "Write 2026-05-01, without quotes."
        )
    for type_name, usd in group["usd_hour"].items():
        name = f"{group['provider']}/{group['region']}/{type_name}"
        yield Hourly(name, _usd(usd, name), group["source"], group.get("date"), group.get("confidence", ""), spot)


def _usd(value: Any, where: str) -> float:
    try:
        usd = float(value)
    except (TypeError, ValueError):
        raise PriceError(f"The price {value!r} of {where} is no number.", "Give USD, such as 1.25.") from None
    if not math.isfinite(usd) or usd < 0:
        raise PriceError(f"The price {usd:g} of {where} is negative or no number.", "Give USD of 0 or more.")
    return usd


def _per_token(text: str) -> PerToken:
    if stated := _TOKENS.fullmatch(text):
        each = [_usd(part, text) for part in stated.groups()]
        return PerToken(f"{each[0]:g}/{each[1]:g} USD per million tokens", each[0], each[1], "stated by the user")
    from importlib.metadata import version

    import genai_prices

    provider, _, model = text.rpartition("/")
    million = genai_prices.Usage(input_tokens=1000, output_tokens=1000)
    try:
        found = genai_prices.calc_price(million, model_ref=model, provider_id=provider or None)
    except LookupError as error:
        raise PriceError(
            f"genai-prices does not know {text!r}.", "Write provider/model, or state it: 0.15/0.60."
        ) from error
    return PerToken(
        f"{found.provider.name} {found.model.name or found.model.id}",
        float(found.input_price) * 1000,
        float(found.output_price) * 1000,
        f"genai-prices {version('genai-prices')}",
    )
