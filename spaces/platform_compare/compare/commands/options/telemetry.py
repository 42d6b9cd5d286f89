"""The options of `python -m compare run` for telemetry, and the command that records it."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def add_telemetry_options(run: argparse.ArgumentParser) -> None:
    """Add `--gpu` and `--metrics` to the command."""
    run.add_argument(
        "--gpu", action="append", default=[], metavar="[TARGET=]SOURCE",
        help="record the GPUs each second: nvidia-smi, or dcgm:http://HOST:9400/metrics",
    )  # fmt: skip
    run.add_argument(
        "--metrics", action="append", default=[], metavar="TARGET=URL",
        help="record vLLM's cache hits and queue each second, from its /metrics",
    )  # fmt: skip


def recorded(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Run a command that measures into `options.out`, and add what GPUs and servers said meanwhile."""
    if not (options.gpu or options.metrics):
        return command(options)
    from compare.telemetry.recorder import Recorder, open_sources  # httpx2: a command's --help must not wait for it

    targets = [name.strip() for name in options.targets.split(",") if name.strip()]
    with Recorder(open_sources(options.gpu, options.metrics, targets)) as recorder:
        status = command(options)
    if options.out.is_file():
        recorder.save(options.out)
    return status
