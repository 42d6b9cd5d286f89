"""The settings of a search, and their form in the first line of a run file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from compare.capacity.curve import Curve
from compare.capacity.grid import Grid
from compare.capacity.search import Search
from compare.capacity.slo import Clause, parse_slo, slo_text
from compare.errors import CompareError, RunError


@dataclass(frozen=True, slots=True)
class CapacitySettings:
    """What is searched: the clauses, the loads, and how many requests one load gets at most.

    `values` are the measured loads of a stored search, by their names in its records. The first load of a search gets
    `first_requests` at once.
    """

    clauses: tuple[Clause, ...]
    grid: Grid
    max_requests: int
    values: Mapping[str, float] = field(default_factory=dict)
    first_requests: int = 0

    @property
    def scores_answers(self) -> bool:
        """Whether a clause is about the quality of answers."""
        return any(clause.is_quality for clause in self.clauses)

    def new_search(self, targets: int) -> Search:
        """Return the search of one of so many targets."""
        return Search(Curve(self.clauses, self.grid, targets), self.max_requests, self.first_requests)

    def as_json(self) -> dict[str, Any]:
        """Return the settings as a run's header contains them."""
        grid = self.grid
        return {
            "slo": slo_text(self.clauses),
            "unit": grid.unit,
            "limit": grid.limit,
            "start": grid.start,
            "pattern": grid.pattern,
            "max_requests": self.max_requests,
            "values": {grid.load(grid.start).name: grid.start},
        }

    @classmethod
    def from_header(cls, header: dict[str, Any]) -> CapacitySettings:
        """Return the settings of a stored search; `RunError` if they can't be used."""
        try:
            stored = header["capacity"]
            grid = Grid.from_stored(stored)
            values = {str(name): float(value) for name, value in stored["values"].items()}
            for value in values.values():
                grid.check(value)
            return cls(parse_slo(str(stored["slo"])), grid, int(stored["max_requests"]), values)
        except (KeyError, TypeError, ValueError, AttributeError, CompareError) as error:
            raise RunError(f"The settings of the search are damaged ({error}).", "Restore the file.") from error
