"""The measurement form as arguments of `python -m compare run`; bad values are reported before it starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from compare.errors import PlanError
from compare.measure import plan
from compare.measure.load import Load
from compare.measure.plan import RunPlan
from compare.measure.workloads import workload
from compare_page import strings
from ui.admission.work_limits import Limits

Mode = Literal["concurrency", "sweep", "poisson", "constant"]


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of the page with their raw values."""

    targets: Sequence[str]
    workload: str
    file: str | None
    questions: str | None
    documents: Sequence[str]
    mode: Mode
    values: str
    requests: float
    warmup: float
    seed: float
    minutes: float


def command_arguments(form: Form, catalog: str | None, limits: Limits) -> list[str]:
    """Return the command line arguments for a form; raise an error that names a bad field."""
    requests = _requests(form)
    run_plan = RunPlan(
        targets=tuple(form.targets),
        loads=_loads(form),
        requests=requests,
        warmup=int(form.warmup or 0),
        max_seconds=(form.minutes or 0) * 60,
    )
    _check_limits(run_plan, limits)
    options = {
        "--targets": ",".join(form.targets),
        "--requests": str(requests),
        "--warmup": str(int(form.warmup)),
        "--seed": str(int(form.seed or 0)),
        "--max-seconds": str(form.minutes * 60),
        **_load_options(form),
        **({"--catalog": str(Path(catalog).resolve())} if catalog else {}),
    }
    return [*(f"{name}={value}" for name, value in options.items()), *_prompts(form)]


def workload_name(form: Form) -> str:
    """Return the name of what is asked, for the list of runs."""
    file = form.questions or form.file
    return Path(file).stem if file else form.workload


def _requests(form: Form) -> int:
    """Return how many requests to send; as many more as it takes to ask each question equally often."""
    requests = int(form.requests or 0)
    if not form.questions:
        return requests
    with Path(form.questions).open("rb") as file:
        questions = sum(bool(line.strip()) for line in file)
    return math.ceil(requests / questions) * questions if questions else requests


def _prompts(form: Form) -> list[str]:
    """Return the arguments for what is asked: a workload, or questions over documents."""
    if form.questions or form.documents:
        if form.file:
            raise PlanError(strings.TWO_WORKLOADS, strings.ONE_WORKLOAD)
        if not (form.questions and form.documents):
            raise PlanError(strings.HALF_A_WORKLOAD, strings.BOTH_FILES)
        return [f"--questions={form.questions}", "--documents", *form.documents]
    prompts = workload.load(Path(form.file)) if form.file else workload.built_in(form.workload)
    return [f"--workload={form.file or prompts.name}"]


def _check_limits(run_plan: RunPlan, limits: Limits) -> None:
    """Raise `PlanError` if a measurement is too large for a page that strangers share."""
    for name, value, limit in (
        (strings.REQUESTS_IN_ALL, run_plan.total, limits.measured_requests),
        (strings.CELLS, len(run_plan.targets) * len(run_plan.loads), limits.measured_cells),
        (strings.MINUTES_IN_ALL, run_plan.max_seconds / 60, limits.measured_minutes),
    ):
        if limit and value > limit:
            raise PlanError(strings.too_large(name, value, limit), strings.MEASURE_YOURSELF)


def _loads(form: Form) -> tuple[Load, ...]:
    values = plan.parse_numbers(form.values, strings.THE_LOAD)
    match form.mode:
        case "concurrency":
            return plan.closed_loops(values)
        case "sweep":
            if len(values) > 1 or values[0] != int(values[0]):
                raise PlanError("A sweep needs one whole number.", "Write it like 16.")
            return plan.sweep(int(values[0]))
        case pattern:
            return tuple(Load(pattern, value) for value in values)


def _load_options(form: Form) -> dict[str, str]:
    values = ",".join(f"{value:g}" for value in plan.parse_numbers(form.values, strings.THE_LOAD))
    if form.mode in ("concurrency", "sweep"):
        return {f"--{form.mode}": values}
    return {"--rate": values, "--arrivals": form.mode}
