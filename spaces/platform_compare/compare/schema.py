"""Validation of stored runs. A run can come from a visitor, and a report trusts what it reads."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, with_config

from compare.records import BlockRecord, Record

Value = TypeVar("Value")


class PlanHeader(BaseModel):
    targets: list[str]
    seed: int
    requests: int
    warmup: int


class WorkloadHeader(BaseModel):
    name: str
    description: str
    hash: str
    prompts: int


class EnvironmentHeader(BaseModel):
    python: str
    system: str
    processors: int
    packages: dict[str, str]


class TargetHeader(BaseModel):
    settings: dict[str, Any]


class Header(BaseModel):
    """The parts of a run's first line that a report reads; other keys are allowed."""

    id: str
    started: str
    loads: list[str]
    plan: PlanHeader
    workload: WorkloadHeader
    environment: EnvironmentHeader
    targets: dict[str, TargetHeader]


# NaN and infinity would spread through every metric.
_CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False)
_HEADER = TypeAdapter(Header)
_RECORD = TypeAdapter(with_config(_CONFIG)(Record))
_BLOCK = TypeAdapter(with_config(_CONFIG)(BlockRecord))


def validate_header(header: dict[str, Any]) -> None:
    """Check a run's first line; raise `ValueError` that names the first problem."""
    _validate(_HEADER, header, strict=True)
    for name in header["plan"]["targets"]:
        if name not in header["targets"]:
            raise ValueError(f"the target {name} is not described")


def parse_record(entry: dict[str, Any]) -> Record:
    """Build a record from a "request" line; raise `ValueError` that names the first problem."""
    return _validate(_RECORD, entry)


def parse_block(entry: dict[str, Any]) -> BlockRecord:
    """Build a block record from a "block" line; raise `ValueError` that names the first problem."""
    return _validate(_BLOCK, entry)


def _validate(adapter: TypeAdapter[Value], value: dict[str, Any], *, strict: bool = False) -> Value:
    try:
        return adapter.validate_python(value, strict=strict)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False)[0]
        names = [part for part in problem["loc"] if isinstance(part, str)] or ["it"]
        text = "is missing" if problem["type"] == "missing" else f"is {problem['input']!r:.40}"
        raise ValueError(f"{names[-1]} {text}") from None
