"""`python -m compare run | report` on the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compare.__main__ import main
from compare.runs import run_file
from tests.compare.servers import Models


def run(models: Models, folder: Path, *more: str, targets: str = "steady,slow") -> tuple[int, Path]:
    out = folder / "run.jsonl"
    catalog = models.catalog(folder, *dict.fromkeys(targets.split(",")))
    return main(["run", "--targets", targets, "--catalog", str(catalog), "--out", str(out), *more]), out


def test_run_and_report(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out = run(models, tmp_path, "--concurrency", "1,2", "--requests", "14")
    assert status == 0
    assert "of 62 requests" in capsys.readouterr().err
    files = {suffix: tmp_path / f"report.{suffix}" for suffix in ("json", "html", "csv", "markdown")}
    arguments = [f"--{suffix}={path}" for suffix, path in files.items()]
    assert main(["report", str(out), *arguments, "--price", "steady=1.25/h", "--price", "slow=tokens:1/2"]) == 0
    printed = capsys.readouterr().out
    assert "steady is" in printed
    assert "times faster to the first token than slow" in printed
    assert files["markdown"].read_text() == printed
    report = json.loads(files["json"].read_text())
    for target in ("steady", "slow"):
        for metric in ("ttft_ms", "itl_ms", "tpot_ms", "e2e_ms"):
            assert set(report["targets"][target][metric]) == {"n", "mean", "p50", "p90", "p95", "p99"}
        assert set(report["targets"][target]["by_load"]) == {"concurrency 1", "concurrency 2"}
    assert report["targets"]["steady"]["ttft_ms"]["n"] == 28
    assert len(files["csv"].read_text().splitlines()) == 1 + len(run_file.read(out).records)
    assert files["html"].read_text().startswith("<!doctype html>")


def test_a_stored_run_gives_the_same_metrics_to_the_last_digit(models: Models, tmp_path: Path) -> None:
    _, out = run(models, tmp_path, "--requests", "16")
    arguments = ["report", str(out), "--json"]
    assert main([*arguments, str(tmp_path / "one")]) == 0
    command = [sys.executable, "-m", "compare", *arguments, str(tmp_path / "two")]  # another process: nothing is cached
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_two_stored_runs_are_compared(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(models, tmp_path, "--requests", "14", "--progress", "none", targets="steady")
    earlier = out.rename(tmp_path / "earlier.jsonl")
    _, out = run(models, tmp_path, "--requests", "14", "--progress", "none", targets="steady")
    assert main(["report", str(out), "--against", str(earlier)]) == 0
    assert "steady (this run)" in capsys.readouterr().out


def test_progress_for_a_program(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(models, tmp_path, "--requests", "3", "--progress", "json", targets="steady")
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [step["done"] for step in steps] == list(range(1, 7))
    assert steps[-1]["total"] == 6
    assert steps[-1]["left"] == pytest.approx(0)


@pytest.mark.parametrize(
    ("more", "targets", "message"),
    [
        ([], "steady,steady", "appears twice"),
        ([], "stedy", "Did you mean steady?"),
        ([], ",", "No target is selected"),
        (["--concurrency", "0"], "steady", "concurrency 0"),
        (["--concurrency", "1,x"], "steady", "isn't a list of numbers"),
        (["--concurrency", "999"], "steady", "from 1 to 256"),
        (["--rate", "-1"], "steady", "-1 requests/s"),
        (["--requests", "0"], "steady", "The number of requests is 0"),
        (["--seed", "-1"], "steady", "The seed is -1"),
        (["--concurrency", "64"], "steady", "40 requests can't keep 64 in flight"),
        (["--max-seconds", "0"], "steady", "The maximum duration"),
        (["--workload", "poetry"], "steady", "There is no workload"),
        (["--workload", "missing.jsonl"], "steady", "Can't read"),
    ],
)
def test_bad_input_is_reported_before_anything_is_sent(
    models: Models,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    targets: str,
    message: str,
) -> None:
    catalog = models.catalog(tmp_path, "steady")
    out = tmp_path / "run.jsonl"
    assert main(["run", "--targets", targets, "--catalog", str(catalog), "--out", str(out), *more]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert not models.requests
    assert not out.exists()


def test_an_unwritable_out(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalog = models.catalog(tmp_path, "steady")
    missing = tmp_path / "missing" / "run.jsonl"
    assert main(["run", "--targets", "steady", "--catalog", str(catalog), "--out", str(missing)]) == 1
    assert "Can't write" in capsys.readouterr().err


def test_every_request_failing_has_its_own_status(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out = run(models, tmp_path, "--requests", "8", targets="refuses,busy")
    assert status == 3
    assert "no request succeeded" in capsys.readouterr().err
    assert main(["report", str(out), "--html", str(tmp_path / "report.html")]) == 0
    printed = capsys.readouterr().out
    assert "refuses: every request failed" in printed
    assert "Set api_key" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--price", "gpu=1/h"], "isn't a price of a target"),
        (["--price", "steady=-1/h"], "negative"),
        (["--price", "steady=ml.g5.xlrge"], "Did you mean ml.g5.xlarge?"),
        (["--utilisation", "0"], "utilisation of 0"),
        (["--json", "missing/metrics.json"], "Can't write"),
        (["--prices", "missing.toml"], "Can't read"),
        (["--against", "missing.jsonl"], "Can't read"),
    ],
)
def test_bad_reports(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    _, out = run(models, tmp_path, "--requests", "2", "--progress", "none", targets="steady")
    assert main(["report", str(out), *arguments]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_and_keeps_the_file(models: Models, tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "run.jsonl"
    catalog = models.catalog(tmp_path, "steady", "slow")
    command = ["run", "--targets", "steady,slow", "--catalog", str(catalog), "--requests", "500", "--out", str(out)]
    process = subprocess.Popen([sys.executable, "-m", "compare", *command], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while len(models.requests.get("slow", [])) < 12 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode == 130
    stored = run_file.read(out)
    assert stored.ended == "stopped"
    assert len(stored.measured("slow")) >= 8


def test_a_file_that_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text('{"question": "why"}\n')
    assert main(["report", str(path)]) == 1
    assert "notes.jsonl isn't a stored run" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--json", "--html", "--csv", "--markdown"])
def test_a_report_never_replaces_its_run(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    _, out = run(models, tmp_path, "--requests", "2", targets="steady")
    before = out.read_bytes()
    assert main(["report", str(out), option, str(tmp_path / "." / "run.jsonl")]) == 1
    assert "is an input of the report" in capsys.readouterr().err
    assert out.read_bytes() == before


def test_json_on_the_terminal_still_writes_the_other_files(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = run(models, tmp_path, "--requests", "2", "--progress", "none", targets="steady")
    page = tmp_path / "report.html"
    assert main(["report", str(out), "--json", "-", "--html", str(page)]) == 0
    assert json.loads(capsys.readouterr().out)["ended"] == "finished"
    assert page.exists()


def test_a_full_disk_is_an_error(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalog = models.catalog(tmp_path, "steady")
    full = ["--out", "/dev/full", "--progress", "none"]
    assert main(["run", "--targets", "steady", "--catalog", str(catalog), *full]) == 1
    assert "Can't write" in capsys.readouterr().err


def test_a_closed_pipe_is_no_error(models: Models, tmp_path: Path) -> None:
    _, out = run(models, tmp_path, "--requests", "2", targets="steady")
    command = f"{sys.executable} -m compare report {out} --json - | head -c 10"
    process = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in process.stderr
    assert process.returncode == 0


def test_a_terminal_without_unicode_prints_the_report(models: Models, tmp_path: Path) -> None:
    _, out = run(models, tmp_path, "--requests", "2", targets="steady")
    process = subprocess.run(
        [sys.executable, "-m", "compare", "report", str(out)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert process.returncode == 0, process.stderr


def test_a_deeply_nested_line_is_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deep = tmp_path / "deep.jsonl"
    deep.write_text("[" * 200_000 + "\n")
    assert main(["report", str(deep)]) == 1
    assert "isn't a stored run" in capsys.readouterr().err
