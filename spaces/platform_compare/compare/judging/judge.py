"""Judges the answers of a run: every pair of targets, every question, in both orders."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from backends import Backend, BackendError, Catalog, ChatRequest, Delta
from backends.streams import closing
from compare.errors import PlanError, RunError
from compare.judging.question import RUBRIC, Comparison, Place, read_reply, rubric_hash
from compare.runs.records import Judgment, Preference, Run

IN_FLIGHT = 4
GIVE_UP_AFTER = 5  # failures in a row, without any success between them
REQUEST_SECONDS = 120.0
Reply = tuple[Place | None, str]  # which answer is better, None if nobody knows, and why
SAME_ANSWERS: Reply = ("tie", "the answers are the same")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two requests of a run that answer the same question."""

    prompt: int
    one: int
    other: int


def judged_pairs(run: Run) -> list[Pair]:
    """Return the pairs to judge: of each two targets, their first complete answers to each question."""
    answers: dict[tuple[str, int], int] = {}
    questions = len(run.questions)
    for number, record in enumerate(run.records):
        if record.phase == "measured" and record.ok and record.answer:
            answers.setdefault((record.target, record.prompt), number)
    return [
        Pair(prompt, answers[one, prompt], answers[other, prompt])
        for one, other in combinations(run.targets, 2)
        for prompt in range(questions)
        if (one, prompt) in answers and (other, prompt) in answers
    ]


def check_judge(run: Run, judge: str, model: str, *, may_be_target: bool) -> None:
    """Raise an error if nothing can be judged, or if the judge would judge its own answers."""
    if not run.questions:
        raise RunError("This run has no questions, so there is nothing to judge.", "Measure with --questions.")
    if len(run.targets) < 2:
        raise RunError("A judge compares the answers of two targets; this run has one.", "Measure two targets.")
    served = {name: target.get("served", {}).get("model") for name, target in run.header["targets"].items()}
    same = (
        judge if judge in run.targets else next((name for name in run.targets if model and served[name] == model), "")
    )
    if same and not may_be_target:
        what = "is one of the judged targets" if same == judge else f"runs {model}, as the judged target {same} does"
        raise PlanError(
            f"{judge} {what}: a model prefers its own answers.", "Name another judge, or add --judge-may-be-target."
        )


class Judge:
    """A target that compares answers; its `rubric` says what to look for."""

    def __init__(self, name: str, catalog: Catalog, rubric: str = RUBRIC) -> None:
        self.name = name
        self.rubric = rubric
        self.model = ""
        self._backend: Backend = catalog.connect(name)
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._failures = 0

    async def identify(self) -> str:
        """Return the model that the judge runs, "" if it doesn't say."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                self.model = (await self._backend.check()).model
        except TimeoutError:
            self.model = ""
        return self.model

    async def judge(
        self, run: Run, sources: Mapping[int, str], report: Callable[[int, int], None] = lambda *_: None
    ) -> list[Judgment]:
        """Judge all pairs of a run; `sources` are what the targets were given, by the number of the prompt."""
        pairs, questions, done = judged_pairs(run), run.questions, 0

        async def work(pair: Pair) -> Judgment:
            nonlocal done
            judgment = await self._judge_pair(run, pair, questions[pair.prompt].text, sources.get(pair.prompt, ""))
            done += 1
            report(done, len(pairs))
            return judgment

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work(pair)) for pair in pairs]
        return [task.result() for task in tasks]

    async def aclose(self) -> None:
        await self._backend.aclose()

    async def _judge_pair(self, run: Run, pair: Pair, question: str, sources: str) -> Judgment:
        one, other = run.records[pair.one], run.records[pair.other]
        comparison = Comparison(question, one.answer or "", other.answer or "", sources)
        (first, reason), (second, _) = await self._ask_twice(comparison)
        return Judgment(
            self.name, pair.prompt, one.target, other.target, (pair.one, pair.other),
            _preference(first, swapped=False), _preference(second, swapped=True), rubric_hash(self.rubric), self.model,
            reason,
        )  # fmt: skip

    async def _ask_twice(self, comparison: Comparison) -> tuple[Reply, Reply]:
        """Return the replies for both orders; the same answers are a tie that nobody is asked about."""
        if comparison.first.split() == comparison.second.split():
            return SAME_ANSWERS, SAME_ANSWERS
        return await self._ask(comparison), await self._ask(comparison.swapped())

    async def _ask(self, comparison: Comparison) -> Reply:
        """Return the judge's reply, None if it can't be read; raise the error of a judge that answers nothing."""
        async with self._slots:
            try:
                async with asyncio.timeout(REQUEST_SECONDS):
                    reply = read_reply(await self._answer(comparison.request(self.rubric)))
            except (BackendError, TimeoutError, ValueError, RecursionError) as error:
                self._failures += 1
                if self._failures >= GIVE_UP_AFTER:
                    raise _gave_up(self.name, error) from error
                return None, ""
            self._failures = 0
            return reply

    async def _answer(self, request: ChatRequest) -> str:
        stream = self._backend.stream(request)
        async with closing(stream):
            return "".join(
                [event.text async for event in stream if isinstance(event, Delta) and event.kind == "answer"]
            )


def _preference(place: Place | None, *, swapped: bool) -> Preference | None:
    """Return whom a reply prefers, when the answers were shown in this order."""
    if place is None or place == "tie":
        return place
    return "one" if (place == "first") != swapped else "other"


def _gave_up(name: str, error: Exception) -> RunError:
    what = str(error) if isinstance(error, BackendError) else f"Its replies can't be read ({type(error).__name__})."
    return RunError(f"The judge {name} failed {GIVE_UP_AFTER} times in a row: {what}", "Fix it, or name another judge.")


def errors_of(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Yield the errors in a group of errors."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from errors_of(error)
        else:
            yield error
