"""Run files: JSON lines that contain everything a report needs.

The first line ("run") describes the run and how to reproduce it. "request" and "block" lines follow as they
happen. "end" says why the run stopped. "score" lines follow if the prompts have questions, and "judgment" lines if a
judge compared the answers, "gpu" and "server" lines if those were asked about themselves.
A "load" line comes before the first request at a load that a search chose.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from compare.errors import RunError
from compare.runs.records import BlockRecord, GpuRecord, Judgment, LoadRecord, Record, Run, Score, ServerRecord

Entry = Record | BlockRecord | LoadRecord | Score | Judgment | GpuRecord | ServerRecord
LINE_TYPES: dict[type[Entry], str] = {
    Record: "request",
    BlockRecord: "block",
    LoadRecord: "load",
    Score: "score",
    Judgment: "judgment",
    GpuRecord: "gpu",
    ServerRecord: "server",
}

# What only some workloads have: questions, conversations, prefixes.
OPTIONAL = ("answer", "conversation", "turn", "prefix")

VERSION = 1
MAX_FILE_BYTES = 500_000_000
# Of a seed. Sums and squares of such numbers are still finite.
MAX_DIGITS = 19
BLOCK_BYTES = 65_536  # to read from the end of a file at once
REMEDY = "Use a file that `python -m compare run --out` wrote."


def read(path: Path) -> Run:
    """Read a stored run; `RunError` names the first bad line. A last line that a crash cut off is dropped."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise RunError(f"{path.name} is larger than {MAX_FILE_BYTES / 1e6:g} MB.", "Measure fewer requests.")
        with path.open("rb") as file:
            return parse(file, path.name)
    except OSError as error:
        raise RunError(f"Can't read {path.name} ({error.strerror}).", "Check the path.") from error


def parse(content: Iterable[str | bytes], name: str) -> Run:
    """Build a run from its lines; `name` is the file's name for error messages."""
    lines = iter(content)
    run = Run(_parse_header(next(lines, ""), name))
    damaged: RunError | None = None  # the process was killed while it wrote the last line
    for number, line in enumerate(lines, start=2):
        if damaged:
            raise damaged
        try:
            _add(run, parse_json(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            damaged = RunError(f"Line {number} of {name} is damaged ({error}).", "Restore the file.")
    return run


def write(run: Run, path: Path) -> None:
    """Store a run; a run that was read is written back unchanged."""
    path.write_text(text(run), encoding="utf-8")


def text(run: Run) -> str:
    """Return the text of a run's file."""
    return "".join(f"{line}\n" for line in lines(run))


def lines(run: Run) -> Iterable[str]:
    """Yield the JSON lines of a run."""
    yield encode(run.header)
    marks: list[Entry] = [*run.scores.values(), *run.judgments.values()]
    entries: list[Entry] = [*run.records, *run.blocks, *marks, *run.gpus, *run.servers]
    for entry in entries:
        yield encode(entry_dict(entry))
    if run.ended:
        yield encode({"type": "end", "reason": run.ended})


def entry_dict(entry: Entry) -> dict[str, Any]:
    """Return an entry as the JSON object of its line; what a kind of workload lacks isn't in it."""
    line = {"type": LINE_TYPES[type(entry)], **asdict(entry)}
    return {name: value for name, value in line.items() if not (name in OPTIONAL and value is None)}


def append(entries: Iterable[Entry], path: Path) -> None:
    """Add entries to the end of a run's file, without the half line that a crash may have left there."""
    try:
        _end_last_line(path)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{encode(entry_dict(entry))}\n" for entry in entries)
    except OSError as error:
        raise RunError(f"Can't write {path.name} ({error.strerror}).", "Free some disk space.") from error


def _end_last_line(path: Path) -> None:
    """Add the newline that the last line lacks; cut off a line that was never written to its end."""
    with path.open("r+b") as file:
        start = file.seek(_whole_lines(file))
        line = file.read()
        try:
            if line:
                parse_json(line)
                file.write(b"\n")
        except (ValueError, RecursionError):
            file.truncate(start)


def _whole_lines(file: BinaryIO) -> int:
    """Return the number of bytes up to the last newline, and with it."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = file.seek(max(0, end - BLOCK_BYTES))
        if newline := file.read(end - start).rfind(b"\n") + 1:
            return start + newline
        end = start
    return 0


def encode(value: Any) -> str:
    """Return `value` as compact JSON on one line."""
    return json.dumps(value, separators=(",", ":"))


def _parse_header(line: str | bytes, name: str) -> dict[str, Any]:
    from compare.capacity.settings import CapacitySettings
    from compare.runs.schema import validate_header  # pydantic: a command's --help must not wait for it

    try:
        header: dict[str, Any] = parse_json(line)
        if header["type"] != "run":
            raise KeyError("type")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f"{name} isn't a stored run.", REMEDY) from error
    if header.get("version") != VERSION:
        raise RunError(
            f"{name} has format version {header.get('version')}; this program reads version {VERSION}.",
            "Measure again, or read it with the version of Spaceport that wrote it.",
        )
    try:
        validate_header(header)
    except ValueError as error:
        raise RunError(f"The first line of {name} is damaged: {error}.", "Restore the file.") from error
    if header.get("capacity"):
        CapacitySettings.from_header(header)
    return header


def parse_json(text: str | bytes, **options: Any) -> Any:
    """Parse JSON whose numbers can be added up and drawn; raise `ValueError` for others."""
    return json.loads(text, **{"parse_constant": _constant, **options}, parse_int=_whole_number, parse_float=_number)


def _constant(name: str) -> float:
    raise ValueError(f"a number is {name}")


def _whole_number(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has {len(text)} digits")
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if not abs(number) < 10**MAX_DIGITS:
        raise ValueError(f"a number is {text:.40}")
    return number


def _add(run: Run, entry: dict[str, Any]) -> None:
    from compare.runs.schema import (
        parse_block,
        parse_gpu,
        parse_judgment,
        parse_load,
        parse_record,
        parse_score,
        parse_server,
    )

    kind = entry.pop("type")
    if kind == "request":
        run.records.append(parse_record(entry))
    elif kind == "block":
        run.blocks.append(parse_block(entry))
    elif kind == "score":
        score = parse_score(entry, len(run.records))
        run.scores[score.request] = score
    elif kind == "gpu":
        run.gpus.append(parse_gpu(entry))
    elif kind == "server":
        run.servers.append(parse_server(entry))
    elif kind == "judgment":
        judgment = parse_judgment(entry, run)
        run.judgments[judgment.key] = judgment
    elif kind == "load":
        load = parse_load(entry, run.header)
        run.header["loads"].append(load.load)
        run.header["capacity"]["values"][load.load] = load.value
        run.header["loads"].sort(key=lambda name: run.header["capacity"]["values"].get(name, 0))
    elif kind == "target":
        run.header["targets"][entry.pop("name")]["served"] = entry
    elif kind == "end":
        run.ended = str(entry["reason"])
