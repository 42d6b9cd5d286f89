"""Rows of a public dataset of results, as they are read: anybody can have written them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from compare.report.files.rows import VERSION
from compare.runs.run_file import parse_json
from compare.runs.schema import MAX_CELLS

MAX_FILE_BYTES = 2_000_000
MAX_CAVEATS, MAX_SENTENCE = 100, 3000


def _line(text: str) -> str:
    """Return a text if it is one visible line: a control character could change a terminal or hide a word."""
    if not text.isprintable():
        raise ValueError("has characters that can't be shown")
    return text


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Name = Annotated[str, Field(max_length=200), AfterValidator(_line)]
Sentence = Annotated[str, Field(max_length=MAX_SENTENCE), AfterValidator(_line)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Figure = Annotated[float, Field(ge=0, le=10**12)]
Share = Annotated[float, Field(ge=0, le=1)]


class ResultRow(BaseModel):
    """One target of one run at one load. Times are in milliseconds; None means unknown."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, frozen=True, strict=True)

    version: int
    run: Annotated[str, Field(pattern=r"^[0-9a-zA-Z_-]{1,64}$")]
    started: Annotated[Name, AfterValidator(_moment)]
    workload: Name
    workload_hash: Name
    system: Name
    processors: Count
    definition: Name
    target: Name
    title: Name
    kind: Name | None = None
    model: Name | None = None
    load: Name
    requests: Count
    failed: Count
    ttft_ms_p50: Figure | None = None
    ttft_ms_p95: Figure | None = None
    itl_ms_p50: Figure | None = None
    tpot_ms_p50: Figure | None = None
    e2e_ms_p50: Figure | None = None
    e2e_ms_p95: Figure | None = None
    output_tokens_per_s: Figure | None = None
    requests_per_s: Figure | None = None
    goodput_share: Share | None = None
    price: Name | None = None
    usd_per_1000_requests: Figure | None = None
    usd_per_million_output_tokens: Figure | None = None
    gpu: Name | None = None
    gpu_utilization: Share | None = None
    wh_per_1000_tokens: Figure | None = None
    questions: Count | None = None
    right_share: Share | None = None
    right_low: Share | None = None
    right_high: Share | None = None
    headline: Sentence
    badge: Name
    caveats: Annotated[list[Sentence], Field(max_length=MAX_CAVEATS)]


class OtherVersion(ValueError):
    """A row of a newer or an older version of the schema."""


def parse_rows(content: bytes, run: str) -> list[ResultRow]:
    """Return the rows of a file, all of the run that it's named after; raise `ValueError` for the first problem."""
    lines = [line for line in content.splitlines() if line.strip()]
    if not 0 < len(lines) <= MAX_CELLS:
        raise ValueError(f"it has {len(lines)} rows")
    rows = [_parse_row(line, number) for number, line in enumerate(lines, 1)]
    if other := next((row.run for row in rows if row.run != run), None):
        raise ValueError(f"it has a row of the run {other}")
    if len({(row.target, row.load) for row in rows}) < len(rows):
        raise ValueError("two rows are of the same target and load")
    return rows


def _parse_row(line: bytes, number: int) -> ResultRow:
    try:
        value: Any = parse_json(line)
        version = value["version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"line {number} isn't a row") from error
    if version != VERSION:
        raise OtherVersion(f"its version is {version!r:.20}")
    try:
        return ResultRow.model_validate(value)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        column = next((part for part in problem["loc"] if isinstance(part, str)), "it")
        what = "is missing" if problem["type"] == "missing" else "can't be used"
        raise ValueError(f"{column} of line {number} {what}") from None
