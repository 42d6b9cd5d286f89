"""Asks `nvidia-smi` about the GPUs of this machine."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Iterator

from backends.stopwatch import wall_clock
from compare.errors import PlanError
from compare.runs.records import GpuRecord

FIELDS = ("uuid", "name", "utilization.gpu", "memory.used", "memory.total", "power.draw")
COMMAND = ("nvidia-smi", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits")
SECONDS = 5.0
MEBIBYTE = 1024 * 1024


class NvidiaSmi:
    """The GPUs of this machine, which serve `target`, or any target if that is ""."""

    def __init__(self, target: str = "") -> None:
        self._target = target

    def check(self) -> None:
        """Raise `PlanError` if there is no `nvidia-smi`, or if it finds no GPU."""
        remedy = "Ask another machine: --gpu dcgm:http://HOST:9400/metrics. Or leave out --gpu."
        if shutil.which(COMMAND[0]) is None:
            raise PlanError("There is no nvidia-smi on this machine.", remedy)
        try:
            gpus = list(self.sample())
        except (OSError, ValueError) as error:
            raise PlanError(f"nvidia-smi doesn't answer ({error}).", remedy) from error
        if not gpus:
            raise PlanError("nvidia-smi finds no GPU.", remedy)

    def sample(self) -> Iterator[GpuRecord]:
        """Yield a record for each GPU."""
        at = wall_clock()
        try:
            process = subprocess.run(COMMAND, capture_output=True, text=True, timeout=SECONDS)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise OSError(f"no answer within {SECONDS:g} s") from error
        if process.returncode:
            lines = (process.stdout + process.stderr).strip().splitlines()
            raise OSError(lines[0][:200] if lines else f"status {process.returncode}")
        yield from parse(process.stdout, at, self._target)

    def close(self) -> None:
        """There is nothing to close: each sample is a process of its own."""


def parse(text: str, at: float, target: str = "") -> Iterator[GpuRecord]:
    """Yield a record for each line of its CSV; raise `ValueError` for a line with other columns."""
    for row in csv.reader(text.splitlines(), skipinitialspace=True):
        if not row:
            continue
        if len(row) != len(FIELDS):
            raise ValueError(f"a line has {len(row)} columns")
        uuid, name = (cell.strip() for cell in row[:2])
        percent, used, total, watts = map(_number, row[2:])
        yield GpuRecord(
            at, uuid, name, None if percent is None else percent / 100,
            None if used is None else used * MEBIBYTE, None if total is None else total * MEBIBYTE, watts, target,
        )  # fmt: skip


def _number(cell: str) -> float | None:
    """Return a number; None for [N/A], [Not Supported] and what else stands for none."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None
