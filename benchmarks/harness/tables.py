"""Output of the benchmarks: a Markdown table, and the same results as JSON."""

from __future__ import annotations

import json
import platform
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent.parent / "results"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with aligned columns."""
    lines = [headers, ["---"] * len(headers), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def write(name: str, results: dict[str, Any]) -> None:
    """Save the results in benchmarks/results/ with a description of the machine."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    path.write_text(json.dumps({"machine": machine, **results}, indent=2) + "\n")
    print(f"\nsaved to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
