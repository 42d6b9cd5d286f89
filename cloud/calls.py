"""API calls, deployment steps and cloud resources as values, so that the plan prints exactly what is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backends import SpaceportError

_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|KEY\b|_KEY$", re.IGNORECASE)
ReportLine = Callable[[str], None]
# The price per hour of one machine: see `Machines`.
UsdHour = Callable[[str, bool, str | None], float | None]


class CloudError(SpaceportError):
    """A deployment failed; the remedy says how to resume it or to clean up."""


@dataclass(frozen=True, slots=True)
class Machines:
    """Machines that are billed by the hour: `row` of the price table, or the user's own `price`, such as 1.25/h."""

    row: str
    count: int
    spot: bool = False
    price: str | None = None

    def usd_hour(self, usd_hour: UsdHour) -> float | None:
        """Return the price of all of them per hour; None if the price of one is unknown."""
        one = usd_hour(self.row, self.spot, self.price)
        return None if one is None else one * self.count


@dataclass(frozen=True, slots=True)
class ApiCall:
    """`operation` of `service` with `payload`, in the API's own names; `purpose` describes it for the plan.

    `machines` are billed once the call succeeds.
    """

    service: str
    operation: str
    payload: Mapping[str, Any]
    purpose: str
    machines: Machines | None = None

    def usd_hour(self, usd_hour: UsdHour) -> float | None:
        """Return the price per hour once the call succeeds; None if it's unknown."""
        return self.machines.usd_hour(usd_hour) if self.machines else 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a deployment: the call, whether its result exists, how to send it and how to wait for it.

    `exists` and `send` make requests to the cloud; the result of `send` is ignored. `wait` reports its state through
    its argument until the result can be used.
    """

    call: ApiCall
    exists: Callable[[], bool]
    send: Callable[[], object]
    wait: Callable[[ReportLine], None] | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that exists in the cloud, with its machines."""

    kind: str
    name: str
    state: str = ""
    machines: Machines | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def usd_hour(self, usd_hour: UsdHour) -> float | None:
        """Return its price per hour; None if it's unknown."""
        return self.machines.usd_hour(usd_hour) if self.machines else 0.0

    def line(self, usd_hour: UsdHour) -> str:
        """Return the resource with its price as one line of text."""
        usd = self.usd_hour(usd_hour)
        price = "price unknown" if usd is None else f"{usd:.4g} USD/h" if usd else ""
        return "  ".join(filter(None, [f"{self.kind:<18} {self.name}", self.state, price]))


def run_steps(steps: Sequence[Step], report: ReportLine, *, resume: str, clean_up: str) -> None:
    """Run the steps whose result doesn't exist yet, in order.

    The error of a failed step lists what exists so far, and the commands to resume or clean up.
    """
    finished: list[str] = []
    for number, step in enumerate(steps, 1):
        title = f"[{number}/{len(steps)}] {step.call.purpose}"
        try:
            if step.exists():
                report(f"{title}: exists already")
            else:
                report(f"{title} …")
                step.send()
            finished.append(f"{step.call.operation} ({step.call.purpose})")
            if step.wait:
                step.wait(report)
        except KeyboardInterrupt:
            report(f"Stopped at: {step.call.purpose}. Resume: {resume}\nClean up: {clean_up}")
            raise
        except SpaceportError as error:
            progress = f"Created or started so far: {', '.join(finished)}." if finished else "Nothing was created."
            remedy = f"{error.remedy} {progress} Resume: {resume}  Clean up: {clean_up}".strip()
            raise CloudError(f"{step.call.purpose} failed: {error.message}", remedy) from error


def mask_secrets(values: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the value of each variable whose name looks like a secret."""
    return {name: "<hidden>" if _SECRET_NAME.search(name) else value for name, value in values.items()}


def format_plan(calls: Sequence[ApiCall], usd_hour: UsdHour) -> str:
    """Return a plan as text: each call with its payload as JSON, and the total price per hour."""
    lines = []
    for number, call in enumerate(calls, 1):
        lines.append(f"{number}. {call.service} {call.operation}: {call.purpose}")
        payload = json.dumps(call.payload, indent=2, ensure_ascii=False, default=_json_default)
        lines.append("\n".join(f"     {line}" for line in payload.splitlines()))
    prices = [call.usd_hour(usd_hour) for call in calls]
    unknown = [call.purpose for call, price in zip(calls, prices, strict=True) if price is None]
    total = sum(price or 0.0 for price in prices)
    lines.append(f"{len(calls)} calls; nothing has been changed. Price once deployed: {total:.4g} USD per hour.")
    lines += [f"No price is known for: {', '.join(unknown)}."] if unknown else []
    return "\n".join(lines)


def _json_default(value: Any) -> str:
    return f"<{len(value):,} bytes>" if isinstance(value, (bytes, bytearray)) else str(value)
