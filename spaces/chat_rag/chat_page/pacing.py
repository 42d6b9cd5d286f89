"""How often the page is updated while answers stream in, and what an update need not do again."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backends.stopwatch import now

if TYPE_CHECKING:
    from gradio import Blocks

# 20 updates a second look like a stream; 10 still do, when many visitors share the thread that serves the pages.
FASTEST, SLOWEST = 0.05, 0.1
# The share of a core that this thread may take before updates become fewer, and how often it is looked at.
BUSY, LOOK_SECONDS = 0.5, 0.25


class Pace:
    """The seconds between two updates of an answer, for all visitors of one process.

    `spent` gives the CPU seconds of the thread that serves the pages, where `seconds` is called.
    """

    def __init__(self, clock: Callable[[], float] = now, spent: Callable[[], float] = time.thread_time) -> None:
        self._clock, self._spent = clock, spent
        self._seconds = FASTEST
        self._looked: tuple[float, float] | None = None

    def seconds(self) -> float:
        """From FASTEST to SLOWEST, the longer the busier the thread has been since the last look."""
        looked = self._clock(), self._spent()
        if self._looked is None:
            self._looked = looked
        elif (passed := looked[0] - self._looked[0]) >= LOOK_SECONDS:
            # The thread's work goes with the number of updates: with this many, its share would be BUSY.
            wanted = self._seconds * (looked[1] - self._looked[1]) / passed / BUSY
            self._seconds = min(SLOWEST, max(FASTEST, wanted))
            self._looked = looked
        return self._seconds


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """A message that the answer will not change, with what Gradio sends of it.

    Gradio walks three times an update through all dictionaries and lists, in search of files, and compares them with
    the last. It passes over a dataclass, and writes the same JSON.
    """

    role: str
    metadata: dict[str, Any] | None
    content: list[dict[str, Any]]
    options: list[dict[str, Any]] | None


class Updates:
    """What the handler of a streamed answer yields, for an event with `postprocess=False`.

    Such an event sends what it is given. Otherwise Gradio would check every message of the conversation at each update,
    and make a new component for each output that is skipped.
    """

    def __init__(self, history: Sequence[dict[str, Any]]) -> None:
        # By identity: what was in the history stays the same dictionary as long as nobody changes it.
        self._kept = list(history)
        self._settled = {id(message): Settled(**sent(message)) for message in self._kept}
        self._others: list[Any] = []

    def next(self, messages: Sequence[dict[str, Any]], *others: str | None) -> tuple[Any, ...]:
        """The conversation and the other outputs; None repeats what an output was last, which sends nothing."""
        import gradio as gr

        last = self._others or [gr.skip() for _ in others]
        self._others = [old if new is None else new for new, old in zip(others, last, strict=True)]
        return [self._settled.get(id(message)) or sent(message) for message in messages], *self._others


def sent(message: dict[str, Any]) -> dict[str, Any]:
    """A message as Gradio sends it: the content a list of typed parts."""
    content = message.get("content") or ""
    parts = [{"text": content, "type": "text"}] if isinstance(content, str) else content
    known = {"metadata": message.get("metadata"), "options": message.get("options")}
    return {"role": message["role"], "content": parts, **known}


def calm(demo: Blocks) -> None:
    """Spare a page what Gradio does in vain; call it after `demo.queue()`."""
    # It looks for a new question every millisecond, which takes some per cent of a core even when nobody asks.
    demo._queue.sleep_when_free = 0.01
    # It imports matplotlib twice an update; where there is none, the whole path is searched each time.
    if importlib.util.find_spec("matplotlib") is None:
        sys.modules["matplotlib"] = None  # type: ignore[assignment]
