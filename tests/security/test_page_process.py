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


LAUNCH = """
import sys
from ui.edge.limits import EdgeLimits
from ui.launch import launch_arguments, parse_arguments

launch_arguments(parse_arguments([], ""), EdgeLimits())
print(sys.getswitchinterval() < 0.001)
"""


def test_the_event_loop_waits_less_for_threads_that_compute() -> None:
    assert subprocess.check_output([sys.executable, "-c", LAUNCH], text=True).split() == ["True"]


EVENTS = """
import ui.launch
import gradio as gr
from gradio_client import Client

def work() -> str:
    return "done"

with gr.Blocks() as page:
    gr.api(work, api_name="work")
page.launch(prevent_thread_lock=True, quiet=True)
client = Client(page.local_url, verbose=False)
for _ in range(3):
    client.predict(api_name="/work")
print(len(page._queue.event_analytics), page._queue.cached_event_analytics_summary["functions"])
page.close(verbose=False)
"""


def test_gradio_counts_no_events_with_pandas() -> None:
    """It did so after each event, in 7 ms of the processor that grew with the number of events."""
    command = [sys.executable, "-c", EVENTS]
    assert subprocess.check_output(command, text=True).split() == ["1", "{}"]
