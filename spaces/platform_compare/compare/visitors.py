"""What belongs to one visitor of the page: votes, runs and the measurement that is under way."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from compare.measure.background import Background
from compare.race import Race
from compare.votes import Ballot


@dataclass(slots=True)
class Visitor:
    """A visitor's votes, and stored runs by the name under which they are listed."""

    folder: Path
    ballot: Ballot = field(default_factory=Ballot)
    runs: dict[str, Path] = field(default_factory=dict)
    measuring: Background | None = None
    race: Race | None = None

    def add_run(self, name: str, path: Path) -> str:
        """List a run, under another name if this one is taken."""
        chosen, number = name, 2
        while chosen in self.runs:
            chosen, number = f"{name} ({number})", number + 1
        self.runs[chosen] = path
        return chosen


class Visitors:
    """Visitors by the key of their session, each with a folder that goes when they leave."""

    def __init__(self) -> None:
        self._visitors: dict[str, Visitor] = {}

    def get(self, session: str | None) -> Visitor:
        """The visitor of a session, made at the first call."""
        key = session or ""
        if key not in self._visitors:
            self._visitors[key] = Visitor(Path(tempfile.mkdtemp(prefix="spaceport-compare-")))
        return self._visitors[key]

    def forget(self, session: str | None) -> None:
        """Stop and delete what belongs to a visitor who has left."""
        visitor = self._visitors.pop(session or "", None)
        if visitor:
            if visitor.measuring:
                visitor.measuring.stop()
            shutil.rmtree(visitor.folder, ignore_errors=True)
