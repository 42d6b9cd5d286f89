"""When the requests of an open loop are due: bursts, and time stamps from a file."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import pytest

from compare.__main__ import main
from compare.analyse.metrics.metrics import compute_metrics
from compare.errors import PlanError
from compare.measure.load import Load
from compare.measure.plan import MAX_REQUESTS, RunPlan
from compare.measure.trace_file import read_trace
from compare.runs import run_file
from tests.compare.servers import Models

BURSTS = Load("bursts", 20, 1, 4)


def trace(folder: Path, text: str, name: str = "trace.csv") -> Load:
    path = folder / name
    path.write_text(text)
    return read_trace(path)


def test_bursts_keep_their_mean_rate_and_their_pauses() -> None:
    times = list(islice(BURSTS.arrivals(0, "seed"), 2000))
    assert times[-1] == pytest.approx(100, rel=0.1)
    assert all(moment % 5 <= 1 for moment in times)
    assert list(islice(BURSTS.arrivals(0, "seed"), 2000)) == times
    gaps = [later - earlier for earlier, later in pairwise(times) if later - earlier < 1]
    assert sum(gaps) / len(gaps) == pytest.approx(1 / BURSTS.burst_rate, rel=0.1)
    assert BURSTS.duration(0, 6.2) == 10


def test_a_block_of_bursts_lasts_a_whole_cycle() -> None:
    assert RunPlan(("a",), (BURSTS,), requests=800).sizes(BURSTS) == [100] * 8
    assert RunPlan(("a",), (BURSTS,), requests=300).sizes(BURSTS) == [100] * 3
    assert RunPlan(("a",), (BURSTS,), requests=40).sizes(BURSTS) == [40]


@pytest.mark.parametrize(("on", "off"), [(0, 5), (1, 0), (0.01, 5), (float("nan"), 1), (1, float("inf")), (-1, 5)])
def test_bursts_that_cannot_be_sent(on: float, off: float) -> None:
    with pytest.raises(PlanError, match="Can't send for"):
        Load("bursts", 1, on, off)
    with pytest.raises(PlanError, match="The bursts have 5000"):
        Load("bursts", 500, 1, 9)


@pytest.mark.parametrize(
    "text",
    [
        "100\n100.5\n103\n",
        "# of a gateway\n\n1e2\n1.005e2\n 103 \n",
        "id,Timestamp\na,100\nb,100.5\nc,103\n",
        "TIMESTAMP,ContextTokens\n2023-11-16 18:15:40.0000000,1\n2023-11-16 18:15:40.5,2\n2023-11-16 18:15:43,3\n",
        "2023-11-16T18:15:40Z\n2023-11-16T18:15:40.5Z\n2023-11-16T19:15:43+01:00\n",
    ],
)
def test_times_of_a_file_start_at_zero(tmp_path: Path, text: str) -> None:
    load = trace(tmp_path, text)
    assert load.times == pytest.approx((0, 0.5, 3))
    assert load.name == "1 requests/s, trace.csv"
    assert list(load.arrivals(0, "")) == pytest.approx([0, 0.5, 3])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no times"),
        ("timestamp\n", "has no times"),
        ("1\n3\n2\n", "Line 3 of trace.csv is earlier than the one before it"),
        ("1\nnan\n", "Line 2 of trace.csv has no time: 'nan'"),
        ("1\ninf\n", "Line 2 of trace.csv has no time"),
        ("1\n1e300\n", "Line 2 of trace.csv has no time"),
        ("1\nyesterday\n", "Line 2 of trace.csv has no time: 'yesterday'"),
        ("id,timestamp\na,1\nb\n", "Line 3 of trace.csv has no time: 'b'"),
        ("0\n999999\n", "lasts 277.8 hours"),
        ("1\n" * (MAX_REQUESTS + 1), "has 100,001 times"),
        ("1\n" * 2000, "Can't send 2000 requests/s"),
    ],
)
def test_a_bad_trace_names_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        trace(tmp_path, text)
    assert message in caught.value.message
    assert caught.value.remedy


def test_a_file_that_is_no_trace(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="Can't read none"):
        read_trace(tmp_path / "none")
    with (tmp_path / "big").open("wb") as file:
        file.truncate(30_000_000)
    with pytest.raises(PlanError, match="has 30 MB"):
        read_trace(tmp_path / "big")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\n")
    with pytest.raises(PlanError, match="isn't UTF-8"):
        read_trace(tmp_path / "binary")


def test_a_long_trace_is_divided_by_time(tmp_path: Path) -> None:
    load = trace(tmp_path, "".join(f"{moment}\n" for moment in (0, 1, 9.5, 12, 55, 56)))
    assert load.sizes(6) == [3, 1, 2]
    assert load.sizes(4) == [3, 1]
    assert list(load.arrivals(3, "")) == [2, 45, 46]
    assert [load.duration(first, 0) for first in (0, 3, 4)] == [10, 10, 6]
    with pytest.raises(PlanError, match="has 6 requests"):
        RunPlan(("a",), (load,), requests=7)


def test_a_trace_and_bursts_are_measured_and_stored(models: Models, tmp_path: Path) -> None:
    catalog, out, times = models.catalog(tmp_path, "steady", "slow"), tmp_path / "run.jsonl", tmp_path / "t.txt"
    times.write_text("5\n5.1\n5.12\n6.5\n")
    command = ["run", "--targets", "steady,slow", "--catalog", str(catalog), "--out", str(out), "--progress", "none"]
    assert main([*command, "--trace", str(times)]) == 0
    run = run_file.read(out)
    for target in run.targets:
        due = sorted(record.intended for record in run.measured(target))
        assert [moment - due[0] for moment in due] == pytest.approx([0, 0.1, 0.12, 1.5], abs=1e-5)
        assert compute_metrics(run, target).wall_s == pytest.approx(1.6, abs=0.2)
    assert run.header["plan"]["loads"][0]["times"] == pytest.approx([0, 0.1, 0.12, 1.5])
    burst = ["--rate", "4", "--arrivals", "bursts", "--burst", "0.3,0.7", "--requests", "8"]
    assert main([*command, *burst]) == 0
    run = run_file.read(out)
    assert run.uneven_loads == run.loads == ["4 requests/s, bursts of 0.3 s every 1 s"]
    assert len(run.blocks) == 4
    # The pauses are part of the rate; each of two blocks has four requests, or a burst more than planned.
    assert all(block.seconds >= 0.99 for block in run.blocks)
    assert main(["report", str(out)]) == 0


@pytest.mark.parametrize("burst", ["2", "a,b", "1,2,3"])
def test_a_bad_burst(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str], burst: str) -> None:
    command = ["run", "--targets", "steady", "--catalog", str(models.catalog(tmp_path, "steady")), "--out", "x"]
    assert main([*command, "--rate", "4", "--arrivals", "bursts", "--burst", burst]) == 1
    assert "--burst" in (error := capsys.readouterr().err) or "2,8" in error
