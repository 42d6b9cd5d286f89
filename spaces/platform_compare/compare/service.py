"""The comparator behind the page: races, measurements in the background, and reports of runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from backends import Backend, BackendError, Catalog, ChatRequest, Delta, Message
from backends.streams import closing
from compare import run_file
from compare.analyse.objectives import OBJECTIVES
from compare.analyse.prices import PerToken, Price, Prices
from compare.errors import PriceError
from compare.measure.background import Background
from compare.measure.measurement import Progress
from compare.race import Race, race_columns, run_race
from compare.records import Run
from compare.report.html_report import html
from compare.report.report import Report, spot_prices
from compare.report.tables import requests_csv
from compare.visitors import Visitor, Visitors
from compare.votes import shuffled


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How a run is to be seen; `prices` is text, a line "target = price" each."""

    definition: str = "spaceport"
    objective: str = "default"
    prices: str = ""
    utilisation: float = 1.0
    spot: bool = False
    alternatives: Sequence[str] = field(default_factory=tuple)


class ComparisonService:
    """One for each process; making it loads no model."""

    def __init__(self, catalog: Catalog, results: Path) -> None:
        self.catalog = catalog
        self.visitors = Visitors()
        self.prices = Prices.load()
        self.examples = {f"Example: {path.stem}": path for path in sorted(results.glob("*.jsonl"))}
        self._connected: dict[str, Backend] = {}
        self._machine = asyncio.Lock()
        self._read: dict[Path, tuple[float, Run]] = {}

    async def race(
        self, visitor: Visitor, prompt: str, targets: Sequence[str], *, blind: bool, max_tokens: int, temperature: float
    ) -> AsyncIterator[Race]:
        """Every target's answer to one prompt, side by side; a target that cannot be used fails in its column."""
        titles = {target.name: target.title for target in self.catalog.targets()}
        order = shuffled(targets) if blind else list(targets)
        running = visitor.race = Race(prompt, race_columns(order, titles, self._prices_of(order)), blind)
        ready = {}
        for lane in running.columns:
            try:
                ready[lane.target] = self._connect(lane.target)
            except BackendError as error:
                lane.state, lane.error = "failed", error
        request = ChatRequest((Message("user", prompt),), max_tokens=max_tokens, temperature=temperature)
        yield running
        updates = run_race([lane for lane in running.columns if lane.target in ready], ready, request)
        async with closing(updates):
            async for _ in updates:
                yield running

    async def answers(self, prompt: str, targets: Sequence[str]) -> dict[str, str]:
        """Each target's whole answer, for programs; an error stands where an answer would."""
        found: dict[str, str] = {}
        for name in targets:
            try:
                stream = self._connect(name).stream(ChatRequest((Message("user", prompt),), max_tokens=256))
                async with closing(stream):
                    deltas = [event async for event in stream if isinstance(event, Delta)]
                found[name] = "".join(delta.text for delta in deltas if delta.kind == "answer")
            except BackendError as error:
                found[name] = f"error: {error}"
        return found

    def vote(self, visitor: Visitor, choice: str) -> Race | None:
        """Count a vote for a column's letter or a tie; the names are no longer hidden."""
        running = visitor.race
        if running:
            visitor.ballot.cast(running.prompt, [lane.target for lane in running.columns], choice, blind=running.hidden)
            running.hidden = False
        return running

    async def measure(self, visitor: Visitor, arguments: Sequence[str], name: str) -> AsyncIterator[Progress | str]:
        """Measure in the background: progress as it goes, at the end the name under which the run is listed.

        One at a time on this machine: two would measure each other.
        """
        out = visitor.folder / f"run-{len(list(visitor.folder.glob('run-*')))}.jsonl"
        visitor.measuring = background = Background(arguments, out)
        try:
            if self._machine.locked():
                yield Progress(0, 1, 0.0, None, "Another measurement is running here; yours begins when it is over")
            async with self._machine:
                async for progress in background.run():
                    yield progress
        finally:
            visitor.measuring = None
        if out.exists():
            yield visitor.add_run(name, out)

    def runs(self, visitor: Visitor) -> list[str]:
        """The names of the runs that a visitor can look at, the newest of one's own first."""
        return [*reversed(visitor.runs), *self.examples]

    def open(self, visitor: Visitor, path: Path) -> str:
        """List a stored run that a visitor brings along; an error if it is none."""
        run = run_file.read(path)
        kept = visitor.folder / f"opened-{len(visitor.runs)}.jsonl"
        run_file.write(run, kept)
        return visitor.add_run(f"{' against '.join(run.targets)}, {run.header['started'][:16]}", kept)

    def run(self, visitor: Visitor, name: str) -> Run:
        """A stored run by its name; read once as long as its file does not change."""
        path = visitor.runs.get(name) or self.examples[name]
        changed = path.stat().st_mtime
        if path not in self._read or self._read[path][0] != changed:
            self._read[path] = (changed, run_file.read(path))
        return self._read[path][1]

    def report(self, visitor: Visitor, name: str, earlier: str | None, view: ReportOptions) -> Report:
        """The report of a run as `view` wants it, perhaps against an earlier one."""
        run = self.run(visitor, name)
        prices = self.priced(run, view.prices)
        alternatives = [price for text in view.alternatives if isinstance(price := self.prices.find(text), PerToken)]
        return Report(
            run,
            view.definition,
            OBJECTIVES[view.objective],
            spot_prices(prices) if view.spot else prices,
            view.utilisation,
            self.run(visitor, earlier) if earlier else None,
            alternatives,
        )

    def priced(self, run: Run, text: str) -> dict[str, Price]:
        """The prices of a run's targets: what the visitor wrote, over what the catalogue said."""
        named = {name: target.get("price", "") for name, target in run.header["targets"].items()}
        for line in filter(str.strip, text.splitlines()):
            target, _, price = (part.strip() for part in line.partition("="))
            if target not in run.targets:
                raise PriceError(f"{line!r} prices no target of this run.", f"Write {run.targets[0]} = 1.25/h.")
            named[target] = price
        return {name: self.prices.find(price) for name, price in named.items() if price}

    def export(self, visitor: Visitor, name: str, report: Report) -> dict[str, Path]:
        """The run as files to take away, by their suffix."""
        folder = visitor.folder / "export"
        folder.mkdir(parents=True, exist_ok=True)
        # The names may come from a file that a visitor brought along: they must not lead out of the folder.
        stem = re.sub(r"[^\w-]+", "_", f"{'-'.join(report.run.targets)}-{report.run.header['id']}")[:80]
        texts = {"csv": requests_csv(report.run), "md": report.markdown(), "html": html(report)}
        paths = {suffix: folder / f"{stem}.{suffix}" for suffix in ("jsonl", *texts)}
        paths["jsonl"].write_bytes((visitor.runs.get(name) or self.examples[name]).read_bytes())
        for suffix, text in texts.items():
            paths[suffix].write_text(text, encoding="utf-8", errors="backslashreplace")
        return paths

    def _connect(self, name: str) -> Backend:
        if name not in self._connected:
            self._connected[name] = self.catalog.connect(name)
        return self._connected[name]

    def _prices_of(self, targets: Sequence[str]) -> Mapping[str, Price]:
        """What the catalogue says that targets cost; a race goes on without a price that cannot be read."""
        found: dict[str, Price] = {}
        for name in targets:
            with suppress(PriceError, BackendError):
                if text := self.catalog.target(name).price:
                    found[name] = self.prices.find(text)
        return found
