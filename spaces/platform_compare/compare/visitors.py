"""Data of one visitor of the page: votes, runs and the running measurement."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from compare.measure.background import BackgroundRun
from compare.race import Race
from compare.votes import Ballot


@dataclass(slots=True)
class Visitor:
    """One visitor's votes, last race and running measurement, and stored runs by their names in the list."""

    folder: Path
    ballot: Ballot = field(default_factory=Ballot)
    runs: dict[str, Path] = field(default_factory=dict)
    measurement: BackgroundRun | None = None
    race: Race | None = None

    def add_run(self, name: str, path: Path) -> str:
        """Add a run to the list and return its name, which gets a number if it is taken."""
        unique, number = name, 2
        while unique in self.runs:
            unique, number = f"{name} ({number})", number + 1
        self.runs[unique] = path
        return unique


class Visitors:
    """Visitors by session key; each has a folder that is deleted when the visitor leaves."""

    def __init__(self) -> None:
        self._visitors: dict[str, Visitor] = {}

    def get(self, session: str | None) -> Visitor:
        """Return the visitor of a session; the first call creates it."""
        key = session or ""
        if key not in self._visitors:
            self._visitors[key] = Visitor(Path(tempfile.mkdtemp(prefix="spaceport-compare-")))
        return self._visitors[key]

    def forget(self, session: str | None) -> None:
        """Stop the measurement of a visitor who has left, and delete the visitor's data."""
        visitor = self._visitors.pop(session or "", None)
        if visitor:
            if visitor.measurement:
                visitor.measurement.stop()
            shutil.rmtree(visitor.folder, ignore_errors=True)
