"""What the process of a page does so that a flood neither fills its memory nor slows its event loop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from ui.process.local_addresses import exempt_this_machine

# The last block keeps the heap from becoming shorter, as some object of a page always does.
MEMORY = """
import psutil
from ui.process.memory import return_free_memory

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


LOADED = """
import gc
import weakref
from ui.process.memory import keep_loaded, return_free_memory

class Cycle:
    def __init__(self):
        self.me = self

free, loaded = weakref.ref(Cycle()), [[] for _ in range(100_000)]
keep_loaded()
later = weakref.ref(Cycle())
print(len(gc.get_objects()) < 1_000, free() is None, later() is not None)
return_free_memory()
print(later() is None)
"""


def test_a_collection_leaves_out_what_was_loaded() -> None:
    """It stopped all answers for 0.28 s, twice a minute, to look at the objects of torch."""
    output = subprocess.check_output([sys.executable, "-c", LOADED], text=True)
    assert output.split() == ["True"] * 4, output


# One process for the four: each would import Gradio. The search comes last, because its finder stays.
GRADIO = """
import asyncio
import json
import sys
import httpx2
import ui.launch
from ui.middleware.request_limits import RequestLimits

ui.launch.launch_arguments(ui.launch.parse_arguments([], ""), RequestLimits())
seen = {"interval": sys.getswitchinterval()}

import gradio as gr
from gradio.utils import MatplotlibBackendMananger
from gradio_client import Client

def work() -> str:
    return "done"

async def wait() -> str:
    await asyncio.sleep(0.01)
    return "done"

with gr.Blocks() as page:
    gr.api(work, api_name="work")
    gr.api(wait, api_name="wait", concurrency_limit=1)
page.queue(**ui.launch.QUEUE)
page.launch(prevent_thread_lock=True, quiet=True)

async def messages(events: int) -> int:
    session = f"s{events}"
    async with httpx2.AsyncClient(base_url=page.local_api_url, trust_env=False, timeout=60) as client:
        body = {"data": [], "fn_index": 1, "session_hash": session}
        await asyncio.gather(*(client.post("queue/join", json=body) for _ in range(events)))
        return (await client.get("queue/data", params={"session_hash": session})).text.count("estimation")

seen["messages"] = [asyncio.run(messages(events)) for events in (15, 60)]
client = Client(page.local_url, verbose=False)
seen["answers"] = [client.predict(api_name="/work") for _ in range(3)]
seen["events"] = len(page._queue.event_analytics), page._queue.cached_event_analytics_summary["functions"]
page.close(verbose=False)

class Finder:
    def find_spec(self, name, path=None, target=None):
        searched.append(name)

seen["searched"] = searched = []
with MatplotlibBackendMananger():
    sys.meta_path.insert(0, Finder())
with MatplotlibBackendMananger():
    pass
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def gradio() -> Any:
    """What a process with Gradio did."""
    # A page also starts where a proxy is set: Gradio asks the page for its first events itself.
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9") | {"ALL_PROXY": "socks5://[::1]:9"}
    environment = {name: value for name, value in os.environ.items() if name.upper() != "NO_PROXY"} | proxies
    return json.loads(subprocess.check_output([sys.executable, "-c", GRADIO], text=True, env=environment))


def test_the_event_loop_waits_less_for_threads_that_compute(gradio: Any) -> None:
    assert gradio["interval"] < 0.001


def test_gradio_counts_no_events_with_pandas(gradio: Any) -> None:
    """It did so after each event, in 7 ms of the processor that grew with the number of events."""
    assert gradio["answers"] == ["done"] * 3
    assert gradio["events"] == [1, {}]


def test_gradio_does_not_search_for_matplotlib_at_each_update(gradio: Any) -> None:
    """It did so twice, in all folders of the path: a twelfth of the event loop's time under siege."""
    assert gradio["searched"] == []


def test_waiting_events_get_a_number_of_messages_that_is_linear(gradio: Any) -> None:
    """Each event that started sent one to all others: 42,000 stayed in memory after 400 events that nobody read."""
    few, many = gradio["messages"]
    assert 0 < few <= 15
    assert many <= 60


def test_a_proxy_that_gradio_cannot_use_is_an_error_in_words() -> None:
    """Gradio itself fails with a traceback when it is imported."""
    command = [sys.executable, "-c", "import ui.gradio_imports, gradio"]
    environment = {name: value for name, value in os.environ.items() if name != "all_proxy"}
    environment["ALL_PROXY"] = "socks://127.0.0.1:9"
    process = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert process.returncode == 1
    assert process.stderr.startswith("error: ALL_PROXY names a proxy of the kind socks://")
    assert "Traceback" not in process.stderr


def test_this_machine_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9" if name != "NO_PROXY" else "a.test")
    monkeypatch.setenv("no_proxy", "a.test, localhost")
    exempt_this_machine("192.0.2.1")
    for name in ("NO_PROXY", "no_proxy"):
        assert os.environ[name] == "a.test,localhost,127.0.0.1,::1,192.0.2.1"
    monkeypatch.setenv("NO_PROXY", "*")  # beside other names, it would mean nothing
    exempt_this_machine("192.0.2.1")
    assert os.environ["no_proxy"] == "*"
