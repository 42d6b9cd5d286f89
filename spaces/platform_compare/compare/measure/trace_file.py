"""Reads when requests are due from a text or CSV file with one time stamp per line."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from compare.errors import PlanError
from compare.measure.load import Load
from compare.measure.plan import MAX_REQUESTS, MAX_SECONDS

MAX_BYTES, MAX_NAME = 20_000_000, 60
COLUMNS = ("timestamp", "time", "arrival")
REMEDY = "Put one time on each line, in seconds or like 2026-01-31 12:00:00.5; in a CSV, in the column timestamp."


def read_trace(path: Path) -> Load:
    """Return the load of a file; `PlanError` names the first line that can't be used."""
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise PlanError(f"{path.name} has {size / 1e6:,.0f} MB.", f"Use up to {MAX_BYTES / 1e6:g} MB of it.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PlanError(f"Can't read {path.name} ({error.strerror}).", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise PlanError(f"{path.name} isn't UTF-8 text.", REMEDY) from error
    stamps = list(_stamps(text, path.name))
    if not stamps:
        raise PlanError(f"{path.name} has no times.", REMEDY)
    if len(stamps) > MAX_REQUESTS:
        raise PlanError(f"{path.name} has {len(stamps):,} times.", f"Use up to {MAX_REQUESTS:,} of them.")
    for (_, earlier), (number, later) in pairwise(stamps):
        if later < earlier:
            raise PlanError(
                f"Line {number} of {path.name} is earlier than the one before it.", "Sort the file by time."
            )
    times = tuple(round(moment - stamps[0][1], 9) for _, moment in stamps)
    if times[-1] > MAX_SECONDS:
        raise PlanError(f"{path.name} lasts {times[-1] / 3600:,.1f} hours.", f"Use up to {MAX_SECONDS / 3600:g} hours.")
    return Load("trace", len(times) / max(1.0, times[-1]), source=path.name[:MAX_NAME], times=times)


def _stamps(text: str, name: str) -> Iterator[tuple[int, float]]:
    """Yield the number of each line and its time in seconds."""
    column = 0
    try:
        for number, row in enumerate(csv.reader(text.splitlines()), 1):
            if not any(cell.strip() for cell in row) or row[0].startswith("#"):
                continue
            if number == 1 and (header := _column(row)) is not None:
                column = header
                continue
            if len(row) <= column or (moment := _seconds(row[column].strip())) is None:
                raise PlanError(f"Line {number} of {name} has no time: {','.join(row)[:40]!r}.", REMEDY)
            yield number, moment
    except csv.Error as error:
        raise PlanError(f"{name} isn't CSV ({error}).", REMEDY) from error


def _column(row: list[str]) -> int | None:
    """Return which column of a header has the times; None if the line isn't a header."""
    names = [cell.strip().casefold() for cell in row]
    return next((names.index(name) for name in COLUMNS if name in names), None)


def _seconds(text: str) -> float | None:
    try:
        moment = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError, OSError):
            return None
    return moment if math.isfinite(moment) and abs(moment) < 1e12 else None
