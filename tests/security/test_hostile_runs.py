"""Stored runs that visitors upload or share: none takes more memory, time or room than a run that was measured."""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path
from typing import Any

import pytest

from backends import Catalog
from compare.analyse.verdicts.verdict import verdicts
from compare.errors import RunError
from compare.interactive.service import BYTES_IN_MEMORY, ComparisonService
from compare.interactive.visitors import Visitor, Visitors
from compare.runs import run_file
from compare_page.results import _options
from tests.compare.make_runs import build_run, record


@pytest.fixture
def service(tmp_path: Path) -> ComparisonService:
    catalog = tmp_path / "catalog.toml"
    catalog.write_text("")
    return ComparisonService(Catalog.load(str(catalog)), tmp_path)


def lines_of(**changes: Any) -> list[dict[str, Any]]:
    """The lines of a small run of two targets, with changes in its first line."""
    records = [record(0.1, 0.2, target=name, block=at, sent=float(at)) for at in range(20) for name in ("a", "b")]
    lines = [json.loads(line) for line in run_file.lines(build_run(*records, targets=("a", "b")))]
    for key, value in changes.items():
        place, _, name = key.rpartition("__")
        (lines[0][place] if place else lines[0])[name] = value
    return lines


def parse(lines: list[dict[str, Any]]) -> Any:
    return run_file.parse([json.dumps(line) for line in lines] + ['{"type": "end", "reason": "finished"}'], "run.jsonl")


@pytest.mark.parametrize("block", [10**9, 100, -1])
def test_a_block_that_no_plan_has_is_refused(block: int) -> None:
    """A verdict draws each round up to the highest one 2,000 times."""
    lines = lines_of()
    lines[5]["block"] = block
    with pytest.raises(RunError, match="is damaged"):
        parse(lines)


@pytest.mark.parametrize(
    "changes",
    [
        {"plan__targets": [f"t{at}" for at in range(9)]},
        {"plan__targets": ["a", "a"]},
        {"plan__targets": ["a" * 1000]},
        {"plan__targets": []},
        {"loads": [f"load {at}" for at in range(65)]},
        {"loads": ["x" * 1000]},
        {"plan__targets": [f"t{at}" for at in range(8)], "loads": [f"load {at}" for at in range(20)]},
        {"loads": []},
        {"plan__seed": -1},
        {"plan__requests": 10**15},
    ],
    ids=str,
)
def test_a_report_has_no_more_parts_than_a_plan_can_have(changes: dict[str, Any]) -> None:
    with pytest.raises(RunError, match="is damaged"):
        parse(lines_of(**changes))


@pytest.mark.parametrize("number", ["1" * 100, "1e300", "NaN", "Infinity", "-1e19"])
def test_a_number_that_nothing_measures_is_refused(number: str) -> None:
    lines = [json.dumps(line) for line in lines_of()]
    lines[3] = lines[3].replace('"sent": ', f'"sent": {number}, "was": ', 1)
    with pytest.raises(RunError, match="is damaged"):
        run_file.parse(lines, "run.jsonl")


def test_the_runs_in_memory_are_limited_by_their_size(service: ComparisonService) -> None:
    visitor, names = Visitor(), list[str]()
    for _ in range(5):
        path = visitor.new_file("opened")
        run_file.write(build_run(record(0.1, 0.2)), path)
        with path.open("a") as file:  # a last line that a crash cut off
            file.write("x" * (BYTES_IN_MEMORY // 4))
        names.append(visitor.add_run("run", path))
    opened = [weakref.ref(service.load_run(visitor, name)) for name in names]
    gc.collect()
    assert [each() is not None for each in opened] == [False, False, True, True, True]
    assert service.load_run(visitor, names[-1]) is opened[-1](), "the last one is read once"
    visitor.close()


def test_the_verdicts_of_a_run_end_with_it() -> None:
    measured = parse(lines_of())
    assert verdicts(measured) is verdicts(measured)
    reference = weakref.ref(measured)
    del measured
    gc.collect()
    assert reference() is None


def test_one_visitor_stores_only_so_many_bytes() -> None:
    visitor = Visitor(max_bytes=10_000)
    for _ in range(4):
        path = visitor.new_file("opened")
        path.write_bytes(b"x" * 4_000)
        visitor.add_run("run", path)
    assert (len(visitor.runs), visitor.stored_bytes) == (2, 8_000)
    assert sum(path.stat().st_size for path in visitor.folder.iterdir()) == 8_000
    visitor.close()


def test_all_visitors_together_store_only_so_many_bytes(service: ComparisonService, tmp_path: Path) -> None:
    source = tmp_path / "source.txt"
    run_file.write(build_run(record(0.1, 0.2)), source)
    service.visitors = Visitors(max_bytes=3 * source.stat().st_size)
    keys = [f"visitor {number}" for number in range(5)]
    service.visitors.get("without runs")
    for key in keys:
        service.open_run(service.visitors.get(key), source)
    runs = [len(service.visitors.get(key).runs) for key in keys]
    assert runs == [0, 0, 1, 1, 1]
    for key in keys:
        service.visitors.forget(key)


def test_what_an_unknown_visitor_stores_ends_with_the_event(service: ComparisonService, tmp_path: Path) -> None:
    """An event without a valid key has a visitor of its own, whom nobody finds again."""
    source = tmp_path / "source.txt"
    run_file.write(build_run(record(0.1, 0.2)), source)
    visitor = Visitor()
    service.open_run(visitor, source)
    folder = visitor.folder
    assert len(list(folder.iterdir())) == 1
    del visitor
    gc.collect()
    assert not folder.exists()


def test_a_report_has_only_as_many_prices_as_its_fields_hold() -> None:
    """A text in the place of the list was as many models as it has characters, each looked up among all prices."""
    options = _options("spaceport", "default", "a=b\n" * 100_000, "x" * 100_000, 100, False)  # type: ignore[arg-type]
    assert (len(options.prices), len(options.alternatives)) == (500, 20)
