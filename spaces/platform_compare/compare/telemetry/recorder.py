"""Samples the sources once a second in a thread of its own, and adds the samples to a run."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType

from compare.errors import PlanError
from compare.runs import run_file
from compare.runs.run_file import Entry
from compare.telemetry.nvidia_smi import NvidiaSmi
from compare.telemetry.prometheus_text import Exporter
from compare.telemetry.samples import Sample, Source, SourceName

INTERVAL = 1.0
MARGIN = 5.0  # seconds before the first block and after the last one that are kept


def open_sources(gpus: Sequence[str], servers: Sequence[str], targets: Sequence[str]) -> list[Source]:
    """Return the sources that the options name; raise `PlanError` for one that there isn't."""
    sources: list[Source] = []
    for name in map(SourceName.parse, gpus):
        _check_target(name, targets)
        if name.text == "nvidia-smi":
            sources.append(NvidiaSmi(name.target))
        elif name.text.startswith("dcgm:"):
            sources.append(Exporter(name.text.removeprefix("dcgm:"), "DCGM", name.target))
        else:
            raise PlanError(f"--gpu can't be {name.text}.", "Use nvidia-smi, or dcgm:http://HOST:9400/metrics.")
    for name in map(SourceName.parse, servers):
        if not name.target and len(targets) > 1:
            raise PlanError("--metrics names no target.", f"Write {targets[0]}=http://HOST:8000/metrics.")
        _check_target(name, targets)
        sources.append(Exporter(name.text, "vLLM", name.target or targets[0]))
    return sources


def _check_target(name: SourceName, targets: Sequence[str]) -> None:
    if name.target and name.target not in targets:
        raise PlanError(f"{name.target} isn't a target of this run.", f"The targets are {', '.join(targets)}.")


class Recorder:
    """Records inside of a `with` block; a source that fails is tried again, and reported once."""

    def __init__(self, sources: Sequence[Source], interval: float = INTERVAL) -> None:
        self._sources = sources
        self._interval = interval
        self._samples: list[Sample] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._record, args=[source], daemon=True) for source in sources]

    def __enter__(self) -> Recorder:
        try:
            for source in self._sources:
                source.check()
        except BaseException:
            self._close()
            raise
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(self._interval + 10)
        self._close()

    def save(self, path: Path) -> None:
        """Add what was recorded during the measurement to the run's file."""
        run = run_file.read(path)
        began = datetime.fromisoformat(run.header["started"]).timestamp()
        first = min((block.started for block in run.blocks), default=0.0) - MARGIN
        last = max((block.started + block.seconds for block in run.blocks), default=0.0) + MARGIN
        joined = [replace(sample, at=sample.at - began) for sample in list(self._samples)]
        entries: list[Entry] = [sample for sample in joined if first <= sample.at <= last]
        run_file.append(entries, path)

    def _close(self) -> None:
        for source in self._sources:
            source.close()

    def _record(self, source: Source) -> None:
        was_said = False
        while True:
            try:
                self._samples += source.sample()
            except (OSError, ValueError) as error:
                if not was_said:
                    print(f"note: telemetry is missing for a while ({error})", file=sys.stderr)
                was_said = True
            if self._stop.wait(self._interval):
                return
