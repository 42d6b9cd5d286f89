"""Finds a workload by what a command was given."""

from __future__ import annotations

from pathlib import Path

from compare.measure.workloads.workload import MAX_FILE_BYTES, SHAPES, Workload, built_in, load


def find_workload(name: str, max_bytes: int = MAX_FILE_BYTES) -> Workload:
    """Return a built-in workload by its name, generate that of a TOML file, or load the prompts of another file."""
    if name in SHAPES or not (Path(name).suffix or Path(name).is_file()):
        return built_in(name)
    if Path(name).suffix.lower() == ".toml":
        from compare.measure.workloads.generated.generate import load_generated  # pydantic: --help must not wait for it

        return load_generated(Path(name))
    return load(Path(name), max_bytes)
