"""The comparison service behind the pages: races, background measurements, and reports of runs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from backends import Backend, BackendError, Catalog, ChatRequest, Delta, Message
from backends.streams import closing
from compare.analyse.costs.prices import Price, Prices
from compare.errors import PlanError, PriceError, RunError
from compare.interactive.race import MAX_TARGETS, Race, race_columns, run_race
from compare.interactive.shared_runs import SharedRuns
from compare.interactive.visitors import IDLE_SECONDS, Visitor, Visitors
from compare.interactive.votes import LETTERS, shuffle
from compare.measure.background import BackgroundRun
from compare.measure.measurement import Progress
from compare.report.options import ReportOptions, build_report
from compare.report.report import Report
from compare.report.words import strings
from compare.runs import run_file
from compare.runs.records import Run
from ui.admission.admission import Admission, in_time
from ui.admission.errors import TooSlow
from ui.admission.fair_queue import Caller
from ui.admission.page_redis import PageRedis

MAX_PROMPT_CHARACTERS = 20_000
BYTES_IN_MEMORY = 20_000_000  # of the files of runs that stay in memory
# How long a measurement may go on after its time, to describe the targets, score the answers and end.
ENDING_SECONDS = 60


class ComparisonService:
    """Races, measurements and reports for all visitors of one process. Creating it loads no model."""

    def __init__(self, catalog: Catalog, results: Path, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self.catalog = catalog
        self.admission = Admission(page_redis=PageRedis.from_environment("compare"))
        self.shared_runs = SharedRuns.from_environment()
        self.visitors = Visitors(self.admission.limits.visitors_in_memory, idle_seconds=idle_seconds)
        self.prices = Prices.load()
        self.examples = {strings.example_name(path.stem): path for path in sorted(results.glob("*.jsonl"))}
        self._backends: dict[str, Backend] = {}
        self._runs: OrderedDict[Path, tuple[float, int, Run]] = OrderedDict()
        self._runs_lock = threading.Lock()

    async def race(
        self,
        visitor: Visitor,
        prompt: str,
        targets: Sequence[str],
        *,
        blind: bool,
        max_tokens: int,
        temperature: float,
        page: str = "",
    ) -> AsyncIterator[Race]:
        """Stream every target's answer to one prompt; a target that can't be used fails in its own column."""
        _check_prompt(prompt)
        titles = {target.name: target.title for target in self.catalog.targets()}
        order = shuffle(targets) if blind else list(targets)
        race = Race(prompt, race_columns(order, titles, self._catalog_prices(order)), blind)
        visitor.add_race(page, race)
        backends = {}
        for column in race.columns:
            try:
                backends[column.target] = self._connect(column.target)
            except BackendError as error:
                column.state, column.error = "failed", error
        request = ChatRequest((Message("user", prompt),), max_tokens=max_tokens, temperature=temperature)
        yield race
        updates = run_race([column for column in race.columns if column.target in backends], backends, request)
        async with closing(updates):
            async for _ in updates:
                yield race

    async def answers(self, prompt: str, targets: Sequence[str]) -> dict[str, str]:
        """Return each target's complete answer, for programs; a failed target's value is its error.

        A target that is named twice answers once.
        """
        _check_prompt(prompt)
        names = dict.fromkeys(targets)
        if len(names) > MAX_TARGETS:
            raise PlanError(f"{len(names)} targets are too many for one call.", f"Name up to {MAX_TARGETS}.")
        answers: dict[str, str] = {}
        for name in names:
            try:
                stream = self._connect(name).stream(ChatRequest((Message("user", prompt),), max_tokens=256))
                async with closing(stream):
                    deltas = [event async for event in stream if isinstance(event, Delta)]
                answers[name] = "".join(delta.text for delta in deltas if delta.kind == "answer")
            except BackendError as error:
                answers[name] = f"error: {error}"
        return answers

    def vote(self, visitor: Visitor, choice: str, page: str = "") -> Race | None:
        """Count a vote for a column's letter or a tie, once for a race, and reveal the names."""
        race = visitor.races.get(page)
        # A program can vote for a column that isn't there.
        if race and not race.voted and LETTERS.find(choice) < len(race.columns):
            visitor.ballot.cast(race.prompt, [column.target for column in race.columns], choice, blind=race.hidden)
            race.hidden, race.voted = False, True
        return race

    async def measure(
        self, caller: Caller, visitor: Visitor, arguments: Sequence[str], name: str, max_seconds: float
    ) -> AsyncIterator[Progress | str]:
        """Measure in the background: yield the progress, then the run's name in the list.

        One measurement runs at a time on this machine, because two would affect each other. What it stored before it
        was too slow, such as answers that aren't scored yet, is a run too.
        """
        place = self.admission.measurements.join(caller)
        background = BackgroundRun(arguments, out := visitor.new_file("run"))
        visitor.measurements.add(background)
        try:
            async for ahead in place.wait():
                if background.stopping:
                    return
                yield Progress.step(strings.queued(ahead))
            run = in_time(background.run(), max_seconds + ENDING_SECONDS)
            async with closing(run):
                async for progress in run:
                    yield progress
        except TooSlow:
            if not out.exists():
                raise
        finally:
            visitor.measurements.discard(background)
            place.release()
        if out.exists():
            yield visitor.add_run(name, out)

    def run_names(self, visitor: Visitor) -> list[str]:
        """Return the names of the runs that a visitor can view: the visitor's own, newest first, then examples."""
        return [*reversed(visitor.runs), *self.examples]

    def open_run(self, visitor: Visitor, path: Path) -> str:
        """Add a stored run that a visitor uploads to the list, and return its name."""
        run = run_file.read(path)
        copy = visitor.new_file("opened")
        run_file.write(run, copy)
        name = visitor.add_run(strings.run_name(run.targets, run.header["started"][:16].replace("T", " ")), copy)
        self.visitors.make_room()
        return name

    def share_run(self, visitor: Visitor, name: str, with_texts: bool = False) -> str:
        """Store a visitor's run for everybody with its link, and return its name in the link.

        Its questions and answers are shared only `with_texts`.
        """
        path = self.path(visitor, name)
        if name in self.examples:
            return path.stem
        return self.shared_runs.share(self.load_run(visitor, name), with_texts=with_texts)

    def open_shared_run(self, visitor: Visitor, link: str) -> str:
        """Add the run of a link to the visitor's list, and return its name there."""
        example = next((name for name, path in self.examples.items() if path.stem == link), None)
        return example or self.open_run(visitor, self.shared_runs.find(link))

    def load_run(self, visitor: Visitor, name: str) -> Run:
        """Return a stored run by its name; it is read again only if its file changes."""
        path = self.path(visitor, name)
        status = path.stat()
        known = self._runs.get(path)
        run = known[2] if known and known[0] == status.st_mtime else run_file.read(path)
        self._keep(path, status.st_mtime, status.st_size, run)
        return run

    def report(self, visitor: Visitor, name: str, earlier: str | None, options: ReportOptions) -> Report:
        """Return the report of a run, optionally compared with an earlier one."""
        run = self.load_run(visitor, name)
        before = self.load_run(visitor, earlier) if earlier else None
        return build_report(run, before, options, self.prices, self.catalog.names)

    def path(self, visitor: Visitor, name: str) -> Path:
        """Return the file of a run."""
        if path := visitor.runs.get(name) or self.examples.get(name):
            return path
        raise RunError(f"There is no run {name!r} any more.", "Choose another one, or measure again.")

    def _keep(self, path: Path, modified: float, size: int, run: Run) -> None:
        """Keep the last runs in memory, where they take ten times as much as in their files."""
        with self._runs_lock:
            self._runs[path] = modified, size, run
            self._runs.move_to_end(path)
            while len(self._runs) > 1 and sum(size for _, size, _ in self._runs.values()) > BYTES_IN_MEMORY:
                self._runs.popitem(last=False)

    def _connect(self, name: str) -> Backend:
        if name not in self._backends:
            self._backends[name] = self.catalog.connect(name)
        return self._backends[name]

    def _catalog_prices(self, targets: Sequence[str]) -> Mapping[str, Price]:
        """Return the catalogue's prices; a race ignores a price that can't be read."""
        prices: dict[str, Price] = {}
        for name in targets:
            with suppress(PriceError, BackendError):
                if text := self.catalog.target(name).price:
                    prices[name] = self.prices.find(text)
        return prices


def _check_prompt(prompt: str) -> None:
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise PlanError(f"A prompt can have up to {MAX_PROMPT_CHARACTERS:,} characters.", "Shorten it.")
