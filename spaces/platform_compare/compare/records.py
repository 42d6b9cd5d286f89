"""A run as it is stored: JSON lines with the raw arrivals, from which every figure derives.

The first line ("run") says how to repeat it; then "request" and "block" lines as they come; "end" says why it ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from backends import Arrival, Mark, Usage
from compare.errors import RunError
from compare.schema import BLOCK, REQUEST, check, check_header

VERSION = 1
MAX_FILE_BYTES = 500_000_000
Phase = Literal["cold", "warmup", "measured"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request gave no whole answer; `kind` is the name of the error's class."""

    kind: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One request. `intended` and `sent` are seconds since the run began; the rest are seconds since it was sent.

    `sent` is when it had been written to the socket, for a model in this process when it was asked for.
    `intended` is when it should have been: in between it waited for the client or a connection, and whoever
    asks waits from there. A mark from before `sent` is negative.
    """

    target: str
    load: str
    block: int
    phase: Phase
    prompt: int
    intended: float
    sent: float
    ended: float
    concurrency: int | None = None
    arrivals: tuple[Arrival, ...] = ()
    marks: tuple[Mark, ...] = ()
    finish_reason: str | None = None
    usage: Usage | None = None
    error: Failure | None = None

    @property
    def ok(self) -> bool:
        """A whole answer with text in it."""
        return self.error is None and bool(self.arrivals)

    @property
    def waited(self) -> float:
        """Seconds between the intended start and the sending."""
        return max(0.0, self.sent - self.intended)

    @property
    def connected(self) -> bool | None:
        """Whether a new connection was made for it; None where the kind does not tell."""
        seen = {mark.what for mark in self.marks}
        return "connected" in seen if "headers" in seen else None


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """How a block went for the client: wall seconds, its CPU seconds, how late its event loop was, in seconds."""

    target: str
    load: str
    block: int
    started: float
    seconds: float
    cpu_seconds: float
    lags: tuple[float, ...] = ()


@dataclass(slots=True, eq=False, weakref_slot=True)  # one run is one object: verdicts are kept by it
class Run:
    """A whole run. `header` is the first line of the file; `ended` why it stopped, or "" if nobody wrote that down."""

    header: dict[str, Any]
    records: list[Record] = field(default_factory=list)
    blocks: list[BlockRecord] = field(default_factory=list)
    ended: str = ""

    @property
    def targets(self) -> list[str]:
        return list(self.header["plan"]["targets"])

    @property
    def loads(self) -> list[str]:
        return list(self.header["loads"])

    @property
    def seed(self) -> int:
        return int(self.header["plan"]["seed"])

    def measured(self, target: str, load: str | None = None) -> list[Record]:
        """The requests that count, of one load or of all."""
        return [
            record
            for record in self.records
            if record.target == target and record.phase == "measured" and load in (None, record.load)
        ]


def line_of(entry: Record | BlockRecord) -> dict[str, Any]:
    """An entry as it is written: one JSON object."""
    kind = "request" if isinstance(entry, Record) else "block"
    return {"type": kind, **asdict(entry)}


def read(path: Path) -> Run:
    """A stored run; `RunError` says which line is wrong. A last line that was cut off by a crash is left out."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise RunError(f"{path.name} has more than {MAX_FILE_BYTES / 1e6:g} MB.", "Measure fewer requests.")
        lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    except OSError as error:
        raise RunError(f"{path.name} cannot be read ({error.strerror}).", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise RunError(f"{path.name} is no stored run.", "Give a file that `compare run --out` wrote.") from error
    return parse(lines, path.name)


def parse(lines: Sequence[str], name: str) -> Run:
    """A run from its lines."""
    run = Run(_header(lines[0] if lines else "", name))
    for number, line in enumerate(lines[1:], start=2):
        try:
            _add(run, json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            if number == len(lines):  # the process was killed while it wrote
                break
            raise RunError(f"Line {number} of {name} is damaged ({error!r}).", "Restore the file.") from error
    return run


def write(run: Run, path: Path) -> None:
    """Store a run; what was read is written the same."""
    path.write_text("".join(f"{line}\n" for line in lines(run)), encoding="utf-8")


def lines(run: Run) -> Iterable[str]:
    """The JSON lines of a run."""
    yield dumps(run.header)
    for entry in (*run.records, *run.blocks):
        yield dumps(line_of(entry))
    if run.ended:
        yield dumps({"type": "end", "reason": run.ended})


def dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _header(line: str, name: str) -> dict[str, Any]:
    try:
        header = json.loads(line)
        if header["type"] != "run":
            raise KeyError("type")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f"{name} is no stored run.", "Give a file that `python -m compare run --out` wrote.") from error
    if header.get("version") != VERSION:
        raise RunError(
            f"{name} is of version {header.get('version')}, this program reads version {VERSION}.",
            "Measure again, or read it with the version of Spaceport that wrote it.",
        )
    try:
        check_header(header)
    except TypeError as error:
        raise RunError(f"The first line of {name} is damaged: {error}.", "Restore the file.") from error
    return header


def _add(run: Run, entry: dict[str, Any]) -> None:
    kind = entry.pop("type")
    if kind == "request":
        check(entry, REQUEST)
        run.records.append(_record(entry))
    elif kind == "block":
        check(entry, BLOCK)
        run.blocks.append(BlockRecord(**{**entry, "lags": tuple(entry["lags"])}))
    elif kind == "target":
        run.header["targets"][entry.pop("name")]["served"] = entry
    elif kind == "end":
        run.ended = str(entry["reason"])


def _record(entry: dict[str, Any]) -> Record:
    usage, error = entry.pop("usage"), entry.pop("error")
    if entry.get("finish_reason") is not None:
        check(entry, {"finish_reason": str})
    arrivals = tuple(Arrival(float(at), kind, int(count)) for at, kind, count in entry.pop("arrivals"))
    marks = tuple(Mark(float(at), str(what)) for at, what in entry.pop("marks"))
    return Record(
        **entry,
        arrivals=arrivals,
        marks=marks,
        usage=_usage(usage) if usage else None,
        error=Failure(str(error["kind"]), str(error["message"]), str(error["remedy"])) if error else None,
    )


def _usage(entry: dict[str, Any]) -> Usage:
    check(entry, {"input_tokens": int, "output_tokens": int})
    for optional in ("cached_tokens", "reasoning_tokens"):
        if entry.get(optional) is not None:
            check(entry, {optional: int})
    return Usage(**entry)
