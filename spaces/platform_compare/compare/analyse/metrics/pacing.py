"""Pacing of requests and texts: open loops that fall behind, and texts that arrive together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from compare.analyse.metrics.definitions import spaceport
from compare.runs.records import LAST_TEXT, Record, Run

# Texts closer together than this, in seconds, came from one network read: the gap says nothing about tokens.
COALESCED_SECONDS = 1e-4
# Above this share of coalesced texts, gaps describe the network; the time per output token is compared instead.
MAX_COALESCED_SHARE = 0.1


def departure_seconds(records: Sequence[Record]) -> float:
    """Return the seconds over which requests ended, extending each block at the pace of its answers."""
    return _paced_seconds(records, lambda record: record.sent + record.ended)


def block_departure_seconds(records: Sequence[Record]) -> dict[int, float]:
    """Return the seconds over which the requests of each block of a load ended, at the pace of its answers."""
    blocks: dict[int, list[Record]] = {}
    for record in records:
        blocks.setdefault(record.block, []).append(record)
    seconds = {block: departure_seconds(each) for block, each in blocks.items()}
    return {block: each for block, each in seconds.items() if each > 0}


def due_seconds(records: Sequence[Record]) -> float:
    """Return the seconds over which requests were due, counted in the same way."""
    return _paced_seconds(records, lambda record: record.intended)


def coalesced_share(run: Run, target: str, load: str) -> float:
    """Return the share of texts that arrived together with the previous one."""
    gaps = [gap for record in run.measured(target, load) if record.ok for gap in spaceport(record).gaps]
    return sum(gap < COALESCED_SECONDS for gap in gaps) / len(gaps) if gaps else 0.0


def lacks_gaps(run: Run, target: str, load: str) -> bool:
    """Return whether the texts between the first and the last one of the answers weren't recorded."""
    return any(mark.what == LAST_TEXT for record in run.measured(target, load) for mark in record.marks)


def _paced_seconds(records: Sequence[Record], moment: Callable[[Record], float]) -> float:
    blocks: dict[tuple[str, int], list[float]] = {}
    for record in records:
        blocks.setdefault((record.load, record.block), []).append(moment(record))
    # n moments span n - 1 intervals.
    spans = [(max(each) - min(each)) / (len(each) - 1) * len(each) for each in blocks.values() if len(each) > 1]
    return sum(spans)
