"""Run files: a stored run reads back equal, and a damaged file names the damage."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from backends import Arrival, Mark, Usage
from compare.errors import RunError
from compare.runs import run_file
from compare.runs.records import BlockRecord, Failure, Record, Run
from tests.compare.make_runs import block, build_run, failure, header, record
from tests.conftest import ROOT

RESULTS = ROOT / "spaces" / "platform_compare" / "results"
WHOLE = Record(
    target="a",
    load="concurrency 4",
    block=3,
    phase="measured",
    prompt=17,
    intended=1.25,
    sent=1.2500000001,
    ended=2.1414213562373095,
    concurrency=4,
    arrivals=(Arrival(0.1, "thought", 3), Arrival(0.30000000000000004, "answer", 1)),
    marks=(Mark(-0.002, "connected"), Mark(0.05, "headers"), Mark(0.9, "usage"), Mark(0.91, "done")),
    finish_reason="length",
    usage=Usage(82, 32, 4, 7),
)
BROKEN = Record(
    target="b",
    load="8 requests/s, Poisson",
    block=0,
    phase="cold",
    prompt=0,
    intended=0.0,
    sent=0.0,
    ended=0.5,
    usage=Usage(5, 0),
    error=Failure("Rejected", "The server said: “no such key”.", "Set a key: export KEY=…"),
)
QUESTION: dict[str, Any] = {"id": "1", "text": "Why?", "answers": [], "answerable": None}
QUESTIONS = header()["workload"] | {"prompts": 4, "questions": [QUESTION] * 3}
PLAN = header(tuple("abcdefgh"))["plan"]
LOADS = [f"concurrency {number}" for number in range(1, 18)]
LAGS = BlockRecord("a", "concurrency 4", 3, 1.0, 2.5, 0.125, (0.0001, 0.0000003, 1.5))


def same(one: Run, other: Run) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in ("header", "records", "blocks", "ended"))


def store(folder: Path, *lines: str) -> Path:
    path = folder / "run.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def store_valid(folder: Path) -> Path:
    """Store five lines: the header, three requests and the end."""
    path = folder / "run.jsonl"
    run_file.write(build_run(record(0.1), record(0.2), failure(message="“No” — said the server.")), path)
    return path


@pytest.mark.parametrize("ended", ["finished", "stopped", "out of time", ""])
def test_a_run_reads_back_equal(tmp_path: Path, ended: str) -> None:
    original = Run(header(("a", "b"), (1, 4), seed=9), [WHOLE, BROKEN], [LAGS], ended)
    path = tmp_path / "run.jsonl"
    run_file.write(original, path)
    result = run_file.read(path)
    assert same(result, original)
    assert result.records[0].arrivals[0].kind == "thought"
    assert result.records[0].marks[0].what == "connected"
    again = tmp_path / "again.jsonl"
    run_file.write(result, again)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines",
        "a line separator \u2028 and a paragraph's \u2029",
        "next line \x85",
        "form feed \x0c",
        "half a pair \ud83d",
        "🛰 </script>",
    ],
    ids=["newline", "line separator", "next line", "form feed", "surrogate", "astral"],
)
def test_any_text_of_a_server_is_stored(tmp_path: Path, text: str) -> None:
    original = build_run(record(0.1), failure(message=text, remedy=text))
    path = tmp_path / "run.jsonl"
    run_file.write(original, path)
    assert same(run_file.read(path), original)


def test_a_targets_description_goes_into_the_header(tmp_path: Path) -> None:
    lines = [*run_file.lines(build_run(record(0.1)))]
    lines.insert(2, '{"type": "target", "name": "a", "model": "smol", "context": 8192}')
    lines.insert(2, '{"type": "of a later version", "text": "is passed over"}')
    result = run_file.read(store(tmp_path, *lines))
    assert result.header["targets"]["a"]["served"] == {"model": "smol", "context": 8192}
    again = tmp_path / "again.jsonl"
    run_file.write(result, again)
    assert same(run_file.read(again), result)


def test_only_measured_requests_count() -> None:
    cold, warm = record(1, phase="cold"), record(1, phase="warmup")
    first, more = record(1), record(1, load="concurrency 2")
    run = build_run(cold, warm, first, more, record(1, target="b"), concurrencies=(1, 2), seed=5)
    assert run.measured("a") == [first, more]
    assert run.measured("a", "concurrency 2") == [more]
    assert run.measured("c") == []
    assert (run.targets, run.loads, run.seed) == (["a", "b"], ["concurrency 1", "concurrency 2"], 5)


@pytest.mark.parametrize(
    ("entry", "ok"),
    [
        (record(0.1), True),
        (record(thoughts=[0.1]), True),
        (record(), False),
        (failure(), False),
        (record(0.1, error=Failure("Interrupted", "It broke off.")), False),
    ],
    ids=["answer", "thought", "nothing", "error", "cut"],
)
def test_only_a_complete_answer_is_ok(entry: Record, ok: bool) -> None:
    assert entry.ok is ok


@pytest.mark.parametrize(
    ("marks", "connected"),
    [({}, None), ({"done": 1.0}, None), ({"headers": 0.1}, False), ({"connected": -0.1, "headers": 0.1}, True)],
)
def test_new_connections_are_reported(marks: dict[str, float], connected: bool | None) -> None:
    assert record(0.2, marks=marks).new_connection is connected


@pytest.mark.parametrize("version", [2, 0, "1", None])
def test_a_file_of_another_version(tmp_path: Path, version: Any) -> None:
    first = json.dumps(header() | {"version": version})
    with pytest.raises(RunError) as caught:
        run_file.read(store(tmp_path, first))
    assert caught.value.message == f"run.jsonl has format version {version}; this program reads version 1."


@pytest.mark.parametrize(
    "first",
    ["", "Hello", "{", "[]", "7", '"run"', "null", "{}", '{"version": 1}', '{"type": "request", "version": 1}'],
)
def test_a_file_that_is_no_run(tmp_path: Path, first: str) -> None:
    with pytest.raises(RunError) as caught:
        run_file.read(store(tmp_path, first, '{"type": "end", "reason": "finished"}'))
    assert caught.value.message == "run.jsonl isn't a stored run."
    assert "--out" in caught.value.remedy


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b\x08\x00\xff\xfe"], ids=["empty", "compressed"])
def test_a_file_without_lines(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"run\.jsonl isn\'t a stored run"):
        run_file.read(path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"started": 5}, "started is 5"),
        ({"loads": [1]}, "loads is 1"),
        ({"targets": {}}, "the target a is not described"),
        ({"environment": []}, "environment is []"),
        ({"loads": ["a", "b", "a"]}, "a appears twice"),
        ({"workload": QUESTIONS}, "there are 3 questions for 4 prompts"),
        ({"plan": PLAN, "loads": LOADS}, "it has 136 combinations of target and load; at most 128 are allowed"),
    ],
)
def test_a_first_line_with_wrong_types(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    with pytest.raises(RunError, match=re.escape(problem)):
        run_file.read(store(tmp_path, json.dumps(header() | change)))


@pytest.mark.parametrize(
    "change",
    [
        {"sent": "soon"},
        {"arrivals": [["x", "answer", 1]]},
        {"arrivals": [5]},
        {"usage": {"input_tokens": 1}},
        {"load": 5},
    ],
)
def test_a_request_with_wrong_types_names_its_line(tmp_path: Path, change: dict[str, Any]) -> None:
    good = json.dumps(run_file.entry_dict(record(0.1, 0.2)))
    with pytest.raises(RunError, match="Line 2 of"):
        run_file.read(store(tmp_path, json.dumps(header()), json.dumps(json.loads(good) | change), good))


@pytest.mark.parametrize("path", [["plan"], ["loads"], ["plan", "targets"], ["plan", "seed"]])
def test_an_incomplete_first_line(tmp_path: Path, path: list[str]) -> None:
    first = header()
    inner = first if len(path) == 1 else first[path[0]]
    del inner[path[-1]]
    with pytest.raises(RunError) as caught:
        run_file.read(store(tmp_path, json.dumps(first)))
    assert caught.value.message == f"The first line of run.jsonl is damaged: {path[-1]} is missing."


@pytest.mark.parametrize(
    "line",
    [
        '{"type": "request", "target": "a"',
        '{"type": "request"}',
        '{"type": "request", "usage": null, "error": null, "arrivals": [], "marks": [], "made": "up"}',
        '{"type": "request", "usage": null, "error": null, "arrivals": [[0.1]], "marks": []}',
        '{"type": "block", "target": "a", "lags": 5}',
        json.dumps(run_file.entry_dict(block(-2.0))),
        '{"type": "end"}',
        '{"type": "target", "name": "never heard of"}',
        "{}",
        "[]",
        "5",
        "null",
        "",
    ],
)
def test_a_damaged_line_has_its_number(tmp_path: Path, line: str) -> None:
    lines = [*run_file.lines(build_run(record(0.1), record(0.2)))]
    with pytest.raises(RunError) as caught:
        run_file.read(store(tmp_path, *lines[:2], line, *lines[2:]))
    assert caught.value.message.startswith("Line 3 of run.jsonl is damaged (")


def test_a_last_line_is_dropped_wherever_it_was_cut_off(tmp_path: Path) -> None:
    whole = store_valid(tmp_path)
    lines = whole.read_bytes().splitlines(keepends=True)
    head, last = b"".join(lines[:3]), lines[3]
    cut = tmp_path / "cut.jsonl"
    for size in range(len(last) - 1):
        cut.write_bytes(head + last[:size])
        result = run_file.read(cut)
        assert (len(result.records), result.ended) == (2, ""), last[:size]
    cut.write_bytes(head + last[:-1])  # only its newline is missing
    assert len(run_file.read(cut).records) == 3


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_an_unreadable_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="Can't read"):
        run_file.read(tmp_path / name)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with path.open("wb") as file:
        file.truncate(run_file.MAX_FILE_BYTES + 1)
    with pytest.raises(RunError, match="larger than 500 MB"):
        run_file.read(path)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("field", ["sent", "ended", "intended"])
def test_times_must_be_finite(tmp_path: Path, field: str, value: float) -> None:
    good = run_file.entry_dict(record(0.1))
    line = json.dumps(good | {field: value})
    with pytest.raises(RunError, match=f"Line 2 of run.jsonl is damaged \\(a number is {json.dumps(value)}"):
        run_file.read(store(tmp_path, json.dumps(header()), line, json.dumps(good)))


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_recorded_runs_are_readable_and_have_simple_names(path: Path) -> None:
    result = run_file.read(path)
    assert result.ended == "finished"
    assert re.fullmatch(r"[\w.-]+", path.name)


def test_an_entry_is_one_line_of_json() -> None:
    line = run_file.entry_dict(block(2.0, lags=(0.1,)))
    assert line == {
        "type": "block",
        "target": "a",
        "load": "concurrency 1",
        "block": 0,
        "started": 0.0,
        "seconds": 2.0,
        "cpu_seconds": 0.0,
        "lags": (0.1,),
    }
    assert "\n" not in run_file.encode(run_file.entry_dict(failure(message="two\nlines")))
