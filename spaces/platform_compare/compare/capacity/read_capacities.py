"""Reads the answers of a search from its run file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from compare.capacity.answer_scores import with_score
from compare.capacity.result import Capacity, conclude
from compare.capacity.settings import CapacitySettings
from compare.measure.measurement import Entry
from compare.runs.records import Record, Run, has_stopped


def measured_in_order(entries: Sequence[Entry]) -> list[Record]:
    """Return the requests that count, in the order in which they were due."""
    records = [entry for entry in entries if isinstance(entry, Record) and entry.phase == "measured"]
    return sorted(records, key=lambda record: record.intended)


def read_capacities(run: Run) -> list[Capacity]:
    """Return the answers of a stored search, by target."""
    settings = CapacitySettings.from_header(run.header)
    return [_read_capacity(run, settings, target) for target in run.targets]


def _read_capacity(run: Run, settings: CapacitySettings, target: str) -> Capacity:
    search = settings.new_search(len(run.targets))
    planned = search.batches()
    dead = _unanswered(run, target)
    ignored = {(each.load, each.block, each.intended) for each in dead}
    unscored = _unscored_batches(run, target) if settings.scores_answers else set()
    batches: dict[tuple[str, int], list[Record]] = {}
    for record in measured_in_order(_scored(run, settings, target)):
        batch = record.load, record.block
        if record.load in settings.values and (*batch, record.intended) not in ignored and batch not in unscored:
            batches.setdefault(batch, []).append(record)
    for (load, _), records in batches.items():
        next(planned, None)
        search.curve.add(settings.values[load], records)
    ended = run.ended == "finished" or next(planned, None) is None
    stopped_at = settings.values.get(dead[0].load) if dead else None
    return conclude(target, search.curve, ended=ended, stopped_at=stopped_at)


def _scored(run: Run, settings: CapacitySettings, target: str) -> list[Entry]:
    """Return the measured requests of a target, with their scores if a clause is about them."""
    entries: list[Entry] = []
    questions = run.questions if settings.scores_answers else []
    for number, record in enumerate(run.records):
        if record.target == target and record.phase == "measured":
            question = questions[record.prompt] if record.prompt < len(questions) else None
            score = run.scores.get(number)
            entries.append(with_score(record, question, score) if settings.scores_answers else record)
    return entries


def _unscored_batches(run: Run, target: str) -> set[tuple[str, int]]:
    """Return the loads and blocks with an answer that has no score: the search ended while they were scored."""
    return {
        (record.load, record.block)
        for number, record in enumerate(run.records)
        if record.target == target and record.phase == "measured" and record.ok and record.answer is not None
        if number not in run.scores
    }


def _unanswered(run: Run, target: str) -> list[Record]:
    """Return the failures since which a target didn't answer any more; none if it did, or if only a few failed."""
    records = sorted((each for each in run.records if each.target == target), key=lambda record: record.intended)
    dead = list(takewhile(lambda record: not record.ok, reversed(records)))[::-1]
    return dead if has_stopped(dead) else []
