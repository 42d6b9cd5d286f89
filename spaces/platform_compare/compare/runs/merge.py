"""Puts the files of several clients together: one run, as if one process had measured it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compare.errors import RunError
from compare.runs.records import BlockRecord, Run

REMEDY = "Name the files of one run: those of `python -m compare run --client` with the same --meet."
SAME = ("id", "plan", "loads")
# A merged run ended as the first of these did.
ENDINGS = ("stopped", "out of time", "finished")


def merge_runs(runs: Sequence[Run]) -> Run:
    """Return the run that these parts make up.

    A client that ended early, or has no file, is named in the header as lost. Times need no correction: all clients
    count them from the same moment.
    """
    parts = sorted(runs, key=_index)
    _check(parts)
    first = parts[0].header
    present = {_index(run) for run in parts if run.ended}
    lost = [index for index in range(_count(parts[0])) if index not in present]
    header = {name: value for name, value in first.items() if name != "client"}
    header["clients"] = {"count": _count(parts[0]), "lost": lost}
    header["targets"] = _targets(parts)
    records = sorted((record for run in parts for record in run.records), key=lambda record: record.sent)
    ended = next((ending for ending in ENDINGS if ending in {run.ended for run in parts}), "")
    return Run(header, records, _blocks(parts), ended)


def _index(run: Run) -> int:
    return int(_client(run)["index"])


def _count(run: Run) -> int:
    return int(_client(run)["count"])


def _client(run: Run) -> dict[str, Any]:
    client: dict[str, Any] | None = run.header.get("client")
    if not client:
        raise RunError(f"The run {run.header['id']} isn't the part of one of several clients.", REMEDY)
    return client


def _check(parts: Sequence[Run]) -> None:
    """Raise `RunError` unless these are different parts of one run."""
    if not parts:
        raise RunError("There is no file to merge.", REMEDY)
    for run in parts[1:]:
        same = all(run.header[name] == parts[0].header[name] for name in SAME)
        if not same or run.header["workload"]["hash"] != parts[0].header["workload"]["hash"]:
            raise RunError(f"Clients {_index(parts[0])} and {_index(run)} measured different runs.", REMEDY)
    indexes = [_index(run) for run in parts]
    if len(set(indexes)) < len(indexes):
        raise RunError(f"Two files are those of client {max(indexes, key=indexes.count)}.", REMEDY)


def _targets(parts: Sequence[Run]) -> dict[str, Any]:
    """Return the targets; a client that ended early doesn't have what they say of themselves."""
    known = {name: each for run in parts for name, each in run.header["targets"].items() if "served" in each}
    return {name: known.get(name, each) for name, each in parts[0].header["targets"].items()}


def _blocks(parts: Sequence[Run]) -> list[BlockRecord]:
    groups: dict[tuple[str, str, int], list[BlockRecord]] = {}
    for block in sorted((block for run in parts for block in run.blocks), key=lambda block: block.started):
        groups.setdefault((block.target, block.load, block.block), []).append(block)
    return [_merge_block(blocks) for blocks in groups.values()]


def _merge_block(blocks: Sequence[BlockRecord]) -> BlockRecord:
    """Return a block from the first client's start to the last one's end, with the load of all."""
    started = min(block.started for block in blocks)
    return BlockRecord(
        blocks[0].target,
        blocks[0].load,
        blocks[0].block,
        started,
        max(block.started + block.seconds for block in blocks) - started,
        sum(block.cpu_seconds for block in blocks),
        tuple(lag for block in blocks for lag in block.lags),
    )
