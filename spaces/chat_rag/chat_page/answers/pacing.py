"""Interval and content of the updates that stream an answer to the page."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from backends.stopwatch import now

# Seconds between two updates. 20 updates per second look like a stream, and 10 still do when many visitors share the
# thread that serves the pages.
MIN_INTERVAL, MAX_INTERVAL = 0.05, 0.1
# For each update, a browser works through the whole conversation. The interval is proportional to its length, so that
# a second takes the same work, up to LONG characters. From there on it is 7 updates per second, each with some words.
LONG, LONG_INTERVAL = 60_000, 0.15
# On a busy page, the answers of one address share the updates of one answer; each of them gets at least one a second.
MAX_SHARED_INTERVAL = 1.0
# The share of a core that this thread can use before updates become fewer, and how often the share is measured. All
# other events wait for it: with 0.5, a first quote beside 64 hostile guests came twice as late. (2026-11-29)
TARGET_LOAD, SAMPLE_SECONDS = 0.3, 0.25
# The share by which a text must have grown for the next update: 10 characters of 4,000, and 100 of 40,000.
MIN_GROWTH = 1 / 400


class Pace:
    """The interval between two updates of an answer, for all visitors of one process.

    `cpu_seconds` returns the CPU time of the thread that serves the pages; `seconds` runs in that thread.
    """

    def __init__(self, clock: Callable[[], float] = now, cpu_seconds: Callable[[], float] = time.thread_time) -> None:
        self._clock, self._cpu_seconds = clock, cpu_seconds
        self._interval = MIN_INTERVAL
        self._last_sample: tuple[float, float] | None = None

    def seconds(self, answers: int = 1, characters: int = 0) -> float:
        """Return the interval of one of an address's `answers`, in a conversation of so many `characters`.

        It grows with the thread's load, from MIN_INTERVAL to MAX_INTERVAL for a single answer, and longer for more.
        """
        clock = self._clock()
        if self._last_sample is None:
            self._last_sample = clock, self._cpu_seconds()
        elif (elapsed := clock - self._last_sample[0]) >= SAMPLE_SECONDS:
            cpu = self._cpu_seconds()  # a system call: for each update of many answers, it took 7 % of this thread
            # The thread's work is proportional to the number of updates: this interval would give TARGET_LOAD.
            load = (cpu - self._last_sample[1]) / elapsed
            self._interval = min(MAX_SHARED_INTERVAL, max(MIN_INTERVAL, self._interval * load / TARGET_LOAD))
            self._last_sample = clock, cpu
        least = max(MIN_INTERVAL, LONG_INTERVAL * min(1, characters / LONG))
        return max(least, min(self._interval, MAX_INTERVAL * answers))


@dataclass(slots=True)
class GrowthFilter:
    """Picks the updates of one answer that the page shows.

    Each update has the whole text so far. Without the filter, the work for a long answer would grow with the square of
    its length.
    """

    _shown_characters: int = 0
    _shown_parts: tuple[bool, ...] = ()

    def is_due(self, thought: str, answer: str, *, urgent: bool = False) -> bool:
        """Return whether to show these texts now; the first words of each are always shown."""
        characters, parts = len(thought) + len(answer), (bool(thought), bool(answer))
        growth = characters - self._shown_characters
        if not urgent and parts == self._shown_parts and growth < MIN_GROWTH * characters:
            return False
        self._shown_characters, self._shown_parts = characters, parts
        return True


@dataclass(frozen=True, slots=True, eq=False)
class FinalMessage:
    """A message that the answer doesn't change, as Gradio sends it.

    For each update, Gradio walks three times through all dictionaries and lists in search of files, and compares them
    with the last update. It skips a dataclass, and serialises it to the same JSON.
    """

    role: str
    metadata: dict[str, Any] | None
    content: list[dict[str, Any]]
    options: list[dict[str, Any]] | None


class Updates:
    """The values that the handler of a streamed answer yields, for an event with `postprocess=False`.

    Gradio sends the values of such an event unchanged. Otherwise it would check every message of the conversation at
    each update, and create a new component for each skipped output.
    """

    def __init__(self, history: Sequence[dict[str, Any]]) -> None:
        # By identity: a message of the history stays the same dictionary until it changes. The list keeps them alive.
        self._history = list(history)
        self._final_messages = {id(message): FinalMessage(**to_gradio(message)) for message in self._history}
        self._other_outputs: list[Any] = []

    def next(self, messages: Sequence[dict[str, Any]], *others: str | None) -> tuple[Any, ...]:
        """Return the conversation and the other outputs; None repeats an output's last value, which sends nothing."""
        import gradio as gr

        previous = self._other_outputs or [gr.skip() for _ in others]
        self._other_outputs = [old if new is None else new for new, old in zip(others, previous, strict=True)]
        return [
            self._final_messages.get(id(message)) or to_gradio(message) for message in messages
        ], *self._other_outputs


def to_gradio(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message in Gradio's wire format, with the content as a list of typed parts."""
    content = message.get("content") or ""
    parts = [{"text": content, "type": "text"}] if isinstance(content, str) else content
    optional = {"metadata": message.get("metadata"), "options": message.get("options")}
    return {"role": message["role"], "content": parts, **optional}
