"""Validation of stored runs. A run can come from a visitor, and a report trusts what it reads."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, with_config

from compare.capacity.grid import Grid
from compare.measure.clients.part import MAX_CLIENTS
from compare.measure.load import MAX_BLOCKS
from compare.measure.plan import MAX_REQUESTS, MAX_TARGETS
from compare.measure.workloads.workload import MAX_PROMPTS
from compare.runs.records import BlockRecord, GpuRecord, Judgment, LoadRecord, Record, Run, Score, ServerRecord

# No run has more loads, no target a longer name. A report has a part for each target and load, with their names, and
# compares all targets at each load: 8 targets at 64 loads took minutes.
MAX_LOADS, MAX_NAME, MAX_CELLS = 64, 200, 128
Value = TypeVar("Value")
Entry = TypeVar("Entry", Record, BlockRecord)
Sample = TypeVar("Sample", GpuRecord, ServerRecord)
Name = Annotated[str, Field(max_length=MAX_NAME)]


class PlanHeader(BaseModel):
    targets: Annotated[list[Name], Field(min_length=1, max_length=MAX_TARGETS)]
    seed: Annotated[int, Field(ge=0)]
    requests: Annotated[int, Field(ge=0, le=MAX_REQUESTS)]
    warmup: int


class QuestionHeader(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Name
    text: str
    answers: list[str]
    answerable: bool | None


class WorkloadHeader(BaseModel):
    name: str
    description: str
    hash: str
    prompts: int
    questions: Annotated[list[QuestionHeader], Field(max_length=MAX_PROMPTS)] | None = None


class EnvironmentHeader(BaseModel):
    python: str
    system: str
    processors: int
    packages: dict[str, str]


class TargetHeader(BaseModel):
    settings: dict[str, Any]


class CapacityHeader(BaseModel):
    slo: Annotated[str, Field(max_length=1000)]
    unit: Literal["users", "requests/s"]
    limit: float
    start: float
    pattern: Literal["poisson", "constant"]
    max_requests: Annotated[int, Field(ge=1, le=MAX_REQUESTS)]
    values: dict[str, float]


class SourceHeader(BaseModel):
    """The tool whose output became this run, and what it doesn't record."""

    tool: Name
    version: Name
    missing: Annotated[list[Name], Field(max_length=32)]


class ClientHeader(BaseModel):
    """Which of how many clients a file is from."""

    index: Annotated[int, Field(ge=0, lt=MAX_CLIENTS)]
    count: Annotated[int, Field(ge=1, le=MAX_CLIENTS)]


class ClientsHeader(BaseModel):
    """How many clients measured together, and those that ended early."""

    count: Annotated[int, Field(ge=1, le=MAX_CLIENTS)]
    lost: Annotated[list[int], Field(max_length=MAX_CLIENTS)]


class Header(BaseModel):
    """The parts of a run's first line that a report reads; other keys are allowed."""

    id: Name
    started: Name
    loads: Annotated[list[Name], Field(min_length=1, max_length=MAX_LOADS)]
    plan: PlanHeader
    workload: WorkloadHeader
    environment: EnvironmentHeader
    targets: dict[str, TargetHeader]
    uneven: Annotated[list[Name], Field(max_length=MAX_LOADS)] = []
    capacity: CapacityHeader | None = None
    client: ClientHeader | None = None
    clients: ClientsHeader | None = None
    source: SourceHeader | None = None


# NaN and infinity would spread through every metric.
_CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False)
_HEADER = TypeAdapter(Header)
_RECORD = TypeAdapter(with_config(_CONFIG)(Record))
_SCORE = TypeAdapter(with_config(_CONFIG)(Score))
_BLOCK = TypeAdapter(with_config(_CONFIG)(BlockRecord))
_JUDGMENT = TypeAdapter(with_config(_CONFIG)(Judgment))
_GPU = TypeAdapter(with_config(_CONFIG)(GpuRecord))
_SERVER = TypeAdapter(with_config(_CONFIG)(ServerRecord))
_LOAD = TypeAdapter(with_config(_CONFIG)(LoadRecord))


def validate_header(header: dict[str, Any]) -> None:
    """Check a run's first line; raise `ValueError` that names the first problem."""
    _validate(_HEADER, header, strict=True)
    _check_cells(header["plan"]["targets"], header["loads"])
    questions = header["workload"].get("questions") or []
    if questions and len(questions) != header["workload"]["prompts"]:
        raise ValueError(f"there are {len(questions)} questions for {header['workload']['prompts']} prompts")
    for name in header["plan"]["targets"]:
        if name not in header["targets"]:
            raise ValueError(f"the target {name} is not described")


def parse_record(entry: dict[str, Any]) -> Record:
    """Build a record from a "request" line; raise `ValueError` that names the first problem."""
    return _with_block(_validate(_RECORD, entry))


def parse_load(entry: dict[str, Any], header: dict[str, Any]) -> LoadRecord:
    """Build a load from a "load" line of a search; raise `ValueError` that names the first problem."""
    load = _validate(_LOAD, entry)
    if len(load.load) > MAX_NAME or not header.get("capacity"):
        raise ValueError(f"load is {load.load!r:.40}")
    Grid.from_stored(header["capacity"]).check(load.value)
    _check_cells(header["plan"]["targets"], [*header["loads"], load.load])
    return load


def _check_cells(targets: list[str], loads: list[str]) -> None:
    for names in (targets, loads):
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"{twice} appears twice")
    if (cells := len(targets) * len(loads)) > MAX_CELLS:
        raise ValueError(f"it has {cells} combinations of target and load; at most {MAX_CELLS} are allowed")


def parse_block(entry: dict[str, Any]) -> BlockRecord:
    """Build a block record from a "block" line; raise `ValueError` that names the first problem."""
    block = _with_block(_validate(_BLOCK, entry))
    if block.seconds < 0:
        raise ValueError(f"seconds is {block.seconds}")
    return block


def parse_score(entry: dict[str, Any], requests: int) -> Score:
    """Build a score from a "score" line that follows so many requests; raise `ValueError` for the first problem."""
    score = _validate(_SCORE, entry)
    if not 0 <= score.request < requests:
        raise ValueError(f"request is {score.request}")
    if score.supported is not None and not 0 <= score.supported <= 1:
        raise ValueError(f"supported is {score.supported}")
    return score


def parse_judgment(entry: dict[str, Any], run: Run) -> Judgment:
    """Build a judgment from a "judgment" line of a run; raise `ValueError` that names the first problem."""
    judgment = _validate(_JUDGMENT, entry)
    if len(judgment.judge) > MAX_NAME or len(judgment.model) > MAX_NAME or len(judgment.rubric) > MAX_NAME:
        raise ValueError("a name is too long")
    for number, target in zip(judgment.requests, (judgment.one, judgment.other), strict=True):
        if not 0 <= number < len(run.records) or run.records[number].target != target:
            raise ValueError(f"request {number} isn't one of {target:.40}")
    if judgment.one == judgment.other or {run.records[at].prompt for at in judgment.requests} != {judgment.prompt}:
        raise ValueError("it isn't about the answers of two targets to a question")
    return judgment


def parse_gpu(entry: dict[str, Any]) -> GpuRecord:
    """Build a GPU's record from a "gpu" line; raise `ValueError` that names the first problem."""
    return _checked_sample(_validate(_GPU, entry))


def parse_server(entry: dict[str, Any]) -> ServerRecord:
    """Build a server's record from a "server" line; raise `ValueError` that names the first problem."""
    return _checked_sample(_validate(_SERVER, entry))


def _checked_sample(sample: Sample) -> Sample:
    for name in sample.__slots__:
        value = getattr(sample, name)
        if isinstance(value, str) and len(value) > MAX_NAME:
            raise ValueError(f"{name} is {value!r:.40}")
        if isinstance(value, float) and name != "at" and value < 0:
            raise ValueError(f"{name} is {value:g}")
    return sample


def _with_block(entry: Entry) -> Entry:
    """Return the entry if a plan can have its block: a verdict needs memory for each number up to the highest one."""
    if not 0 <= entry.block < MAX_BLOCKS:
        raise ValueError(f"block is {entry.block}")
    return entry


def _validate(adapter: TypeAdapter[Value], value: dict[str, Any], *, strict: bool = False) -> Value:
    try:
        return adapter.validate_python(value, strict=strict)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False)[0]
        names = [part for part in problem["loc"] if isinstance(part, str)] or ["it"]
        text = "is missing" if problem["type"] == "missing" else f"is {problem['input']!r:.40}"
        raise ValueError(f"{names[-1]} {text}") from None
