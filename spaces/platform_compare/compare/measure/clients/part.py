"""The part of a run that one of several clients has."""

from __future__ import annotations

from dataclasses import dataclass

from compare.errors import PlanError
from compare.measure.plan import RunPlan

MAX_CLIENTS = 64


@dataclass(frozen=True, slots=True)
class Part:
    """Client `index` (from 0) of `count`."""

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if not (1 <= self.count <= MAX_CLIENTS and 0 <= self.index < self.count):
            raise PlanError(
                f"There is no client {self.index} of {self.count}.", f"Use 1 to {MAX_CLIENTS} clients, the first is 0."
            )

    @classmethod
    def parse(cls, text: str) -> Part:
        """Return the part that a text such as "0/4" names."""
        index, _, count = text.partition("/")
        try:
            return cls(int(index), int(count))
        except ValueError:
            raise PlanError(f"{text!r} names no client.", "Write it like 0/4: the first of four.") from None

    def takes(self, number: int, concurrency: int | None) -> bool:
        """Return whether this client sends this request or conversation: one in so many, in proportion to its users."""
        return (number % concurrency if concurrency else number) % self.count == self.index

    def users(self, concurrency: int) -> int:
        """Return how many of the requests in flight are this client's."""
        return concurrency // self.count + (self.index < concurrency % self.count)

    def check(self, plan: RunPlan) -> None:
        """Raise `PlanError` if the clients can't share a load."""
        for load in plan.loads:
            if load.concurrency and load.concurrency < self.count:
                raise PlanError(
                    f"{self.count} clients can't share {load.name}.", f"Use up to {load.concurrency} clients."
                )
