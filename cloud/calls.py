"""One call of a cloud's API, as a value: what the plan prints is what is made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backends import SpaceportError

_SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|KEY\b|_KEY$", re.IGNORECASE)
Say = Callable[[str], None]


class CloudError(SpaceportError):
    """A deployment could not go on; the remedy says how to resume it or to clean up."""


@dataclass(frozen=True, slots=True)
class Call:
    """`operation` of `service` with `payload`, in the API's own names; `why` is what it is for.

    From then on `usd_hour` is billed, as far as the price table knows it (None where it does not).
    """

    service: str
    operation: str
    payload: Mapping[str, Any]
    why: str
    usd_hour: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a deployment needs: the call that makes it, whether it is there, and how it is waited for.

    `found` and `make` talk to the cloud; what `make` gives is of no use here. `wait` says what it waits for until the
    thing can be used.
    """

    call: Call
    found: Callable[[], bool]
    make: Callable[[], object]
    wait: Callable[[Say], None] | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that is there in the cloud; `usd_hour` is what it costs while it is (None where no price is known)."""

    kind: str
    name: str
    state: str = ""
    usd_hour: float | None = 0.0
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """One line for a person."""
        price = "price unknown" if self.usd_hour is None else f"{self.usd_hour:.4g} USD/h" if self.usd_hour else ""
        return "  ".join(filter(None, [f"{self.kind:<18} {self.name}", self.state, price]))


def carry_out(steps: Sequence[Step], say: Say, *, resume: str, clean_up: str) -> None:
    """Make what is not there yet, in order; a step that fails names what is left and how to go on or to clean up."""
    done: list[str] = []
    for number, step in enumerate(steps, 1):
        title = f"[{number}/{len(steps)}] {step.call.why}"
        try:
            if step.found():
                say(f"{title}: is there")
            else:
                say(f"{title} …")
                step.make()
            done.append(f"{step.call.operation} ({step.call.why})")
            if step.wait:
                step.wait(say)
        except KeyboardInterrupt:
            say(f"Stopped at: {step.call.why}. Go on: {resume}\nDelete what is there: {clean_up}")
            raise
        except SpaceportError as error:
            left = f"Made or begun so far: {', '.join(done)}. " if done else "Nothing was made. "
            remedy = f"{error.remedy} {left}Go on: {resume}  Clean up: {clean_up}".strip()
            raise CloudError(f"{step.call.why} failed: {error.message}", remedy) from error


def hidden(values: Mapping[str, Any]) -> dict[str, Any]:
    """Variables of a container as they may be shown: one that looks like a secret has no value."""
    return {name: "<hidden>" if _SECRET.search(name) else value for name, value in values.items()}


def printed(calls: Sequence[Call]) -> str:
    """A plan for people: each call with its payload as JSON, and what will be billed an hour."""
    lines = []
    for number, call in enumerate(calls, 1):
        lines.append(f"{number}. {call.service} {call.operation}: {call.why}")
        payload = json.dumps(call.payload, indent=2, ensure_ascii=False, default=_shown)
        lines.append("\n".join(f"     {line}" for line in payload.splitlines()))
    unknown = [call.why for call in calls if call.usd_hour is None]
    total = sum(call.usd_hour or 0.0 for call in calls)
    lines.append(f"{len(calls)} calls; nothing has been changed. Billed from then on: {total:.4g} USD an hour.")
    lines += [f"No price is known for: {', '.join(unknown)}."] if unknown else []
    return "\n".join(lines)


def _shown(value: Any) -> str:
    return f"<{len(value):,} bytes>" if isinstance(value, (bytes, bytearray)) else str(value)
