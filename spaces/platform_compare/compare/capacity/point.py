"""What was measured at one load: which requests missed which clause, and how clear that is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from enum import StrEnum
from statistics import fmean

from compare.capacity.evidence import Evidence
from compare.capacity.slo import Clause
from compare.runs.records import Record

# A load looks good or bad for the direction of the search once its stake is this high, or after this many requests.
LOOK_STAKE, LOOK_REQUESTS = 3.0, 60
# Fewer requests than this show nothing.
MIN_REQUESTS = 10
# A batch differs from earlier ones if chance does it more rarely than this.
DRIFT_LEVEL = 0.001


class State(StrEnum):
    """Whether a load meets the service level."""

    MET = "met"
    MISSED = "missed"
    UNCLEAR = "unclear"


class Point:
    """One load: what was measured at it, and what that shows. `group` is how many requests may resemble each other.

    `state` is what is clear about the load: all clauses are met, or one is missed. It stays clear, because the error
    rates hold for the whole search, not for its end.
    """

    def __init__(
        self,
        value: float,
        clauses: Sequence[Clause],
        level: float,
        group: int,
        min_batches: int,
        least_effect: Callable[[Clause], float] = lambda _: 1.0,
    ) -> None:
        self.value = value
        self.batches: list[list[Record]] = []
        self.requests = 0
        self.evidence = {clause: Evidence(clause.allowed, group) for clause in clauses}
        self.state = State.UNCLEAR
        self._level = level
        self._min_batches = min_batches
        self._least_effect = least_effect

    def add(self, batch: list[Record]) -> None:
        """Add the requests of one batch, in the order in which they were sent."""
        self.batches.append(batch)
        self.requests += len(batch)
        for clause, evidence in self.evidence.items():
            misses = [share for record in batch if (share := clause.missed_share(record)) is not None]
            evidence.add(misses, max(map(clause.uncertainty, batch), default=0.0))
        if (state := self._clear_state()) is not State.UNCLEAR:
            self.state = state

    def is_missed_with(self, batch: Sequence[Record]) -> bool:
        """Return whether these requests make it clear that a clause is missed; cheap if the last one is good."""
        if not any(clause.missed_share(batch[-1]) for clause in self.evidence):
            return False
        point = copy(self)
        point.batches = [*self.batches]
        point.evidence = {clause: evidence.copy() for clause, evidence in self.evidence.items()}
        point.add([*batch])
        return point.state is State.MISSED

    @property
    def clauses(self) -> list[Clause]:
        return [*self.evidence]

    @property
    def records(self) -> list[Record]:
        return [record for batch in self.batches for record in batch]

    @property
    def look(self) -> State:
        """What the load looks like, to choose where to go on."""
        state = self._state(math.log(LOOK_STAKE), math.log(LOOK_STAKE))
        if state is not State.UNCLEAR or self.requests < LOOK_REQUESTS:
            return state
        return State.MISSED if self.missed_clauses else State.MET

    @property
    def missed_clauses(self) -> list[Clause]:
        """The clauses that are missed by what was measured, the worst first; clear or not."""
        excess = {clause: evidence.share / clause.allowed for clause, evidence in self.evidence.items()}
        return sorted((clause for clause in self.clauses if excess[clause] >= 1), key=lambda clause: -excess[clause])

    @property
    def limiting_clauses(self) -> list[Clause]:
        """The missed clauses without those that only failed requests miss, if errors are a clause of their own."""
        missed = self.missed_clauses
        if not any(clause.is_error for clause in missed):
            return missed
        return [each for each in missed if each.is_error or self._is_missed_by_answers(each)]

    def _is_missed_by_answers(self, clause: Clause) -> bool:
        answered = [
            share for record in self.records if record.ok and (share := clause.missed_share(record)) is not None
        ]
        return bool(answered) and fmean(answered) >= clause.allowed

    @property
    def requests_needed(self) -> int:
        """How many more requests may show that all clauses are met, if they go on as before."""
        goal = math.log(1 / self._level)
        return max(each.requests_until(goal, self._least_effect(clause)) for clause, each in self.evidence.items())

    @property
    def contradictions(self) -> int:
        """How many of the last batches, each of them, contradict the earlier ones."""
        counts = {
            clause: [(sum(misses), len(misses)) for misses in each.batches] for clause, each in self.evidence.items()
        }
        effects = {clause: self._least_effect(clause) for clause in counts}
        for before in range(1, len(self.batches)):
            if any(_differs(counts[clause], before, clause.allowed, effects[clause]) for clause in counts):
                return len(self.batches) - before
        return 0

    def _clear_state(self) -> State:
        if len(self.batches) < self._min_batches:
            return State.UNCLEAR
        return self._state(math.log(1 / self._level), math.log(len(self.evidence) / self._level))

    def _state(self, met: float, missed: float) -> State:
        stakes = [evidence.stakes(self._least_effect(clause)) for clause, evidence in self.evidence.items()]
        if self.requests < MIN_REQUESTS:
            return State.UNCLEAR
        if all(stake >= met for stake, _ in stakes):
            return State.MET
        return State.MISSED if any(stake >= missed for _, stake in stakes) else State.UNCLEAR


def _differs(batches: Sequence[tuple[float, int]], before: int, allowed: float, effect: float) -> bool:
    """Return whether the earlier batches all lie on one side of what is allowed and the later ones on the other.

    One of the two must be far from it, and chance must not explain the difference. Each batch has its misses and how
    many values they are of.
    """
    from scipy.stats import fisher_exact  # half a second: a command's --help must not wait for it

    met = [size > 0 and misses / size < allowed for misses, size in batches]
    if len({*met[:before]}) > 1 or len({*met[before:]}) > 1 or met[0] is met[-1]:
        return False
    sides = [
        (sum(each[0] for each in some), sum(each[1] for each in some)) for some in (batches[:before], batches[before:])
    ]
    if max(misses / size for misses, size in sides if size) < min(2 * allowed, (1 + allowed) / 2):
        return False
    counts = [[round(misses / effect), round((size - misses) / effect)] for misses, size in sides]
    return float(fisher_exact(counts).pvalue) < DRIFT_LEVEL
