"""What the honest visitor and the page went through in one siege."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from harness.siege.honest import Visit
from harness.siege.leftovers import Memory


@dataclass(frozen=True)
class Siege:
    """Who attacks: the options of `harness.siege.attack_process`."""

    name: str
    options: Sequence[str]


@dataclass(frozen=True)
class Outcome:
    """What the honest visitor and the page went through."""

    siege: Siege
    alone: list[Visit]
    visits: list[Visit]
    memory: dict[str, Memory]
    page_cores: float
    """The processor time of the page during the siege, as a number of cores; `other_cores` is that of strangers."""
    other_cores: float
    files: list[str]
    errors: list[str]
    """The last line of each traceback in the page's log."""
    attacks: dict[str, Any]

    @property
    def lost(self) -> list[str]:
        return [visit.error for visit in self.visits if visit.error]

    def growth(self, when: str) -> float:
        """Return the memory of the page relative to that before the siege."""
        return self.memory[when].page / self.memory["before"].page

    def seconds(self, action: str, visits: list[Visit]) -> float:
        """Return the median of an action; infinity if it never succeeded."""
        return median([value for each in visits if (value := getattr(each, action)) is not None] or [float("inf")])

    def ratio(self, action: str) -> float:
        return self.seconds(action, self.visits) / self.seconds(action, self.alone)

    def slowest(self, action: str) -> float:
        return max(
            (value for each in self.visits if (value := getattr(each, action)) is not None), default=float("inf")
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "siege": self.siege.name,
            "alone": [each.as_json() for each in self.alone],
            "visits": [each.as_json() for each in self.visits],
            "memory_mb": {when: memory.as_json() for when, memory in self.memory.items()},
            "page_cores": self.page_cores,
            "other_cores": self.other_cores,
            "files_of_nobody": self.files,
            "errors_in_log": self.errors,
            "attacks": self.attacks,
        }
