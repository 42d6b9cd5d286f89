"""Records of a run: raw arrivals and marks, from which every metric derives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from backends import Arrival, Mark, Usage

# After this many failures in a row, a run gives up on a target: the rest of its blocks would only cost time.
GIVE_UP_AFTER = 5
# What a mark says of the last text, in a run of a tool that records only the first and the last one.
LAST_TEXT = "last text"
Phase = Literal["cold", "warmup", "measured"]


@dataclass(frozen=True, slots=True)
class Question:
    """The question of a prompt. Any of its `answers` is right; if it isn't `answerable`, a refusal is.

    `answerable` is None if nobody said so. Without answers, nobody knows what is right.
    """

    id: str
    text: str
    answers: tuple[str, ...] = ()
    answerable: bool | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request returned no complete answer; `kind` is the name of the error's class."""

    kind: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One request. `intended` and `sent` are seconds since the run began; all other times are seconds since `sent`.

    `sent` is when the request was written to the socket; for a model in this process, when the model was called.
    `intended` is when it should have been sent: between the two it waited for the client or for a connection.
    A user waits from `intended` on. A mark from before `sent` is negative. `answer` is the text of the answer, kept
    only for a prompt with a question. Requests with equal `conversation` numbers at one load follow each other by
    `turn`, from 0. `prefix` is the number of the shared prefix before the prompt, 0 for one that no other prompt has.
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
    answer: str | None = None
    conversation: int | None = None
    turn: int | None = None
    prefix: int | None = None

    @property
    def ok(self) -> bool:
        """True for a complete answer with text."""
        return self.error is None and bool(self.arrivals)

    @property
    def send_delay(self) -> float:
        """Seconds between the intended start and the actual one."""
        return max(0.0, self.sent - self.intended)

    @property
    def new_connection(self) -> bool | None:
        """Whether the request opened a new connection; None if the backend doesn't report it."""
        names = {mark.what for mark in self.marks}
        return "connected" in names if "headers" in names else None


def has_stopped(records: Sequence[Record]) -> bool:
    """Return whether so many requests failed at the end that a run gives up on their target."""
    last = records[-GIVE_UP_AFTER:]
    return len(last) == GIVE_UP_AFTER and not any(record.ok for record in last)


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """One block as the client experienced it: wall seconds, CPU seconds, and event loop lags in seconds."""

    target: str
    load: str
    block: int
    started: float
    seconds: float
    cpu_seconds: float
    lags: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """How good the answer of request number `request` is; None for what can't be judged.

    `supported` is the share of its sentences that the passages support. `well_formed` means valid by its schema.
    """

    request: int
    correct: bool | None
    supported: float | None
    refused: bool
    well_formed: bool | None
    words: int
    reason: str = ""


Preference = Literal["one", "other", "tie"]


@dataclass(frozen=True, slots=True)
class Judgment:
    """What a judge says of the answers of two targets to a question: requests number `requests[0]` and `requests[1]`.

    It was asked twice: `first` is with the answer of `one` first, `second` with that of `other` first. None means that
    it gave no answer that can be read. `rubric` is a hash of what it looks for.
    """

    judge: str
    prompt: int
    one: str
    other: str
    requests: tuple[int, int]
    first: Preference | None
    second: Preference | None
    rubric: str
    model: str = ""
    reason: str = ""

    @property
    def key(self) -> tuple[str, int, str, str]:
        """What is judged, and by whom: judging it again replaces the judgment."""
        return self.judge, self.prompt, self.one, self.other


@dataclass(frozen=True, slots=True)
class GpuRecord:
    """What a GPU said of itself, `at` seconds since the run began; None for what it doesn't say.

    `utilization` is the share of time in which it computed. `target` is the only one that it serves, "" if it may be
    any of them.
    """

    at: float
    gpu: str
    name: str
    utilization: float | None = None
    memory_bytes: float | None = None
    memory_total: float | None = None
    watts: float | None = None
    target: str = ""


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """What a target's server said of itself, `at` seconds since the run began; None for what it doesn't say.

    The counts of cached tokens and of those that were looked up are since the server started.
    """

    at: float
    target: str
    cache_hits: float | None = None
    cache_queries: float | None = None
    waiting: float | None = None
    running: float | None = None
    kv_cache: float | None = None


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """A load that a search chose: its name in the records, and its users or requests per second."""

    load: str
    value: float


@dataclass(slots=True, eq=False, weakref_slot=True)  # compared by identity: verdicts are cached per run
class Run:
    """A complete run. `header` is the first line of the file; `ended` says why it stopped, "" if that is missing.

    `scores` are those of answers, by the number of their request in `records`; `judgments` are by their keys.
    """

    header: dict[str, Any]
    records: list[Record] = field(default_factory=list)
    blocks: list[BlockRecord] = field(default_factory=list)
    ended: str = ""
    scores: dict[int, Score] = field(default_factory=dict)
    judgments: dict[tuple[str, int, str, str], Judgment] = field(default_factory=dict)
    gpus: list[GpuRecord] = field(default_factory=list)
    servers: list[ServerRecord] = field(default_factory=list)

    @property
    def targets(self) -> list[str]:
        return list(self.header["plan"]["targets"])

    @property
    def loads(self) -> list[str]:
        return list(self.header["loads"])

    @property
    def uneven_loads(self) -> list[str]:
        """The loads whose pauses count: bursts, and traces of time stamps."""
        return list(self.header.get("uneven", ()))

    @property
    def is_search(self) -> bool:
        """Whether the loads were chosen while the run went on, and the requests of each."""
        return bool(self.header.get("capacity"))

    @property
    def seed(self) -> int:
        return int(self.header["plan"]["seed"])

    @property
    def questions(self) -> list[Question]:
        """The questions of the workload, one for each prompt; empty if its prompts have none."""
        entries = self.header["workload"].get("questions") or []
        return [Question(**entry | {"answers": tuple(entry["answers"])}) for entry in entries]

    @property
    def lost_clients(self) -> list[int]:
        """The clients that ended early, if several measured together."""
        return list((self.header.get("clients") or {}).get("lost", ()))

    @property
    def source(self) -> dict[str, Any] | None:
        """The other tool whose output became this run: its name, its version, and what it doesn't record."""
        source: dict[str, Any] | None = self.header.get("source")
        return source

    def measured(self, target: str, load: str | None = None) -> list[Record]:
        """Return the requests that count, at one load or at all loads."""
        return [
            record
            for record in self.records
            if record.target == target and record.phase == "measured" and load in (None, record.load)
        ]

    def target_blocks(self, target: str, load: str | None = None) -> list[BlockRecord]:
        """Return the blocks of a target, at one load or at all loads."""
        return [block for block in self.blocks if block.target == target and load in (None, block.load)]
