"""Several client processes: they share a run exactly, begin together, and one that dies is named."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from itertools import islice, pairwise
from pathlib import Path

import pytest

from compare.__main__ import main
from compare.analyse.caveats import find_caveats
from compare.errors import CompareError, PlanError, RunError
from compare.measure.clients.barrier import Barrier, open_barrier
from compare.measure.clients.coordinator import Coordinator, close
from compare.measure.clients.part import Part
from compare.measure.load import Load
from compare.measure.plan import RunPlan, closed_loops
from compare.measure.workloads.workload import Workload, built_in
from compare.report.words.caveat_text import caveat_text
from compare.runs import run_file
from compare.runs.merge import merge_runs
from compare.runs.records import Run
from tests.compare.servers import Models
from tests.helpers.servers import free_port

SHORT, LOAD = built_in("short"), Load("poisson", 80)


def arguments(models: Models, folder: Path, *more: str, targets: str = "steady,slow") -> list[str]:
    catalog = models.catalog(folder, *targets.split(","))
    return ["run", "--targets", targets, "--catalog", str(catalog), "--out", str(folder / "run.jsonl"), *more]


def measure_parts(models: Models, folder: Path, count: int, *more: str, targets: str = "steady") -> list[Run]:
    """Measure with clients that meet at the first one, as on several machines."""
    catalog, address = models.catalog(folder, *targets.split(",")), f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "compare", "run", "--targets", targets, "--catalog", str(catalog), *more]
    command += ["--warmup", "0", "--progress", "none", "--meet", address]
    paths = [folder / f"part-{index}.jsonl" for index in range(count)]
    processes = [
        subprocess.Popen([*command, "--out", str(path), "--client", f"{index}/{count}"])
        for index, path in enumerate(paths)
    ]
    assert [process.wait(timeout=120) for process in processes] == [0] * count
    return [run_file.read(path) for path in paths]


def test_two_processes_measure_one_run(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = arguments(
        models, tmp_path, "--concurrency", "3,4", "--requests", "16", "--clients", "2", "--progress=json"
    )
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["done"] == 2 * (1 + 2 + 2 * 16)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["catalog.toml", "run.jsonl"]
    run = run_file.read(tmp_path / "run.jsonl")
    assert (run.ended, run.lost_clients, run.header["clients"]["count"]) == ("finished", [], 2)
    assert "client" not in run.header
    for target in run.targets:
        phases = [record.phase for record in run.records if record.target == target]
        assert (phases.count("cold"), phases.count("warmup"), phases.count("measured")) == (1, 2, 32)
        for load in run.loads:
            assert sorted(record.prompt for record in run.measured(target, load)) == list(range(16))
        prompts = [body["messages"][0]["content"] for body in models.requests[target]]
        assert len(set(prompts)) == len(prompts)
    assert models.max_in_flight == {"steady": 4, "slow": 4}
    spans = sorted((block.started, block.started + block.seconds) for block in run.blocks)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))
    for block in run.blocks:
        sent = [r.sent for r in run.records if (r.target, r.load, r.block, r.phase) == (*key(block), "measured")]
        assert block.started <= min(sent) <= max(sent) <= block.started + block.seconds
    # A busy machine delays the client, and then events come together.
    assert {caveat.kind for caveat in find_caveats(run)} <= {"overloaded", "coalesced"}
    assert main(["report", str(tmp_path / "run.jsonl")]) == 0
    assert "Clients: 2 processes" in capsys.readouterr().out


def key(block: object) -> tuple[object, ...]:
    return tuple(getattr(block, name) for name in ("target", "load", "block"))


def test_a_merged_run_is_the_same_from_files_in_any_order(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("--rate", "80", "--requests", "24", "--seed", "5")
    parts = measure_parts(models, tmp_path, 2, *more, targets="steady,dies")
    assert [len(part.measured("steady")) for part in parts] == [12, 12]
    check_schedule(merge_runs(parts))
    assert run_file.text(merge_runs(parts)) == run_file.text(merge_runs(parts[::-1]))
    out, files = tmp_path / "merged.jsonl", [str(tmp_path / f"part-{index}.jsonl") for index in range(2)]
    assert main(["merge", *files, "--out", str(out)]) == 0
    assert out.read_text() == run_file.text(merge_runs(parts))
    assert run_file.text(run_file.read(out)) == out.read_text()
    assert main(["merge", files[1], "--out", str(out)]) == 0
    run = run_file.read(out)
    assert run.lost_clients == [0]
    (text,) = [caveat_text(caveat) for caveat in find_caveats(run) if caveat.kind == "clients lost"]
    assert text.startswith("1 of 2 clients ended early (number 0)")
    assert {record.ok for record in run.measured("dies")} >= {False}  # one client alone gives up on it
    for wrong, message in (
        ([files[0], files[0]], "Two files are those of client 0"),
        ([str(out), files[0]], "isn't the part of one of several clients"),
        ([files[0], files[1], "--out", files[1]], "is the file of a client"),
    ):
        assert main(["merge", "--out", str(tmp_path / "x"), *wrong]) == 1
        assert message in capsys.readouterr().err
    with pytest.raises(RunError, match="Clients 0 and 1 measured different runs"):
        merge_runs([parts[0], Run(parts[1].header | {"id": "another"})])


def check_schedule(run: Run) -> None:
    """The clients share the schedule that one of them would have, to the microsecond."""
    assert sorted(record.prompt for record in run.measured("steady")) == list(range(24))
    for block in run.target_blocks("steady"):
        due = sorted(record.intended for record in run.measured("steady") if record.block == block.block)
        planned = islice(LOAD.arrivals(0, f"5/{LOAD.name}/{block.block}"), len(due))
        assert [moment - due[0] for moment in due] == pytest.approx(list(planned), abs=1e-6)


def test_a_client_that_dies_is_named(models: Models, tmp_path: Path) -> None:
    command = arguments(models, tmp_path, "--concurrency", "2", "--requests", "60", "--clients", "2", targets="slow")
    process = subprocess.Popen([sys.executable, "-m", "compare", *command], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while len(models.requests.get("slow", [])) < 12 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(next(each for each in children(process.pid) if b"--client=1/2" in each[1])[0], signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode == 0
    run = run_file.read(tmp_path / "run.jsonl")
    assert (run.ended, run.lost_clients) == ("finished", [1])
    assert 30 <= len(run.measured("slow")) < 60
    assert {caveat.kind for caveat in find_caveats(run)} >= {"clients lost"}
    assert not list(tmp_path.glob("*client*"))


def children(process: int) -> list[tuple[int, bytes]]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [(int(each), Path(f"/proc/{each}/cmdline").read_bytes()) for each in found]


def test_a_signal_ends_all_clients_and_keeps_their_records(models: Models, tmp_path: Path) -> None:
    command = arguments(models, tmp_path, "--concurrency", "2", "--requests", "500", "--clients", "2", targets="slow")
    process = subprocess.Popen([sys.executable, "-m", "compare", *command], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while len(models.requests.get("slow", [])) < 12 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130
    run = run_file.read(tmp_path / "run.jsonl")
    assert (run.ended, run.lost_clients) == ("stopped", [])
    assert len(run.measured("slow")) >= 6


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--clients", "0"], "no client 0 of 0"),
        (["--clients", "65", "--concurrency", "65", "--requests", "130"], "Use 1 to 64 clients"),
        (["--clients", "3", "--concurrency", "2"], "3 clients can't share concurrency 2"),
        (["--clients", "2", "--concurrency", "2", "--out", "missing/run.jsonl"], "Can't write missing/run.jsonl"),
        (["--client", "one"], "'one' names no client"),
        (["--client", "2/2", "--meet", "127.0.0.1:9"], "no client 2 of 2"),
        (["--client", "0/2", "--concurrency", "2"], "no place to meet"),
        (["--client", "0/2", "--concurrency", "2", "--meet", "here"], "'here' isn't an address"),
    ],
)
def test_bad_clients(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    assert main(arguments(models, tmp_path, *more, targets="steady")) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run.jsonl").exists()


def test_a_model_in_the_clients_process_has_one_client(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalog = tmp_path / "catalog.toml"
    catalog.write_text('[laptop]\nkind = "embedded"\n')
    command = ["run", "--targets", "laptop", "--catalog", str(catalog), "--out", str(tmp_path / "run.jsonl")]
    assert main([*command, "--concurrency", "2", "--clients", "2"]) == 1
    assert "laptop runs in the client's process" in capsys.readouterr().err


async def test_clients_with_other_prompts_are_refused() -> None:
    address, plan = f"127.0.0.1:{free_port()}", RunPlan(("steady",), closed_loops([2]))

    async def join(index: int, workload: Workload) -> str:
        async with open_barrier(Part(index, 2), address, plan, workload, host=True) as barrier:
            return barrier.run

    first = asyncio.create_task(join(0, SHORT))
    with pytest.raises(PlanError, match="differ from those of another client"):
        await join(1, built_in("chat"))
    assert await join(1, SHORT) == await first


async def test_a_coordinator_that_ends_is_an_error() -> None:
    coordinator = Coordinator(2)
    async with coordinator.serving("127.0.0.1") as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        stranger = await asyncio.open_connection("127.0.0.1", port)
        stranger[1].write(b"GET / HTTP/1.1\r\n\r\n")  # a port scan must not end a run
        assert await stranger[0].read() == b""
        await close(stranger[1])
        barrier = Barrier(Part(0, 2), reader, writer)
        coordinator.lose(1)
        await barrier.join("plan")
        began = barrier.origin
        assert await barrier.wait() > began
    with pytest.raises(CompareError, match="The coordinator of the clients has gone"):
        await barrier.wait()
    await close(writer)
