"""Files that attack their reader: each ends with its own error, and the page's process and other files don't notice."""

from __future__ import annotations

import importlib
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chat_page.sources.page_picture import page_picture
from rag.documents import Document
from rag.errors import Cancelled, DocumentError, FileError, FileProblem, ReaderStopped, StopReason
from rag.library.incoming_files import ParsedFile
from rag.library.ingest import Ingestion
from rag.library.library import Library
from rag.library.progress import Step
from rag.reading.parse import read_document
from rag.reading.processes.limits import ProcessLimits
from rag.reading.processes.pool import ReaderPool
from rag.search.embedding.embedders import Embedder
from tests.helpers.servers import wait_until
from tests.rag import make_documents as make
from tests.security import hostile_files as hostile

# Low, so that the tests are fast. Without limits the first three attacks take 7.8 GB and more, 4.3 GB (with a stream of
# 480 MB), and 31 s.
LIMITS = ProcessLimits(memory_mb=400, cpu_seconds=3, output_mb=4)
SHORT = replace(LIMITS, cpu_seconds=1)  # for what only ends when its time is over
PARENT_MEGABYTES = 60
HONEST = "The spare key hangs behind the blue door."

ATTACKS: dict[str, tuple[Callable[[], bytes], str, StopReason | None]] = {
    "forms that draw each other": (hostile.nested_forms, "a.pdf", StopReason.MEMORY),
    "a stream that is listed eight times": (hostile.repeated_stream, "a.pdf", StopReason.MEMORY),
    "a table of empty cells": (hostile.many_cells, "a.docx", StopReason.TIME),
    "a deep page tree": (hostile.deep_page_tree, "a.pdf", None),
    "an endless page tree": (hostile.endless_page_tree, "a.pdf", None),
    "an image without end": (hostile.huge_image, "a.pdf", None),
    "XML entities": (hostile.entities, "a.docx", None),
    "many parts": (hostile.many_parts, "a.docx", None),
}


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    pool = ReaderPool(2, LIMITS)
    yield pool
    pool.close()


@pytest.fixture
def library(pool: ReaderPool) -> Iterator[Library]:
    library = Library(Embedder(), readers=pool)
    yield library
    library.close()


@pytest.fixture
def honest(tmp_path: Path) -> Path:
    path = tmp_path / "key.txt"
    path.write_text(HONEST)
    return path


def peak_megabytes() -> float:
    """Return the most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def text_of(parsed: Any) -> str:
    assert isinstance(parsed, ParsedFile)
    return parsed.document.text


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_ends_only_its_own_file(attack: str, library: Library, honest: Path, tmp_path: Path) -> None:
    create, name, reason = ATTACKS[attack]
    path = tmp_path / name
    path.write_bytes(create())
    before = peak_megabytes()
    library.readers._limits = SHORT if reason is StopReason.TIME else LIMITS
    with ThreadPoolExecutor(2) as visitors:
        attacker = visitors.submit(library.read, path)
        assert text_of(visitors.submit(library.read, honest).result()) == HONEST
        error = attacker.exception()
    assert isinstance(error, DocumentError)
    assert name in error.message
    assert error.remedy
    if reason:
        assert isinstance(error, ReaderStopped)
        assert error.reason is reason
    assert text_of(library.read(honest)) == HONEST
    assert peak_megabytes() - before < PARENT_MEGABYTES


@pytest.mark.parametrize("create", [hostile.nested_forms, hostile.repeated_stream, hostile.huge_image])
def test_an_attack_on_the_picture_of_a_page(create: Callable[[], bytes], pool: ReaderPool) -> None:
    data, before = create(), peak_megabytes()
    try:
        picture = pool.run(page_picture, "a.pdf", data=data, number=1, text="", highlight=(0, 0))
        assert create is hostile.huge_image  # PDFium leaves an image out if there is no memory for it
        assert picture.boxes == ()
    except ReaderStopped as error:
        assert error.reason is StopReason.MEMORY
    except FileError as error:  # a busy machine has no time for it
        assert create is hostile.huge_image
        assert error.problem is FileProblem.PAGE_NOT_DRAWN
    good = pool.run(page_picture, "b.pdf", data=make.pdf(HONEST), number=1, text=HONEST, highlight=(4, 9))
    assert good == page_picture(make.pdf(HONEST), 1, HONEST, (4, 9))
    assert peak_megabytes() - before < PARENT_MEGABYTES


@pytest.mark.parametrize("forks", [True, False], ids=["a fork for each file", "a process for each file"])
def test_a_reader_leaves_the_processors_to_the_page(forks: bool) -> None:
    pool = ReaderPool(1, LIMITS, modules=(), forks=forks)
    priority = pool.run(hostile.priority, "a.txt")
    assert int(priority.text) == os.getpriority(os.PRIO_PROCESS, 0) + 10
    assert int(priority.name) == os.getsid(0)  # Linux compares the priorities of a session's processes only
    pool.close()


@pytest.mark.parametrize("forks", [True, False], ids=["a fork for each file", "a process for each file"])
@pytest.mark.parametrize(
    ("work", "arguments", "reason"),
    [
        (hostile.loop_and_ignore_signals, {}, StopReason.TIME),
        (hostile.crash, {}, StopReason.CRASH),
        (hostile.return_much, {"megabytes": 5}, StopReason.OUTPUT),
        (hostile.fill_memory, {}, StopReason.MEMORY),
    ],
)
def test_a_reader_out_of_control(
    work: Callable[..., Document], arguments: dict[str, int], reason: StopReason, forks: bool, honest: Path
) -> None:
    pool = ReaderPool(1, SHORT, modules=(), forks=forks)
    with pytest.raises(ReaderStopped, match=r"“a\.txt”") as caught:
        pool.run(work, "a.txt", **arguments)
    assert caught.value.reason is reason or not forks
    pool._limits = LIMITS
    assert pool.run(read_document, "key.txt", path=honest).text == HONEST
    pool.close()


def test_a_reader_writes_no_files(tmp_path: Path) -> None:
    pool = ReaderPool(1, LIMITS, modules=())
    with pytest.raises(ReaderStopped):
        pool.run(hostile.write_file, "a.txt", path=tmp_path / "file")
    pool.close()
    assert not (tmp_path / "file").exists() or not (tmp_path / "file").read_text()


def test_an_honest_file_is_read_after_two_attackers(honest: Path) -> None:
    pool = ReaderPool(2, ProcessLimits(seconds=2), modules=())
    with ThreadPoolExecutor(2) as attackers:
        attacks = [attackers.submit(pool.run, hostile.sleep, "a.txt") for _ in range(2)]
        errors = [attack.exception() for attack in attacks]
    assert [error.reason for error in errors if isinstance(error, ReaderStopped)] == [StopReason.TIME] * 2
    pool._limits = ProcessLimits()  # on a busy machine, even an honest file takes seconds
    assert pool.run(read_document, "key.txt", path=honest).text == HONEST
    pool.close()


def test_files_are_read_in_their_order(honest: Path) -> None:
    pool, reading, numbers = ReaderPool(1), threading.Event(), list[int]()

    def report(share: float) -> None:
        if share:
            reading.set()
        if len(pool._tickets) == 6:
            raise Cancelled("Enough.")

    def read(number: int) -> None:
        pool.run(read_document, "key.txt", path=honest)
        numbers.append(number)

    with ThreadPoolExecutor(6) as visitors:
        slow = visitors.submit(pool.run, hostile.sleep, "a.txt", report=report)
        assert reading.wait(60)
        for number in range(5):
            visitors.submit(read, number)
            wait_until(lambda count=number + 2: len(pool._tickets) == count or slow.done())  # type: ignore[misc]
        assert isinstance(slow.exception(), Cancelled)
    assert numbers == [0, 1, 2, 3, 4]
    pool.close()


def test_stopping_a_file_ends_its_reader(tmp_path: Path, honest: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(hostile.many_cells())
    others = grandchildren()  # such as the readers of a page that other tests started
    pool = ReaderPool(1)
    library = Library(Embedder(), readers=pool)
    ingestion = Ingestion(library)
    (number,) = ingestion.add(path)
    wait_until(lambda: bool(grandchildren() - others))
    assert ingestion.snapshot().files[0].step is Step.READING
    readers = grandchildren() - others
    ingestion.cancel(number)
    wait_until(lambda: ingestion.snapshot().done)
    assert isinstance(ingestion.snapshot().results[0], Cancelled)
    assert not readers & grandchildren()
    assert text_of(library.read(honest)) == HONEST
    library.close()
    pool.close()


def grandchildren() -> set[int]:
    """Return the processes of this process's children."""
    return {pid for child in children(os.getpid()) for pid in children(child)}


def children(pid: int) -> set[int]:
    try:
        tasks = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it has ended meanwhile
        return set()
    return {int(child) for task in tasks for child in task.split()}


FILES = {
    "a.txt": b"A note.",
    "a.md": b"# A\n\nnote",
    "a.csv": b"name,sold\nphones,3\n",
    "a.html": b"<h1>A</h1><table><tr><td>note</td></tr></table>",
    "a.pdf": make.pdf("One page", "Another"),
    "a.docx": make.docx(),
    "empty.txt": b" ",
    "b.pdf": make.pdf("text")[:200],
    "b.docx": make.docx()[:3000],
    "a.xyz": b"x",
}


@pytest.mark.parametrize("name", FILES)
def test_the_result_is_the_same_as_in_this_process(name: str, pool: ReaderPool, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    assert outcome(lambda: pool.run(read_document, name, path=path)) == outcome(lambda: read_document(path))


def outcome(work: Callable[[], Document]) -> Document | tuple[str, object]:
    try:
        return work()
    except DocumentError as error:
        return str(error), vars(error)


def test_progress_is_reported(pool: ReaderPool, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(make.pdf("One", "Two", "Three", "Four"))
    shares: list[float] = []
    pool.run(read_document, "a.pdf", path=path, report=shares.append)
    assert list(dict.fromkeys(share for share in shares if share)) == [0.25, 0.5, 0.75, 1.0]


# As an app.py: without a guard for `__main__`, and its modules are imported again, as Gradio does after an edit.
APP = """
import sys
from pathlib import Path
print("The app runs.", flush=True)
from rag.reading.parse import read_document
from rag.reading.processes.pool import file_readers
pool = file_readers()
print(pool.run(read_document, "key.txt", path=Path(sys.argv[1])).text, flush=True)
for name in [name for name in sys.modules if name.split(".")[0] in ("rag", "backends")]:
    del sys.modules[name]
print(pool.run(read_document, "key.txt", path=Path(sys.argv[1])).text, flush=True)
print(pool._idle[0].pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, None], ids=str)
def test_an_app_is_not_run_again_and_its_readers_end_with_it(
    end: signal.Signals | None, honest: Path, tmp_path: Path
) -> None:
    app = tmp_path / "app.py"
    app.write_text(APP)
    command = [sys.executable, "-W", "error", str(app), str(honest)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout and process.stderr
        lines = [process.stdout.readline().strip() for _ in range(4)]
        assert lines[:3] == ["The app runs.", HONEST, HONEST], process.stderr.read()
        if end:
            process.send_signal(end)
        _, stderr = process.communicate(timeout=60)
    wait_until(lambda: not Path(f"/proc/{lines[3]}").exists())
    assert stderr == ""


def test_the_settings_come_from_the_environment() -> None:
    environment = {"SPACEPORT_READER_MB": "300", "SPACEPORT_READER_CPU_SECONDS": "5", "SPACEPORT_READER_SECONDS": "9"}
    assert ProcessLimits.from_environment(environment) == ProcessLimits(300, 5, 9)
    assert ProcessLimits.from_environment({}) == ProcessLimits()


STATE = """
import sys
import threading
import time
from pathlib import Path
from rag.documents import Document

def state() -> Document:
    threads = len(list(Path("/proc/self/task").iterdir()))
    import pandas
    return Document("", f"{threads} thread, {'numpy' in sys.modules}, {pandas.__name__}", "", (), "")
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="counts threads in /proc")
def test_a_reader_starts_without_threads_and_can_import_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state.py").write_text(STATE)
    monkeypatch.syspath_prepend(tmp_path)
    pool = ReaderPool(1)
    try:
        state = importlib.import_module("state").state
        assert pool.run(state, "a.txt").name == "1 thread, True, pandas"
    finally:
        pool.close()


NAP = """
import time
from rag.documents import Document

def nap() -> Document:
    time.sleep(60)
    return Document("", "", "", (), "")
"""
BUSY_APP = """
import sys, threading
from nap import nap
from rag.reading.processes.pool import file_readers
threading.Thread(target=file_readers().run, args=[nap, "a.txt"], daemon=True).start()
sys.stdin.read()
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=str)
def test_a_reader_in_the_middle_of_a_file_ends_with_the_app(end: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "nap.py").write_text(NAP)
    (tmp_path / "app.py").write_text(BUSY_APP)
    with subprocess.Popen([sys.executable, str(tmp_path / "app.py")], stdin=subprocess.PIPE) as process:
        wait_until(lambda: any(map(children, children(process.pid))))
        readers = {pid for child in children(process.pid) for pid in {child, *children(child)}}
        process.send_signal(end)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in readers), 20)
