"""GPUs and servers recorded during a run: parsers on real formats, a scripted `nvidia-smi`, and a run with both."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from backends import Usage
from backends.token_prices import PerToken
from compare.__main__ import main
from compare.analyse.costs.prices import Hourly
from compare.analyse.telemetry import gpu_use, server_use
from compare.errors import PlanError, RunError
from compare.report.files.export import report_json, report_markdown
from compare.report.files.html_report import html
from compare.report.report import Report
from compare.runs import run_file
from compare.runs.records import GpuRecord, Run, ServerRecord
from compare.telemetry.nvidia_smi import MEBIBYTE, NvidiaSmi, parse
from compare.telemetry.prometheus_text import gpu_records, parse_metrics, server_record
from compare.telemetry.recorder import open_sources
from compare.telemetry.samples import SourceName
from tests.compare.make_runs import block, build_run, record
from tests.compare.make_scores import with_questions
from tests.compare.servers import Models
from tests.helpers.servers import serving

# As `nvidia-smi --query-gpu=uuid,name,… --format=csv,noheader,nounits` prints them; the second has no power sensor.
CSV = """\
GPU-6d1f2a8e-0d3b-3f0c-9c5e-7f1f8f0f4b11, NVIDIA H200, 87, 12345, 143771, 512.34
GPU-0a7c1c55-54a1-5d0e-8a0b-0b1f2c3d4e5f, Tesla M60, 0, 3, 7680, [N/A]
"""
DCGM = """\
# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",pci_bus_id="00000000:17:00.0",device="nvidia0",modelName="NVIDIA H200",Hostname="n1"} 87
# HELP DCGM_FI_DEV_FB_USED Framebuffer memory used (in MiB).
# TYPE DCGM_FI_DEV_FB_USED gauge
DCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-1",device="nvidia0",modelName="NVIDIA H200",Hostname="n1"} 1000
DCGM_FI_DEV_FB_FREE{gpu="0",UUID="GPU-1",device="nvidia0",modelName="NVIDIA H200",Hostname="n1"} 3000
# HELP DCGM_FI_DEV_POWER_USAGE Power draw (in W).
# TYPE DCGM_FI_DEV_POWER_USAGE gauge
DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-1",device="nvidia0",modelName="NVIDIA H200",Hostname="n1"} 512.339
"""  # noqa: E501
VLLM = """\
# HELP vllm:prefix_cache_queries_total Prefix cache queries, in terms of number of queried tokens.
# TYPE vllm:prefix_cache_queries_total counter
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 1000.0
vllm:prefix_cache_queries_total{engine="1",model_name="m"} 500.0
# TYPE vllm:prefix_cache_hits_total counter
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 600.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="m"} 3.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} NaN
"""


def test_the_csv_of_nvidia_smi() -> None:
    first, second = parse(CSV, 5.0, "gpu")
    assert first == GpuRecord(
        5.0, "GPU-6d1f2a8e-0d3b-3f0c-9c5e-7f1f8f0f4b11", "NVIDIA H200", 0.87, 12345 * MEBIBYTE, 143771 * MEBIBYTE,
        512.34, "gpu",
    )  # fmt: skip
    assert (second.name, second.utilization, second.watts) == ("Tesla M60", 0.0, None)
    for bad in ("[N/A], x", "NVIDIA-SMI has failed", "a, b, c, d, e, f, g"):
        with pytest.raises(ValueError, match="columns"):
            list(parse(bad, 0.0))


def test_the_metrics_of_exporters() -> None:
    (gpu,) = gpu_records(list(parse_metrics(DCGM)), 1.0, "")
    assert gpu == GpuRecord(1.0, "GPU-1", "NVIDIA H200", 0.87, 1000 * MEBIBYTE, 4000 * MEBIBYTE, 512.339)
    server = server_record(list(parse_metrics(VLLM)), 1.0, "gpu")
    assert server == ServerRecord(1.0, "gpu", 600.0, 1500.0, 3.0, None, 0.25)
    assert server_record(list(parse_metrics(DCGM)), 1.0, "gpu") is None
    for bad in ("<html>no</html>", "a{b=", "x 1 2 3 4\n{"):
        with pytest.raises(ValueError):
            list(parse_metrics(bad))


def test_the_parts_of_a_divided_gpu_share_its_power() -> None:
    parts = "".join(
        f'DCGM_FI_DEV_{name}{{UUID="GPU-1",GPU_I_ID="{part}",modelName="A30"}} {value}\n'
        for part in (1, 2)
        for name, value in (("POWER_USAGE", 52.6), ("FB_USED", 1000), ("FB_FREE", 5000), ("GPU_UTIL", 40))
    )
    (gpu,) = gpu_records(list(parse_metrics(parts)), 1.0, "")
    assert gpu == GpuRecord(1.0, "GPU-1", "A30", 0.4, 2000 * MEBIBYTE, 12000 * MEBIBYTE, 52.6)


Install = Callable[[str], Path]


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put an executable `nvidia-smi` with this Python code first on the path."""

    def install(code: str) -> Path:
        program = tmp_path / "bin" / "nvidia-smi"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!{sys.executable}\nimport sys\n{code}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        return program

    return install


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("sys.exit(print('NVIDIA-SMI has failed because of the driver.') or 9)", "NVIDIA-SMI has failed"),
        ("print('one, two')", "a line has 2 columns"),
        ("", "finds no GPU"),
    ],
)  # fmt: skip
def test_an_nvidia_smi_that_fails_stops_the_run_before_it(nvidia_smi: Install, code: str, words: str) -> None:
    nvidia_smi(code)
    with pytest.raises(PlanError, match=words):
        NvidiaSmi().check()


def test_sources_that_do_not_exist(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SourceName.parse("gpu=dcgm:http://h/metrics?a=b") == SourceName("gpu", "dcgm:http://h/metrics?a=b")
    assert SourceName.parse("http://h/metrics?a=b") == SourceName("", "http://h/metrics?a=b")
    for gpus, servers, words in (
        (["rocm-smi"], [], "can't be rocm-smi"),
        (["x=nvidia-smi"], [], "x isn't a target"),
        ([], ["http://h/metrics"], "names no target"),
    ):
        with pytest.raises(PlanError, match=words):
            open_sources(gpus, servers, ["a", "b"])
    monkeypatch.setenv("PATH", str(tmp_path))
    command = ["run", "--targets", "steady", "--catalog", str(models.catalog(tmp_path, "steady")), "--out"]
    for option, words in (
        ("--gpu=nvidia-smi", "There is no nvidia-smi on this machine."),
        (f"--gpu=dcgm:{models.url}/models", "can't be read"),
        ("--metrics=http://127.0.0.1:9/metrics", "The metrics of vLLM can't be read (ConnectError)"),
    ):
        assert main([*command, str(tmp_path / "run.jsonl"), option]) == 1
        assert words in capsys.readouterr().err
    assert not (tmp_path / "run.jsonl").exists()
    assert not models.requests


class Exporter(ThreadingHTTPServer):
    """Serves the metrics of DCGM and of vLLM, whose counts grow with each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Metrics)
        self.asked = 0


class Metrics(BaseHTTPRequestHandler):
    server: Exporter

    def do_GET(self) -> None:
        self.server.asked += 1
        if self.server.asked == 3:
            self.send_error(503)
            return
        counts = VLLM.replace("600.0", str(600.0 + 30 * self.server.asked)).replace(
            "1000.0", str(1000.0 + 40 * self.server.asked)
        )
        self.send_response(200)
        self.end_headers()
        self.wfile.write((DCGM if "dcgm" in self.path else counts).encode())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    with serving(Exporter()) as running:
        yield running


def test_a_run_with_gpus_and_a_server(
    models: Models, nvidia_smi: Install, exporter: Exporter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nvidia_smi(f"assert '--format=csv,noheader,nounits' in sys.argv\nprint({CSV!r}, end='')")
    out = tmp_path / "run.jsonl"
    command = ["run", "--targets", "steady", "--catalog", str(models.catalog(tmp_path, "steady")), "--out", str(out)]
    url = f"http://127.0.0.1:{exporter.server_port}"
    sources = ["--gpu", "nvidia-smi", "--metrics", f"steady={url}/metrics"]
    assert main([*command, *sources, "--requests", "40", "--warmup", "0"]) == 0
    assert capsys.readouterr().err.count("telemetry is missing for a while (status 503)") <= 1
    run = run_file.read(out)
    assert {each.gpu for each in run.gpus} == {line.split(",")[0] for line in CSV.splitlines()}
    assert run.servers[0].target == "steady"
    ends = run.blocks[-1].started + run.blocks[-1].seconds
    assert run.gpus[0].at < run.blocks[0].started + 1 and run.gpus[-1].at > ends - 2.5
    assert run_file.text(run_file.parse(run_file.lines(run), "run.jsonl")) == run_file.text(run)
    assert "| steady" in report_markdown(Report(run))


def recorded_run(watts: float = 200.0, **targets: float) -> Run:
    """Two targets with blocks of 10 s: a GPU at half of its power for one, and at the full power for the other."""
    entries: list[Any] = []
    for number in range(6):
        for place, target in enumerate(("a", "b")):
            start = 20.0 * number + 10.0 * place
            entries += [record(0.1, target=target, block=number, tokens=100, sent=start) for _ in range(2)]
            entries.append(replace(block(10.0, target=target, number=number), started=start))
    run = build_run(*entries)
    for tenth in range(1210):
        at = tenth / 10 - 0.5
        busy = at % 20 >= 10
        run.gpus.append(GpuRecord(at, "GPU-1", "H200", float(busy), 1e9 * (1 + busy), 8e9, watts * (1 + busy)))
        run.servers.append(ServerRecord(at, "b", 60.0 * at, 80.0 * at, 2.0 * busy, 1.0, 0.5))
    return run


def test_energy_is_that_of_the_targets_turns() -> None:
    run = recorded_run()
    one, other = gpu_use(run, "a", run.loads[0]), gpu_use(run, "b", run.loads[0])
    assert one and other
    assert (one.watts, other.watts) == (pytest.approx(200, rel=0.01), pytest.approx(400, rel=0.01))
    assert (one.utilization, other.utilization) == (pytest.approx(0, abs=0.01), pytest.approx(1, abs=0.01))
    assert (one.gpus, one.memory_total, other.memory_bytes, one.covered) == (1, 8e9, 2e9, 1.0)
    # 10 s at 200 W for 200 tokens: 2,000 J / 200 = 10 J a token.
    assert one.wh_per_1000_tokens == pytest.approx(10_000 / 3600, rel=0.01)
    assert one.wh_per_1000_requests == pytest.approx(1_000_000 / 3600, rel=0.01)
    assert one.usd_per_1000_tokens(0.36) == pytest.approx(0.001, rel=0.01)
    server = server_use(run, "b", run.loads[0])
    assert server and server.hit_rate == pytest.approx(0.75)
    assert (server.waiting_max, server.kv_cache_max) == (2.0, 0.5)
    assert server_use(run, "a", run.loads[0]) is None


def test_silence_and_missing_figures_are_said() -> None:
    run = recorded_run()
    run.gpus = [replace(each, watts=None) for each in run.gpus if not 35 < each.at < 100]
    use = gpu_use(run, "a", run.loads[0])
    assert use and use.watts is None and use.wh_per_1000_tokens is None
    assert use.covered == pytest.approx(3 / 6)
    text = report_markdown(Report(run))
    assert "the GPUs were recorded in 50% of the time" in text
    run = recorded_run()
    run.records[0] = replace(run.records[0], usage=None)
    assert (found := gpu_use(run, "a", run.loads[0])) and found.wh_per_1000_tokens is None
    assert found.wh_per_1000_requests
    run.gpus = run.gpus[:1]
    assert (found := gpu_use(run, "a", run.loads[0])) and found.utilization is None
    run.servers = [replace(each, cache_hits=1000 - each.at) for each in run.servers]  # it restarts all the time
    assert (server := server_use(run, "b", run.loads[0])) and server.hit_rate is None


def test_gpus_and_energy_in_the_report() -> None:
    run = recorded_run()
    report = Report(run, usd_kwh=0.36)
    text = report_markdown(report)
    assert "| a      | concurrency 1 | H200 | 0%" in text
    assert "0.00100" not in text and "0.001" in text
    assert "75%" in text  # of the cache
    found = report_json(report)["targets"]["b"]["by_load"]["concurrency 1"]
    assert found["server"]["hit_rate"] == pytest.approx(0.75)
    assert "Wh per 1,000 tokens" in html(report)
    assert "Turns took" not in text
    short = replace(run, blocks=[replace(each, seconds=1.0) for each in run.blocks])
    assert "Turns took 1.0 s, so a GPU that several targets share" in report_markdown(Report(short))


def test_a_break_even_has_the_quality_beside_it() -> None:
    run = with_questions(recorded_run(), 12, {"b": [0, 1, 2]})
    run.records = [replace(each, usage=Usage(10, 100)) for each in run.records]
    machine, tokens, other = Hourly("machine", 0.01, ""), PerToken("tokens", 1, 2, ""), PerToken("others", 1, 2, "")
    notes = " ".join(Report(run, prices={"a": machine, "b": tokens}, alternatives=[other]).cost_notes)
    assert "a answers 100% of the questions right (74% to 100%), b 75% (43% to 95%)." in notes
    assert "; others wasn't asked here, so a lower price may buy other answers." in notes


@pytest.mark.parametrize(
    "changes", [{"watts": -1.0}, {"gpu": "x" * 999}, {"at": float("nan")}, {"utilization": "much"}]
)
def test_damaged_samples_are_refused(changes: dict[str, Any]) -> None:
    run = recorded_run()
    run.gpus = [replace(run.gpus[0], **changes)]
    with pytest.raises(RunError, match="is damaged"):
        run_file.parse([*run_file.lines(run), "{}"], "run.jsonl")
