"""Memory that a flood needed goes back to the operating system."""

from __future__ import annotations

import subprocess
import sys

# The last block keeps the heap from becoming shorter, as some object of a page always does.
PROGRAM = """
import psutil
from ui.memory import return_free_memory

def megabytes():
    return psutil.Process().memory_info().rss / 1e6

class Cycle:
    def __init__(self):
        self.me, self.blocks = self, [bytearray(20_000) for _ in range(10_000)]

before = megabytes()
Cycle(), (last := bytearray(20_000))
print(megabytes() - before > 150)
return_free_memory()
print(megabytes() - before < 50)
"""


def test_free_memory_is_returned() -> None:
    assert subprocess.check_output([sys.executable, "-c", PROGRAM], text=True).split() == ["True", "True"]
