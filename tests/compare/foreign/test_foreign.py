"""Outputs of AIPerf, GuideLLM and vLLM's benchmark become runs, and bad ones are refused with a reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compare.__main__ import main
from compare.analyse.caveats import find_caveats
from compare.analyse.metrics.definitions import DEFINITIONS
from compare.analyse.metrics.metrics import compute_metrics
from compare.errors import RunError
from compare.foreign.read import read_run
from compare.measure import plan
from compare.runs import run_file
from compare.runs.records import Run

SAMPLES = Path(__file__).parent / "samples"
TOOLS = ("aiperf", "guidellm.json", "vllm.json")
Change = Callable[[dict[str, Any]], object]


def changed(name: str, folder: Path, change: Change) -> Path:
    """Copy a sample's JSON with a change."""
    content = json.loads((SAMPLES / name).read_text())
    change(content)
    path = folder / Path(name).name
    path.write_text(json.dumps(content))
    return path


def aiperf_copy(folder: Path, change: Callable[[list[dict[str, Any]]], object] | None = None) -> Path:
    """Copy AIPerf's sample with a change of its requests."""
    copy = folder / "aiperf"
    shutil.copytree(SAMPLES / "aiperf", copy)
    if change:
        file = copy / "profile_export.jsonl"
        entries = [json.loads(line) for line in file.read_text().splitlines()]
        change(entries)
        file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return copy


def summary_of(path: Path) -> dict[str, Any]:
    file = path / "profile_export_aiperf.json" if path.is_dir() else path
    return dict(json.loads(file.read_text()))


@pytest.mark.parametrize("name", TOOLS)
def test_an_output_becomes_a_run(name: str) -> None:
    run = read_run(SAMPLES / name)
    assert run.targets == ["flaky"]
    assert run.loads == ["concurrency 2"]
    assert run.ended == "finished"
    records = run.measured("flaky")
    assert len(records) == 16
    assert sum(record.ok for record in records) == 12
    assert all(record.error and record.error.message for record in records if not record.ok)
    assert all(record.usage and record.usage.output_tokens == 6 for record in records if record.ok)
    assert min(record.intended for record in run.records) == pytest.approx(0, abs=1e-6)
    assert {record.block for record in records} == {0, 1, 2, 3}


@pytest.mark.parametrize("name", TOOLS)
def test_a_tools_definition_reproduces_its_own_figures(name: str) -> None:
    path, definition = SAMPLES / name, name.partition(".")[0]
    metrics, summary = compute_metrics(read_run(path), "flaky", definition=definition), summary_of(path)
    if definition == "aiperf":
        first, gap = summary["time_to_first_token"]["p50"], summary["inter_token_latency"]["avg"]
    elif definition == "guidellm":
        own = summary["benchmarks"][0]["metrics"]
        gap = own["inter_token_latency_ms"]["successful"]["mean"]
        # GuideLLM's median is one of the values, and not interpolated between the middle two.
        values = sorted(record.arrivals[0].seconds * 1e3 for record in read_run(path).records if record.ok)
        assert own["time_to_first_token_ms"]["successful"]["median"] == pytest.approx(values[6], abs=1e-3)
        first = (values[5] + values[6]) / 2
    else:
        first, gap = summary["median_ttft_ms"], summary["mean_itl_ms"]
    assert metrics.ttft_ms.p50 == pytest.approx(first, abs=1e-3)
    assert metrics.itl_ms.mean == pytest.approx(gap, abs=1e-3)


def test_gaps_that_were_not_recorded_are_not_invented() -> None:
    run = read_run(SAMPLES / "guidellm.json")
    metrics = compute_metrics(run, "flaky")
    assert metrics.itl_ms.n == 0
    assert metrics.tpot_ms.p50 == pytest.approx(20, abs=1)


@pytest.mark.parametrize("name", [*TOOLS, "vllm-rate.json"])
def test_an_imported_run_is_a_run_file(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run.jsonl"
    assert main(["import", str(SAMPLES / name), "--out", str(out), "--target", "mine"]) == 0
    stored = run_file.read(out)
    assert stored.targets == ["mine"]
    assert stored.records == read_run(SAMPLES / name, "mine").records
    assert main(["report", str(out), "--html", str(tmp_path / "report.html")]) == 0
    assert "Its output doesn't record" in capsys.readouterr().out
    assert main(["import", str(SAMPLES / name), "--out", str(out)]) == 1  # an existing file is kept


@pytest.mark.parametrize("name", TOOLS)
def test_the_report_says_what_is_missing(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(SAMPLES / name)]) == 0
    printed = capsys.readouterr().out
    assert "how late the client was" in printed
    assert "4 of 16 requests failed" in printed
    assert "0 processors" not in printed


@pytest.mark.parametrize("file", ["profile_export.jsonl", "profile_export_aiperf.json"])
def test_each_file_of_aiperf_leads_to_the_other(file: str) -> None:
    assert read_run(SAMPLES / "aiperf" / file).records == read_run(SAMPLES / "aiperf").records


def test_waits_for_the_clients_own_limit_are_counted_from_the_schedule() -> None:
    """`vllm bench serve` leaves them out of its times: 20 requests a second, at most two at once."""
    run = read_run(SAMPLES / "vllm-rate.json")
    metrics = compute_metrics(run, "plain")
    own = summary_of(SAMPLES / "vllm-rate.json")
    assert metrics.ttft_ms.p50 == pytest.approx(own["median_ttft_ms"], abs=1e-3)
    assert metrics.ttft_from_intended_ms.p50 is not None
    assert metrics.ttft_from_intended_ms.p50 > 3 * own["median_ttft_ms"]
    assert any(caveat.kind == "falling behind" for caveat in find_caveats(run))


def test_waits_that_aiperf_does_not_note_are_said_to_be_missing(tmp_path: Path) -> None:
    """Its credits are issued when a place is free: at ten a second and two at once, they came in pairs each 0.6 s."""
    copy = aiperf_copy(tmp_path)

    def change(content: dict[str, Any]) -> None:
        content["input_config"]["phases"][1].update(type="constant", rate=10.0)

    changed("aiperf/profile_export_aiperf.json", copy, change)
    run = read_run(copy)
    assert run.loads == ["10 requests/s, constant, at most 2 at once"]
    assert run.source
    assert "schedule" in run.source["missing"]


def test_waits_in_guidellm_count_from_its_schedule(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        strategy = {"type_": "constant", "rate": 10.0, "max_concurrency": 2}
        content["benchmarks"][0]["config"]["strategy"] = strategy
        for number, request in enumerate(content["benchmarks"][0]["requests"]["successful"]):
            request["info"]["timings"]["targeted_start"] = request["info"]["timings"]["request_start"] - 0.1 * number

    run = read_run(changed("guidellm.json", tmp_path, change))
    assert run.loads == ["10 requests/s, constant, at most 2 at once"]
    waits = sorted(record.send_delay for record in run.records if record.ok)
    assert waits == pytest.approx([0.1 * number for number in range(12)], abs=1e-5)


def grown(factor: int, slower: float = 1.0) -> Change:
    """Repeat the answered requests of vLLM's sample, all `slower` times as slow."""

    def change(content: dict[str, Any]) -> None:
        kept = [number for number, first in enumerate(content["ttfts"]) if first]
        for name in ("input_lens", "output_lens", "ttfts", "itls", "errors", "queue_times"):
            content[name] = [content[name][number] for number in kept] * factor
        content["ttfts"] = [slower * first for first in content["ttfts"]]
        content["itls"] = [[slower * gap for gap in gaps] for gaps in content["itls"]]
        content["start_times"] = [float(number) for number in range(len(content["ttfts"]))]

    return change


@pytest.mark.parametrize(("slower", "status"), [(1.0, 0), (1.5, 1)])
def test_a_canary_is_judged_by_another_tools_outputs(slower: float, status: int, tmp_path: Path) -> None:
    for name in ("stable", "canary"):
        (tmp_path / name).mkdir()
    stable = changed("vllm.json", tmp_path / "stable", grown(30))
    canary = changed("vllm.json", tmp_path / "canary", grown(30, slower))
    assert main(["canary", str(stable), str(canary)]) == status


def test_two_outputs_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slow = changed("vllm.json", tmp_path, grown(30, 2.0))
    (tmp_path / "earlier").mkdir()
    earlier = changed("vllm.json", tmp_path / "earlier", grown(30))
    assert main(["report", str(slow), "--against", str(earlier)]) == 0
    assert "flaky (earlier) is 2" in capsys.readouterr().out


def refused(path: Path) -> str:
    with pytest.raises(RunError) as caught:
        read_run(path)
    assert caught.value.remedy
    return caught.value.message


def drop(key: str) -> Change:
    return lambda content: content.pop(key)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("guidellm.json", lambda c: c["metadata"].update(guidellm_version="0.4.0"), "GuideLLM 0.4.0"),
        ("guidellm.json", lambda c: c["metadata"].pop("guidellm_version"), "GuideLLM unknown"),
        ("guidellm.json", lambda c: c["benchmarks"][0].pop("requests"), "doesn't have the form"),
        ("guidellm.json", lambda c: c["benchmarks"][0]["config"]["strategy"].update(type_="trace"), "'trace'"),
        ("guidellm.json", lambda c: c["benchmarks"].append(c["benchmarks"][0]), "concurrency 2 twice"),
        ("guidellm.json", lambda c: c.update(benchmarks=[]), "no measured request"),
        ("guidellm.json", lambda c: c["benchmarks"][0].update(requests={"successful": []}), "no measured request"),
        ("vllm.json", drop("ttfts"), "no ttfts"),
        ("vllm.json", drop("start_times"), "no start_times"),
        ("vllm.json", lambda c: c["itls"].pop(), "different lengths"),
        ("vllm.json", lambda c: c["itls"][0].append("a"), "doesn't have the form"),
        ("vllm.json", lambda c: c["ttfts"].__setitem__(0, float("nan")), "NaN"),
        ("vllm.json", lambda c: c["ttfts"].__setitem__(0, 1e999), "Infinity"),
        ("vllm.json", lambda c: c.update(date="yesterday"), "doesn't have the form"),
        ("vllm.json", lambda c: c.update(max_concurrency=-3), "the concurrency is -3"),
        ("vllm.json", lambda c: c.update(request_rate=0), "the rate is 0"),
        ("vllm.json", lambda c: c["start_times"].__setitem__(0, 1e200), "1e+200"),
        ("vllm.json", lambda c: c["output_lens"].__setitem__(0, 10**400), "401 digits"),
    ],
)
def test_an_output_of_another_version_or_form_is_refused(
    name: str, change: Change, message: str, tmp_path: Path
) -> None:
    assert message in refused(changed(name, tmp_path, change))


def test_another_version_of_aiperf_is_refused(tmp_path: Path) -> None:
    copy = aiperf_copy(tmp_path)
    changed("aiperf/profile_export_aiperf.json", copy, lambda content: content.update(aiperf_version="0.9.0"))
    assert "AIPerf 0.9.0" in refused(copy)


@pytest.mark.parametrize("file", ["profile_export.jsonl", "profile_export_aiperf.json"])
def test_half_of_aiperfs_files_is_refused(file: str, tmp_path: Path) -> None:
    copy = aiperf_copy(tmp_path)
    (copy / file).unlink()
    assert f"{file} of AIPerf's output is missing" in refused(copy)


@pytest.mark.parametrize("name", ["guidellm.json", "vllm.json", "aiperf/profile_export_aiperf.json"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_file_that_is_cut_is_refused(name: str, share: float, tmp_path: Path) -> None:
    copy = aiperf_copy(tmp_path) / "profile_export_aiperf.json" if name.startswith("aiperf") else tmp_path / name
    content = (SAMPLES / name).read_bytes()
    copy.write_bytes(content[: int(share * len(content))])
    assert "isn't valid JSON" in refused(copy)


def test_a_cut_file_of_requests_loses_its_last_one_and_says_so(tmp_path: Path) -> None:
    file = aiperf_copy(tmp_path) / "profile_export.jsonl"
    file.write_bytes(file.read_bytes()[:-100])
    run = read_run(file)
    assert len(run.records) == 17
    assert find_caveats(run)[0].kind == "no end"


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    file = aiperf_copy(tmp_path) / "profile_export.jsonl"
    lines = file.read_bytes().splitlines()
    lines[3] = lines[3][:50]
    file.write_bytes(b"\n".join(lines))
    assert "Line 4" in refused(file)


def wall_clock_was_set(content: dict[str, Any]) -> None:
    request = content["benchmarks"][0]["requests"]["successful"][2]
    request["info"]["timings"]["request_end"] -= 3600


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("guidellm.json", wall_clock_was_set),
        ("vllm.json", lambda content: content["itls"][0].__setitem__(2, -0.5)),
    ],
)
def test_a_clock_that_runs_backwards_is_refused(name: str, change: Change, tmp_path: Path) -> None:
    assert "goes back in time" in refused(changed(name, tmp_path, change))


def test_a_clock_of_aiperf_that_runs_backwards_is_refused(tmp_path: Path) -> None:
    def change(entries: list[dict[str, Any]]) -> None:
        entries[5]["metadata"]["request_end_ns"] = entries[5]["metadata"]["request_start_ns"] - 10**9

    assert "goes back in time by 1" in refused(aiperf_copy(tmp_path, change))


def test_a_run_of_failed_requests_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(content: dict[str, Any]) -> None:
        requests = content["benchmarks"][0]["requests"]
        requests["successful"] = []

    path = changed("guidellm.json", tmp_path, change)
    assert main(["report", str(path)]) == 0
    assert "every request failed. First error: HTTPStatusError" in capsys.readouterr().out


def test_an_empty_run_of_aiperf_is_refused(tmp_path: Path) -> None:
    assert "no measured request" in refused(aiperf_copy(tmp_path, lambda entries: entries.clear()))


def test_more_requests_than_a_run_can_have_are_refused(tmp_path: Path) -> None:
    path = changed("vllm.json", tmp_path, grown(plan.MAX_REQUESTS // 12 + 1))
    assert "100,008 requests" in refused(path)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"[" * 100_000, b"\x00\xff", b'{"benchmarks": []}', b"hello\n", b'{"metadata": 5}']
)
def test_other_files_are_no_runs(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    assert "isn't a stored run" in refused(path)


def test_a_missing_file_and_an_empty_folder(tmp_path: Path) -> None:
    assert "Can't read nothing.json" in refused(tmp_path / "nothing.json")
    assert "profile_export_aiperf.json of AIPerf's output is missing" in refused(tmp_path)


def test_the_name_of_a_tool_in_a_run_file_is_checked(tmp_path: Path) -> None:
    run: Run = read_run(SAMPLES / "vllm.json")
    run.header["source"] = {"tool": "x" * 1000, "version": "", "missing": []}
    run_file.write(run, tmp_path / "run.jsonl")
    assert "tool is" in refused(tmp_path / "run.jsonl")


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("name", ["guidellm.json", "vllm.json", "vllm-rate.json", "aiperf"])
def test_by_each_definition_an_answer_ends_after_its_first_token(name: str, definition: str) -> None:
    timings = [DEFINITIONS[definition](record) for record in read_run(SAMPLES / name).records if record.ok]
    assert timings
    assert all(timing.end_to_end > timing.first_token and timing.per_output_token for timing in timings)
