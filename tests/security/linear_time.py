"""Measures how CPU time grows with the length of a text."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

SIZES = (4_000, 40_000)
# Ten times the text takes ten times as long, or a hundred times where time grows with the square. Caches and other
# programs make the first twice as long and more, and what is linear at the small size makes the second shorter.
MAX_GROWTH = 25.0
# Seconds. What takes no longer at the large size isn't slow, and too short to be measured well.
FLOOR = 0.005


def assert_linear(
    work: Callable[[int], object], what: str = "", *, sizes: tuple[int, int] = SIZES, in_between: bool = False
) -> None:
    """Assert that the CPU time of `work(characters)` grows no faster than the characters do.

    `work` gets both sizes, the second ten times the first, and prepares its text itself if that is cheap. `in_between`
    saves most of the time if `work` can have other sizes, too: where three times the text takes no more than four times
    as long, at most a sixth of the time grows with the square, and ten times the text takes at most 25 times as long.
    """
    small, large = sizes
    trial = cpu_seconds(work, small)
    # Even if it's quadratic, it stays below the floor.
    if trial < FLOOR / 100:
        return
    if in_between:
        trial = min(trial, cpu_seconds(work, small))
        if cpu_seconds(work, 3 * small) <= 4 * trial:
            return
    seconds = cpu_seconds(work, large)
    # A first call may import something. If that can't be all of its time, another one is measured.
    if trial > FLOOR:
        trial = min(trial, cpu_seconds(work, small))
    if seconds < FLOOR or seconds <= MAX_GROWTH * trial:
        return
    growth = min(_growth(work, small, large) for _ in range(3))
    assert growth <= MAX_GROWTH, f"ten times {small:,} characters take {growth:.1f} times as long: {what}"


def cpu_seconds(work: Callable[[int], object], size: int, times: int = 1) -> float:
    """Return the CPU seconds of `work(size)`, the best of several."""
    return min(_once(work, size) for _ in range(times))


def _growth(work: Callable[[int], object], small: int, large: int) -> float:
    """Return how many times as long the large size takes."""
    return cpu_seconds(work, large) / cpu_seconds(work, small, 3)


def _once(work: Callable[[int], object], size: int) -> float:
    gc.disable()  # a collection in the middle would look like growth
    try:
        start = time.process_time()
        work(size)
        return time.process_time() - start
    finally:
        gc.enable()
