"""Prices of targets: machines by the hour from prices.toml, models by the token from genai-prices, or the user's."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from backends.token_prices import NoPrice, PerToken, read_token_price, read_usd
from compare.errors import PriceError
from compare.runs.records import Run

BUILT_IN = Path(__file__).parent.parent.parent.parent / "prices.toml"
MAX_AGE = timedelta(days=90)
FORMATS = 'Write a row of prices.toml (ml.g5.xlarge), "1.25/h", "tokens:openai/gpt-4o" or "tokens:0.15/0.60".'
_HOUR = re.compile(r"\$?(-?[\d.]+)\s*(?:USD\s*)?(?:/|an? |per )\s*h(?:our)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hourly:
    """A machine's price in USD an hour; `spot` is a spot machine's share of that price, if spot is available."""

    name: str
    usd_hour: float
    source: str
    as_of: date | None = None
    confidence: str = ""
    spot: float | None = None

    def at_spot(self) -> Hourly:
        """Return the spot price; raise `PriceError` if there is none."""
        if self.spot is None:
            raise PriceError(f"{self.name} has no spot price.", "Use the on-demand price, or enter one: 0.35/h.")
        return replace(self, name=f"{self.name}, spot", usd_hour=self.usd_hour * self.spot, confidence="rule of thumb")


Price = Hourly | PerToken


class Prices:
    """The rows of a price table; the first row of a name wins."""

    def __init__(self, rows: Iterable[Hourly]) -> None:
        self.rows: dict[str, Hourly] = {}
        for row in rows:
            self.rows.setdefault(row.name, row)

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> Prices:
        """Load the built-in table; rows of the file `path`, or of the one in SPACEPORT_PRICES, override it."""
        path = path or os.environ.get("SPACEPORT_PRICES")
        files = [Path(path)] if path else []
        return cls([row for file in (*files, BUILT_IN) for row in _read_rows(file)])

    def find(self, text: str) -> Price:
        """Return the price that `text` names or contains; `PriceError` lists the valid formats."""
        text = text.strip()
        if hour := _HOUR.fullmatch(text):
            return Hourly(f"{_usd(hour[1], text):g} USD/h", _usd(hour[1], text), "entered by the user")
        if text.lower().startswith("tokens:"):
            with _price_errors():
                return read_token_price(text[7:].strip())
        if text in self.rows:
            return self.rows[text]
        matches = [row for name, row in self.rows.items() if name.split("/", 2)[-1] == text]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise PriceError(f"Several rows match {text}.", f"Name one: {', '.join(row.name for row in matches)}.")
        types = {name.split("/", 2)[-1] for name in self.rows}
        close = difflib.get_close_matches(text, types, n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise PriceError(f"There is no price {text!r}.", hint + FORMATS)


def run_prices(run: Run, overrides: Iterable[str], table: Prices) -> tuple[dict[str, Price], list[PriceError]]:
    """Return the prices of a run's targets, `overrides` as "target = price" each, else the catalogue's; and the errors.

    A target whose price can't be used has none.
    """
    texts = {name: str(target.get("price", "")) for name, target in run.header["targets"].items()}
    prices: dict[str, Price] = {}
    errors: list[PriceError] = []
    for line in filter(str.strip, overrides):
        target, _, price = (part.strip() for part in line.partition("="))
        if target in run.targets and price:
            texts[target] = price
        else:
            errors.append(_unknown_target(line, run.targets))
    for name, text in texts.items():
        if text:
            try:
                prices[name] = table.find(text)
            except PriceError as error:
                errors.append(PriceError(f"{name}: {error.message}", error.remedy))
    return prices, errors


def _unknown_target(line: str, targets: Sequence[str]) -> PriceError:
    return PriceError(
        f"{line!r} isn't a price of a target in this run.",
        f"Write TARGET = PRICE, such as {targets[0]} = 1.25/h. The targets are {', '.join(targets)}.",
    )


def spot_prices(prices: dict[str, Price]) -> dict[str, Price]:
    """Return the same prices at spot where there is a spot price; per-token prices stay."""
    return {
        name: price.at_spot() if isinstance(price, Hourly) and price.spot else price for name, price in prices.items()
    }


def is_free(price: Price) -> bool:
    """Return whether nothing costs anything."""
    return price.usd_hour == 0 if isinstance(price, Hourly) else price.usd_input == price.usd_output == 0


def price_doubt(price: Price, today: date) -> Literal["old", "undated", "uncertain"] | None:
    """Return what is doubtful about a price: its age, its missing date, or its source."""
    if price.as_of and today - price.as_of > MAX_AGE:
        return "old"
    if not price.as_of and price.confidence:
        return "undated"
    return "uncertain" if price.confidence in ("low", "derived", "rule of thumb") else None


def _read_rows(file: Path) -> Iterator[Hourly]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise PriceError(f"Can't read the prices {file} ({error.strerror}).", "Check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PriceError(f"The prices {file} aren't valid TOML: {error}.", "Fix that line.") from error
    try:
        for group in table.get("price", []):
            yield from _parse_group(group)
    except (KeyError, TypeError, AttributeError) as error:
        raise PriceError(
            f"A [[price]] of {file.name} has no {error}.", "Compare it with the built-in prices.toml."
        ) from error


def _parse_group(group: dict[str, Any]) -> Iterator[Hourly]:
    spot = group.get("spot")
    if spot is not None and not 0 < spot <= 1:
        raise PriceError(f"The spot share {spot} of {group['provider']} is invalid.", "Use a share above 0, up to 1.")
    if type(group.get("date", date.min)) is not date:
        raise PriceError(
            f"The date {group['date']} of {group['provider']} isn't a date.", "Write 2026-05-01, without quotes."
        )
    for type_name, usd in group["usd_hour"].items():
        name = f"{group['provider']}/{group['region']}/{type_name}"
        yield Hourly(name, _usd(usd, name), group["source"], group.get("date"), group.get("confidence", ""), spot)


def _usd(value: Any, where: str) -> float:
    with _price_errors():
        return read_usd(value, where)


@contextmanager
def _price_errors() -> Iterator[None]:
    try:
        yield
    except NoPrice as error:
        raise PriceError(error.message, error.remedy) from error
