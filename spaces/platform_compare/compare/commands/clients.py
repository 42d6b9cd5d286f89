"""`python -m compare run --clients N`: starts the clients as processes, and merges what they measured."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from backends import Catalog
from compare.analyse.caveats import IN_PROCESS_KINDS
from compare.commands.options.workloads import SHAPE_OPTIONS
from compare.errors import CompareError, PlanError
from compare.measure.background import BackgroundRun
from compare.measure.clients.barrier import open_barrier
from compare.measure.clients.coordinator import Coordinator
from compare.measure.clients.part import Part
from compare.measure.measurement import Progress
from compare.measure.plan import RunPlan
from compare.measure.run import EndReason, execute, open_file
from compare.measure.workloads.workload import Workload
from compare.runs import run_file
from compare.runs.merge import merge_runs

HOST = "127.0.0.1"
# The options that a client gets as they are; its workload is a file or a name.
PASSED_ON = ("targets", "catalog", "concurrency", "rate", "trace", "sweep", "arrivals", "burst", "warmup", "max_tokens",
             "temperature", "seed", "timeout", "max_seconds", *SHAPE_OPTIONS)  # fmt: skip


def check_targets(plan: RunPlan, catalog: Catalog) -> None:
    """Raise `PlanError` for a model in the client's process: each client would have its own."""
    for name in plan.targets:
        if catalog.settings(name).get("kind") in IN_PROCESS_KINDS:
            raise PlanError(f"{name} runs in the client's process, so there can be one client.", "Leave out --clients.")


async def execute_with_clients(
    plan: RunPlan, workload: Path | None, options: argparse.Namespace, report: Callable[[Progress], None]
) -> EndReason:
    """Measure with several processes into `options.out`; `workload` is None for the default and for generated prompts.

    The files of the clients stay only if they can't be merged.
    """
    arguments = [f"--requests={plan.requests}", *([f"--workload={workload}"] if workload else [])]
    arguments += [
        f"--{name.replace('_', '-')}={value}" for name in PASSED_ON if (value := getattr(options, name)) is not None
    ]
    try:
        with open_file(options.out) as file:
            clients = await _run_all(options, arguments, lambda each: report(_sum(each, plan)))
            paths = [client.out for client in clients if client.out.exists()]
            if not paths:
                return "stopped"
            run = merge_runs([run_file.read(path) for path in paths])
            file.writelines(f"{line}\n" for line in run_file.lines(run))
    finally:
        if options.out.is_file() and not options.out.stat().st_size:
            options.out.unlink()
    for path in paths:
        path.unlink()
    return next((reason for reason in ("stopped", "out of time") if run.ended == reason), "finished")


async def execute_as_client(
    plan: RunPlan, workload: Workload, catalog: Catalog, options: argparse.Namespace, report: Callable[[Progress], None]
) -> EndReason:
    """Measure this client's part of a run into `options.out`."""
    part, address = Part.parse(options.client), options.join or options.meet
    if not address:
        raise PlanError("The clients have no place to meet.", "Name client 0 and a port: --meet load-0.load:7000.")
    plan = plan.with_conversations(workload)
    part.check(plan)
    async with open_barrier(part, address, plan, workload, host=not options.join) as barrier:
        return await execute(plan, workload, catalog, options.out, report, barrier=barrier)


class _Client:
    """One process, and how far it is."""

    def __init__(self, number: int, arguments: Sequence[str], out: Path) -> None:
        self.number = number
        self.out = out.with_name(f"{out.stem}.client-{number}{out.suffix}")
        self.progress = Progress(0, 0, 0.0, None, "")
        self._run = BackgroundRun(arguments, self.out, Path.cwd())

    async def run(self, coordinator: Coordinator, report: Callable[[], None]) -> None:
        try:
            async for progress in self._run.run():
                self.progress = progress
                report()
        finally:
            coordinator.lose(self.number)

    def stop(self) -> None:
        self._run.stop()


async def _run_all(
    options: argparse.Namespace, arguments: Sequence[str], report: Callable[[Sequence[Progress]], None]
) -> Sequence[_Client]:
    """Run all clients to their end. If this is cancelled, or one of them can't start, they store what they have."""
    coordinator = Coordinator(options.clients)
    async with coordinator.serving(HOST) as port:
        names = [f"{number}/{options.clients}" for number in range(options.clients)]
        clients = [
            _Client(number, [*arguments, f"--client={name}", f"--join={HOST}:{port}"], options.out)
            for number, name in enumerate(names)
        ]
        tasks = [
            asyncio.create_task(client.run(coordinator, lambda: report([each.progress for each in clients])))
            for client in clients
        ]
        try:
            await asyncio.shield(asyncio.gather(*tasks))
        except (asyncio.CancelledError, CompareError) as error:
            for client in clients:
                client.stop()
            await asyncio.gather(*tasks, return_exceptions=True)
            if isinstance(error, CompareError):
                raise
    return clients


def _sum(each: Sequence[Progress], plan: RunPlan) -> Progress:
    left = [progress.seconds_left for progress in each if progress.seconds_left is not None]
    latest = max(each, key=lambda progress: progress.seconds)
    done = sum(progress.done for progress in each)
    return Progress(done, plan.total, latest.seconds, max(left, default=None), latest.current_step)
