"""Conversations that two processes change: what each added, changed or removed since they were the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag.answering.turn import Turn


def merge_turns(base: Iterable[Turn], ours: Sequence[Turn], theirs: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return theirs with our changes since `base`, which both began with; new turns of ours are the last ones.

    Of a turn that both changed, ours stays. An answer that we write and they stopped is stopped. What one side
    removed is removed.
    """
    before = {turn.id: turn for turn in base}
    here = {turn.id: turn for turn in ours}
    merged = []
    for turn in theirs:
        if turn.id not in here:
            if turn.id not in before:
                merged.append(turn)
        else:
            merged.append(_merge_turn(before.get(turn.id), here[turn.id], turn))
    known = {turn.id for turn in merged} | before.keys()
    return (*merged, *(turn for turn in ours if turn.id not in known))


def _merge_turn(before: Turn | None, ours: Turn, theirs: Turn) -> Turn:
    if before is not None and ours == before:
        return theirs
    if ours.is_open and before is not None and before.is_open and theirs.finish_reason == "stopped":
        return replace(ours, finish_reason="stopped", written_by="")
    return ours
