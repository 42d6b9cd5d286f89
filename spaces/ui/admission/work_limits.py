"""All limits of the public pages, as data; `python -m ui.admission.work_limits` prints what each one defends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from backends import NotConfigured
from ui.process.environment import int_setting, is_number, text_setting


@dataclass(frozen=True, slots=True)
class Places:
    """How many pieces of work of one kind run at once: in all, for one address, for one visitor; 0: no limit."""

    total: int
    address: int
    visitor: int

    def __str__(self) -> str:
        return f"{self.total},{self.address},{self.visitor}"


def _setting(variable: str, defends: str) -> dict[str, str]:
    return {"variable": variable, "defends": defends}


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits; 0 means no limit. A visitor is an account, a key, or the programs of one address."""

    questions_per_minute: int = field(
        default=20,
        metadata=_setting("SPACEPORT_QUESTIONS_A_MINUTE", "the model against a visitor who asks without a pause"),
    )
    address_questions_per_minute: int = field(
        default=120,
        metadata=_setting("SPACEPORT_ADDRESS_QUESTIONS_A_MINUTE", "the model against an address that invents visitors"),
    )
    answers: Places = field(
        default=Places(32, 12, 3), metadata=_setting("SPACEPORT_ANSWERS", "the model against many answers at once")
    )
    answer_seconds: int = field(
        default=300, metadata=_setting("SPACEPORT_ANSWER_SECONDS", "the places at the model against endless answers")
    )
    readings: Places = field(
        default=Places(2, 1, 1),
        metadata=_setting("SPACEPORT_READINGS", "the processors against large documents in calls of the API"),
    )
    uploads: Places = field(
        default=Places(4, 2, 1), metadata=_setting("SPACEPORT_UPLOADS", "the processors against many large uploads")
    )
    views: Places = field(
        default=Places(4, 2, 2),
        metadata=_setting("SPACEPORT_VIEWS", "the processors against slow previews, exports and reports"),
    )
    races: Places = field(
        default=Places(8, 3, 1), metadata=_setting("SPACEPORT_RACES", "the targets against many races at once")
    )
    measurements: Places = field(
        default=Places(1, 1, 1),
        metadata=_setting("SPACEPORT_MEASUREMENTS", "the figures: two measurements at once affect each other"),
    )
    measured_requests: int = field(
        default=2000,
        metadata=_setting("SPACEPORT_MEASURED_REQUESTS", "the targets and the place against a huge measurement"),
    )
    measured_cells: int = field(
        default=32,
        metadata=_setting(
            "SPACEPORT_MEASURED_CELLS", "the targets and the place against many targets times many loads"
        ),
    )
    measured_minutes: int = field(
        default=15,
        metadata=_setting("SPACEPORT_MEASURED_MINUTES", "the place against a measurement that blocks it"),
    )
    waiting: Places = field(
        default=Places(256, 32, 4),
        metadata=_setting("SPACEPORT_WAITING", "the memory, and the others' turns, against a flood"),
    )
    waiting_seconds: int = field(
        default=120,
        metadata=_setting("SPACEPORT_WAITING_SECONDS", "visitors' time: a refusal is better than silence"),
    )
    events_per_second: int = field(
        default=60,
        metadata=_setting("SPACEPORT_EVENTS_A_SECOND", "the page's own events against a flood of one address"),
    )
    visitors_in_memory: int = field(
        default=2000,
        metadata=_setting("SPACEPORT_VISITORS_IN_MEMORY", "the memory against invented keys; nothing stored is lost"),
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Limits:
        """Read all variables; `NotConfigured` names one that isn't valid."""
        values: dict[str, Any] = {}
        for each in fields(cls):
            variable, default = each.metadata["variable"], each.default
            read: Any = places_setting if isinstance(default, Places) else int_setting
            values[each.name] = read(variable, default, environment)
        return cls(**values)


def places_setting(name: str, default: Places, environment: Mapping[str, str] | None = None) -> Places:
    """Return the variable `name`, three numbers such as "32,12,3"; raise `NotConfigured` if it isn't that."""
    value = text_setting(name, environment)
    if not value:
        return default
    numbers = [part.strip() for part in value.split(",")]
    if len(numbers) != 3 or not all(map(is_number, numbers)):
        raise NotConfigured(
            f"{name} is {value!r}; it must be three whole numbers: in all, for one address, for one visitor.",
            f"Set it to numbers such as {default}, or unset it.",
        )
    return Places(*map(int, numbers))


if __name__ == "__main__":
    for each in fields(Limits):
        print(f"{each.metadata['variable']:40}{each.default!s:12}{each.metadata['defends']}")
