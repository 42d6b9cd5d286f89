"""Stored searches that no search wrote: a file can come from a visitor, and must neither hang nor break a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from compare.capacity.curve import Curve
from compare.capacity.grid import Grid, Unit
from compare.capacity.read_capacities import read_capacities
from compare.capacity.search import Search
from compare.capacity.slo import parse_slo
from compare.errors import RunError
from compare.runs import run_file
from compare.runs.records import Record
from tests.compare.capacity.simulated import SLO
from tests.compare.make_runs import header, record


def search_header(values: dict[str, Any], unit: Unit = "users", slo: str = SLO) -> dict[str, Any]:
    capacity = {"slo": slo, "unit": unit, "limit": 4, "start": 4, "pattern": "poisson", "max_requests": 500}
    return header() | {"loads": [*values], "capacity": capacity | {"values": values}}


def store(folder: Path, first: dict[str, Any], records: Sequence[Record] = (), *more: dict[str, Any]) -> Path:
    path = folder / "search.jsonl"
    lines = [first, *more, *(run_file.entry_dict(each) for each in records), {"type": "end", "reason": "finished"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def good_requests(load: str, block: int) -> list[Record]:
    return [record(0.5, load=load, block=block) for _ in range(60)]


def test_loads_of_the_grid_are_read(tmp_path: Path) -> None:
    records = [*good_requests("a", 0), *good_requests("b", 0)]
    path = store(tmp_path, search_header({"a": 2}), records, {"type": "load", "load": "b", "value": 4})
    (answer,) = read_capacities(run_file.read(path))
    assert [load.value for load in answer.curve] == [2, 4]


@pytest.mark.parametrize(
    ("value", "unit", "problem"),
    [
        (8, "users", "it can't search at 8 users"),
        (1.5, "users", "it can't search at 1.5 users"),
        (0, "users", "it can't search at 0 users"),
        (-1, "requests/s", "it can't search at -1 requests/s"),
        (0, "requests/s", "it can't search at 0 requests/s"),
        (4.01, "requests/s", "it can't search at 4.01 requests/s"),
    ],
)
def test_a_load_that_no_search_chooses(tmp_path: Path, value: float, unit: Unit, problem: str) -> None:
    records = [*good_requests("b", 0), *good_requests("a", 0), *good_requests("a", 1)]
    with pytest.raises(RunError, match=problem):
        run_file.read(store(tmp_path, search_header({"b": value, "a": 4}, unit), records))
    chosen = {"type": "load", "load": "b", "value": value}
    with pytest.raises(RunError, match=rf"Line 2 of search.jsonl is damaged \({problem}"):
        run_file.read(store(tmp_path, search_header({"a": 4}, unit), records, chosen))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_load_that_is_no_number(tmp_path: Path, value: float) -> None:
    with pytest.raises(RunError, match=r"search.jsonl isn't a stored run"):
        run_file.read(store(tmp_path, search_header({"b": value})))
    with pytest.raises(RunError, match=r"Line 2 of search.jsonl is damaged \(a number is"):
        run_file.read(store(tmp_path, search_header({"a": 4}), (), {"type": "load", "load": "b", "value": value}))


def test_half_a_user_is_no_start(tmp_path: Path) -> None:
    first = search_header({"a": 4})
    first["capacity"]["start"] = 1.5
    with pytest.raises(RunError, match=r"concurrency 1\.5"):
        run_file.read(store(tmp_path, first))


def test_a_load_of_a_run_that_is_no_search(tmp_path: Path) -> None:
    chosen = {"type": "load", "load": "b", "value": 4}
    for first in (header(), header() | {"capacity": None}):
        with pytest.raises(RunError, match=r"load is 'b'"):
            run_file.read(store(tmp_path, first, (), chosen))


def test_a_share_of_errors_that_overflows(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="by any number of requests"):
        run_file.read(store(tmp_path, search_header({"a": 4}, slo="error<1E-310"), good_requests("a", 0)))


def test_a_load_above_the_limit_does_not_keep_a_search_busy() -> None:
    curve = Curve(parse_slo(SLO), Grid("users", 4, 4))
    for value in (8, 4):
        curve.add(value, [record(0.5) for _ in range(200)])
    assert [batch.value for batch in Search(curve).batches()] == [8]  # only its check
