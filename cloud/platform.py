"""What the command line needs: the implementation for one cloud, and a comparator that measures and prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from cloud.calls import ApiCall, ReportLine, Resource, Step

S = TypeVar("S")


class Comparator(Protocol):
    """Measures deployed endpoints and knows the prices of machines. `cloud` imports none: each script passes one."""

    def usd_hour(self, row: str, spot: bool, price: str | None, /) -> float | None:
        """Return the price per hour of one machine of `Machines`; None if the price table has none."""

    def benchmark(self, target: Mapping[str, Any], out: Path, concurrency: str, requests: int, /) -> int:
        """Measure a catalogue entry into the run `out`; return the exit status."""

    def cost_report(self, run: Path, price: str, utilisation: float, /) -> str:
        """Return the cost of a run's requests as text."""


class Platform(Protocol[S]):
    """The implementation of each command for one cloud. Its constructor makes no request."""

    title: str
    program: str  # the script's name, for remedies
    file: Path  # the default settings file
    prefix: str  # of environment variables
    settings: type[S]

    def plan(self, settings: S) -> Sequence[ApiCall]:
        """Return every call of a deployment; needs no credentials."""

    def steps(self, settings: S) -> Sequence[Step]:
        """Return the steps that send these calls."""

    def scaling(self, settings: S) -> Sequence[Step]:
        """Return the steps that configure autoscaling."""

    def update(self, settings: S, report: ReportLine) -> None:
        """Deploy the current settings without an interruption."""

    def rollback(self, settings: S, report: ReportLine) -> None:
        """Deploy the previous version again."""

    def resources(self, settings: S) -> Sequence[Resource]:
        """Return the existing resources with their prices."""

    def delete(self, settings: S, report: ReportLine) -> None:
        """Delete all resources and wait until they are gone."""

    def target(self, settings: S) -> Mapping[str, Any]:
        """Return the catalogue entry of the endpoint."""

    def price(self, settings: S) -> str:
        """Return the name of the machine's row in the price table."""
