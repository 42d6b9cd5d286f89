"""Reads a run of this program or the output of another load tool: the content says which it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from compare.errors import RunError
from compare.foreign import aiperf, guidellm, vllm
from compare.foreign.tool_output import Imported, build_run
from compare.runs import run_file
from compare.runs.records import Run

REMEDY = "Use a run of `python -m compare run`, or an output of AIPerf, GuideLLM or vllm bench serve."
# The first line of a run, or of AIPerf's requests, is shorter; an output of vLLM is one line of any length.
FIRST_BYTES = 10_000_000
RUN_START = b'{"type":"run",'


def read_run(path: Path, target: str | None = None) -> Run:
    """Return the run of a path, by its content; `target` renames the target of another tool's output.

    The path of AIPerf's output is its folder or one of its files. `RunError` says what can't be read and why.
    """
    if path.is_dir():
        return _read_aiperf(aiperf.summary_file(path), target)
    first = _first_line(path)
    if _is_run(path) or (isinstance(first, dict) and first.get("type") == "run"):
        return run_file.read(path)
    if aiperf.is_request(first):
        return _read_aiperf(aiperf.summary_file(path), target)
    content = _load(path)
    if aiperf.is_summary(content):
        return _read_aiperf(path, target)
    for tool in (guidellm, vllm):
        if tool.is_output(content):
            return _build(partial(tool.read_output, content, path.name), path.name, target)
    raise RunError(f"{path.name} isn't a stored run.", REMEDY)


def _read_aiperf(summary: Path, target: str | None) -> Run:
    requests = aiperf.requests_file(summary)
    for file in (summary, requests):
        if not file.is_file():
            raise RunError(f"{file.name} of AIPerf's output is missing.", aiperf.REMEDY)
    content = _load(summary)
    entries, is_cut = aiperf.parse_requests(_bytes(requests).splitlines(), requests.name)
    read_output = partial(aiperf.read_output, content, entries, is_cut=is_cut, name=requests.name)
    return _build(read_output, requests.name, target)


def _build(read_output: Callable[[], Imported], name: str, target: str | None) -> Run:
    try:
        return build_run(read_output(), name, target)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, OSError) as error:
        what = f"{type(error).__name__}: {error}"[:200]
        raise RunError(f"{name} doesn't have the form that this program reads ({what}).", REMEDY) from error


def _is_run(path: Path) -> bool:
    """Return whether a file begins like a run; the first line of one with many questions is long."""
    try:
        with path.open("rb") as file:
            return file.read(len(RUN_START)) == RUN_START
    except OSError:
        return False  # the next reader says why


def _first_line(path: Path) -> Any:
    """Return the parsed first line of a file of lines, or None."""
    try:
        with path.open("rb") as file:
            return json.loads(file.readline(FIRST_BYTES))
    except OSError as error:
        raise RunError(f"Can't read {path.name} ({error.strerror}).", "Check the path.") from error
    except (ValueError, RecursionError):
        return None


def _load(path: Path) -> Any:
    try:
        return run_file.parse_json(_bytes(path))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path.name} isn't a stored run: it isn't valid JSON ({error}).", REMEDY) from error


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > run_file.MAX_FILE_BYTES:
            raise RunError(
                f"{path.name} is larger than {run_file.MAX_FILE_BYTES / 1e6:g} MB.", "Measure fewer requests."
            )
        return path.read_bytes()
    except OSError as error:
        raise RunError(f"Can't read {path.name} ({error.strerror}).", "Check the path.") from error
