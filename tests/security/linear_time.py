"""Measures how CPU time grows with the length of a text, beside work that is known to be linear."""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Callable
from functools import cache, partial

SIZES = (10_000, 20_000, 40_000)
# Twice the text may take 2.6 times as long: 2 for the text, and some for caches and other programs.
MAX_GROWTH = 2.6
# One measurement is enough if twice the text takes no longer than this: where time grows with the square, it is 4.
CLEARLY_LINEAR = 2.3
# Seconds. What takes no longer at the largest size isn't slow, and too short to be measured well.
FLOOR = 0.005
# What reads so many characters in so many seconds stays below the floor at the largest size, even if it's quadratic.
_TRIAL_CHARACTERS = 4_000
_TRIAL_SECONDS = FLOOR * (_TRIAL_CHARACTERS / SIZES[-1]) ** 2
# One that is slower, but not by this much, can have the largest size at once.
_SAFE_SECONDS = 0.02
_BASELINE = re.compile(r"[^\n]")


def assert_linear(work: Callable[[int], object], what: str = "", *, sizes: tuple[int, ...] = SIZES) -> None:
    """Assert that the CPU time of `work(characters)` grows no faster than the characters do.

    `work` gets each of the sizes, and prepares its text itself if that is cheap.
    """
    seconds = cache(partial(cpu_seconds, work))
    trial = seconds(_TRIAL_CHARACTERS)
    if trial < _TRIAL_SECONDS or (trial < _SAFE_SECONDS and seconds(sizes[-1]) < FLOOR):
        return
    for size in sizes[:-1]:
        if seconds(2 * size) <= CLEARLY_LINEAR * seconds(size):
            continue
        growth = min(_growth(work, size) for _ in range(3)) if _growth(work, size) > MAX_GROWTH else 0.0
        assert growth <= MAX_GROWTH, f"twice {size:,} characters take {growth:.1f} times as long: {what}"


def cpu_seconds(work: Callable[[int], object], size: int, times: int = 1) -> float:
    """Return the CPU seconds of `work(size)`, the best of several."""
    return min(_once(work, size) for _ in range(times))


def _growth(work: Callable[[int], object], size: int) -> float:
    """Return by what factor the time grows for twice the size, relative to linear work; below the floor it is 0."""
    seconds = [cpu_seconds(work, characters) for characters in (size, 2 * size)]
    if seconds[1] < FLOOR:
        return 0.0
    if seconds[1] < 1:
        seconds = [cpu_seconds(work, characters, 2) for characters in (size, 2 * size)]
    baseline = [cpu_seconds(_linear_work, characters, 3) for characters in (10 * size, 20 * size)]
    return 2 * (seconds[1] / seconds[0]) / (baseline[1] / baseline[0])


def _linear_work(characters: int) -> None:
    for _ in _BASELINE.finditer("a" * characters):
        pass


def _once(work: Callable[[int], object], size: int) -> float:
    gc.disable()  # a collection in the middle would look like growth
    try:
        start = time.process_time()
        work(size)
        return time.process_time() - start
    finally:
        gc.enable()
