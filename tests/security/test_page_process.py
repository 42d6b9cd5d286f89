"""What the process of a page does so that a flood neither fills its memory nor slows its event loop."""

from __future__ import annotations

import subprocess
import sys

# The last block keeps the heap from becoming shorter, as some object of a page always does.
MEMORY = """
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
    assert subprocess.check_output([sys.executable, "-c", MEMORY], text=True).split() == ["True", "True"]


EVENT = """
import sys
from gradio.utils import MatplotlibBackendMananger
from ui.responsiveness import keep_responsive

keep_responsive()
searched = []

class Finder:
    def find_spec(name, *_):
        searched.append(name)

sys.meta_path.insert(0, Finder)
with MatplotlibBackendMananger():  # as around each event
    pass
print("matplotlib" not in searched, sys.getswitchinterval() < 0.001)
"""


def test_an_event_looks_for_no_missing_module() -> None:
    assert subprocess.check_output([sys.executable, "-c", EVENT], text=True).split() == ["True", "True"]
