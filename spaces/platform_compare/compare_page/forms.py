"""What a visitor filled in, as the arguments of `python -m compare run`; wrong values are told before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compare.errors import PlanError
from compare.measure import plan, workload
from compare.measure.plan import RunPlan

# How requests are sent, by what the page calls it.
MODES = {
    "Keep in flight (closed loop)": "--concurrency",
    "Sweep: keep 1, 2, 4 … in flight, up to": "--sweep",
    "Send a second, at random moments (Poisson)": "poisson",
    "Send a second, evenly": "constant",
}


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of the page, as they come from it."""

    targets: Sequence[str]
    workload: str
    file: str | None
    mode: str
    values: str
    requests: float
    warmup: float
    seed: float
    minutes: float


def arguments(form: Form, catalog: str | None) -> list[str]:
    """The command line for these fields; an error says which field is wrong."""
    loads = _loads(form)
    RunPlan(
        targets=tuple(form.targets),
        loads=loads,
        requests=int(form.requests or 0),
        warmup=int(form.warmup or 0),
        max_seconds=(form.minutes or 0) * 60,
    )
    chosen = workload.load(Path(form.file)) if form.file else workload.built_in(form.workload)
    told = {
        "--targets": ",".join(form.targets),
        "--workload": form.file or chosen.name,
        "--requests": str(int(form.requests)),
        "--warmup": str(int(form.warmup)),
        "--seed": str(int(form.seed or 0)),
        "--max-seconds": str(form.minutes * 60),
        **_load_arguments(form),
        **({"--catalog": str(Path(catalog).resolve())} if catalog else {}),
    }
    return [f"{name}={value}" for name, value in told.items()]


def _loads(form: Form) -> tuple[plan.Load, ...]:
    flag = MODES[form.mode]
    values = plan.parse_numbers(form.values, "the load")
    if flag == "--concurrency":
        return plan.closed_loops(values)
    if flag == "--sweep":
        if len(values) > 1 or values[0] != int(values[0]):
            raise PlanError("A sweep goes up to one whole number.", "Write it like 16.")
        return plan.sweep(int(values[0]))
    return tuple(plan.Load("poisson" if flag == "poisson" else "constant", value) for value in values)


def _load_arguments(form: Form) -> dict[str, str]:
    flag = MODES[form.mode]
    values = ",".join(f"{value:g}" for value in plan.parse_numbers(form.values, "the load"))
    return {flag: values} if flag.startswith("--") else {"--rate": values, "--arrivals": flag}
