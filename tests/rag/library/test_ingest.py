"""Background ingestion: progress, cancellation, results, and the end of the threads."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.errors import Cancelled, RagError, SessionEnded
from rag.library.ingest import Ingestion
from rag.library.library import Library
from rag.library.progress import FileSummary, Snapshot, Step
from rag.library.quota import Quota, QuotaExceeded
from rag.library.storage.store import Store
from rag.search.embedding.embedders import Embedder
from tests.helpers.servers import wait_until

WriteFile = Callable[[str, str], Path]
SMALL = "The spare key hangs behind the blue door."
ROPES = "Rope number one holds the boat at the northern pier of the harbour."

ENDING = """
import sys, time
from pathlib import Path
from rag.library.ingest import Ingestion
from rag.library.library import Library
from rag.library.storage.store import Store

class Endless:
    name = full_name = "endless"

    def encode(self, texts, report):
        while True:
            report(0.5)
            time.sleep(0.01)

files = [Path(name) for name in sys.argv[2:]]
ingestion = Ingestion(Library(Endless(), store=Store(Path(sys.argv[1]))))
ingestion.add(*files)
while files[0].exists():
    time.sleep(0.01)
"""


class PausedEmbedder(Embedder):
    """The real model, which stops in the middle of the file about ropes until `go` is set."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.name = "paused"
        self.go = threading.Event()

    def encode(self, texts: list[str], report: Callable[[float], None] | None = None) -> Any:
        vectors = self._embedder.encode(texts)
        if "Rope" in texts[0] and report:
            report(0.5)
            self.go.wait(120)
            report(1.0)
        return vectors


@pytest.fixture(autouse=True)
def warm(embedder: Embedder) -> None:
    """Load the model before the test: it takes long, and no test waits for it."""
    embedder.warm()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "visitor")


@pytest.fixture
def paused(embedder: Embedder) -> PausedEmbedder:
    return PausedEmbedder(embedder)


@pytest.fixture
def library(paused: PausedEmbedder, store: Store) -> Iterator[Library]:
    library = Library(paused, store=store)
    yield library
    library.close()


@pytest.fixture
def ingestion(library: Library, paused: PausedEmbedder) -> Iterator[Ingestion]:
    ingestion = Ingestion(library)
    yield ingestion
    paused.go.set()
    ingestion.close()
    wait_until(lambda: not ingestion._threads, 60)


def wait_until_done(ingestion: Ingestion) -> Snapshot:
    wait_until(lambda: ingestion.snapshot().done, 60, lambda: str(ingestion.snapshot()))
    return ingestion.snapshot()


def wait_until_paused(ingestion: Ingestion, number: int) -> None:
    def is_paused() -> bool:
        return any(file.number == number and file.share == 0.5 for file in ingestion.snapshot().files)

    wait_until(is_paused, 60, lambda: str(ingestion.snapshot()))


async def watched(ingestion: Ingestion) -> list[Snapshot]:
    return [snapshot async for snapshot in ingestion.watch()]


def added(snapshot: Snapshot) -> list[bool]:
    return [isinstance(result, FileSummary) for result in snapshot.results]


def outcomes(snapshot: Snapshot) -> list[tuple[str, FileSummary | type[RagError]]]:
    """The name of each file that is done, and its summary or the class of its error."""
    return [
        (file.name, type(file.result) if isinstance(file.result, RagError) else file.result)
        for file in snapshot.files
        if file.result is not None
    ]


async def test_each_file_has_a_result(ingestion: Ingestion, library: Library, write_file: WriteFile) -> None:
    paths = [
        write_file("key.txt", SMALL),
        write_file("empty.txt", ""),
        write_file("copy.txt", SMALL),
        write_file("a.xyz", "x"),
    ]
    assert ingestion.add(*paths) == [1, 2, 3, 4]
    snapshot = (await watched(ingestion))[-1]
    assert snapshot.done
    assert [file.name for file in snapshot.files] == ["key.txt", "empty.txt", "copy.txt", "a.xyz"]
    assert [file.step for file in snapshot.files] == [Step.DONE] * 4
    assert added(snapshot) == [True, False, True, False]
    results = snapshot.results
    assert results[0] == FileSummary("key.txt", 0, 41, 1, duplicate=False)
    assert str(results[1]) == "“empty.txt” is empty. Check that it was saved, and upload it again."
    assert results[2] == FileSummary("key.txt", 0, 41, 1, duplicate=True)
    assert "Unsupported file type" in str(results[3])
    assert [document.name for document in library.documents] == ["key.txt"]
    assert not any(path.exists() for path in paths)


async def test_every_page_that_watches_sees_the_progress_and_the_end(
    ingestion: Ingestion, paused: PausedEmbedder, write_file: WriteFile
) -> None:
    (number,) = ingestion.add(write_file("ropes.txt", ROPES))
    first = asyncio.create_task(watched(ingestion))
    await asyncio.to_thread(wait_until_paused, ingestion, number)
    second = ingestion.watch()
    joined = await anext(second)
    assert [(file.step, file.share) for file in joined.pending] == [(Step.EMBEDDING, 0.5)]
    await second.aclose()  # this page closes; the file continues
    third = asyncio.create_task(watched(ingestion))
    paused.go.set()
    snapshots, reloaded = await first, await third
    assert snapshots[-1] == reloaded[-1]
    assert snapshots[-1].results == [FileSummary("ropes.txt", 0, 67, 1, duplicate=False)]
    assert all(before != after for before, after in itertools.pairwise(snapshots))
    assert not any(snapshot.done for snapshot in snapshots[:-1])


async def test_nothing_to_do_is_done(ingestion: Ingestion) -> None:
    assert ingestion.add() == []
    (snapshot,) = await watched(ingestion)
    assert snapshot.done
    assert snapshot.results == snapshot.pending == []
    assert not ingestion.busy


async def test_results_stay_until_a_page_has_seen_them(ingestion: Ingestion, write_file: WriteFile) -> None:
    ingestion.add(write_file("a.txt", SMALL))
    wait_until_done(ingestion)
    wait_until(lambda: not ingestion._threads, 60)  # the threads end until there are new files
    assert ingestion.add(write_file("b.txt", "Another note.")) == [2]
    assert len((await watched(ingestion))[-1].results) == 2
    ingestion.add(write_file("c.txt", "One more note."))
    assert (await watched(ingestion))[-1].results == [FileSummary("c.txt", 0, 14, 1, duplicate=False)]


def test_the_next_file_is_read_while_one_is_embedded(
    ingestion: Ingestion, paused: PausedEmbedder, write_file: WriteFile
) -> None:
    first, second, third = (
        write_file("ropes.txt", ROPES),
        write_file("b.txt", "Note b."),
        write_file("c.txt", "Note c."),
    )
    (number, *_) = ingestion.add(first, second, third)
    wait_until_paused(ingestion, number)
    wait_until(lambda: not second.exists(), 60)
    assert not first.exists()
    assert third.exists()  # only one file ahead
    paused.go.set()
    assert added(wait_until_done(ingestion)) == [True] * 3


def test_a_file_is_stopped_in_the_middle_and_the_others_continue(
    ingestion: Ingestion, library: Library, store: Store, paused: PausedEmbedder, write_file: WriteFile
) -> None:
    queued = write_file("queued.txt", "It is never read.")
    numbers = ingestion.add(write_file("ropes.txt", ROPES), write_file("key.txt", SMALL), queued)
    wait_until_paused(ingestion, numbers[0])
    ingestion.cancel(numbers[2])
    assert not queued.exists()
    ingestion.cancel(numbers[0])
    assert ingestion.snapshot().files[0].step is Step.STOPPING
    paused.go.set()
    snapshot = wait_until_done(ingestion)
    assert outcomes(snapshot) == [
        ("ropes.txt", Cancelled),
        ("key.txt", FileSummary("key.txt", 0, 41, 1, duplicate=False)),
        ("queued.txt", Cancelled),
    ]
    assert str(snapshot.results[0]) == "“ropes.txt” was stopped and not added."
    assert [document.name for document in library.documents] == ["key.txt"]
    assert [document.name for document, _, _ in store.load(library._label)] == ["key.txt"]


def test_all_files_are_stopped_at_once(
    ingestion: Ingestion, library: Library, store: Store, paused: PausedEmbedder, write_file: WriteFile
) -> None:
    paths = [write_file("ropes.txt", ROPES), *(write_file(f"{number}.txt", f"Note {number}.") for number in range(20))]
    numbers = ingestion.add(*paths)
    wait_until_paused(ingestion, numbers[0])
    ingestion.cancel()
    paused.go.set()
    assert added(wait_until_done(ingestion)) == [False] * 21
    ingestion.cancel()
    assert library.documents == []
    assert list(store.load(library._label)) == []
    assert not any(path.exists() for path in paths)


def test_closing_ends_the_threads_and_accepts_no_more_files(
    ingestion: Ingestion, library: Library, paused: PausedEmbedder, write_file: WriteFile
) -> None:
    (number,) = ingestion.add(write_file("ropes.txt", ROPES))
    wait_until_paused(ingestion, number)
    ingestion.close()
    paused.go.set()
    wait_until(lambda: not any(thread.name.startswith("ingest-") for thread in threading.enumerate()), 60)
    late = write_file("late.txt", SMALL)
    ingestion.add(late)
    assert not late.exists()
    assert outcomes(ingestion.snapshot()) == [("ropes.txt", Cancelled), ("late.txt", SessionEnded)]
    assert str(ingestion.snapshot().results[1]).startswith("“late.txt” wasn't added: the session has ended.")
    assert library.documents == []


def test_the_threads_end_with_the_process(store: Store, write_file: WriteFile) -> None:
    files = [write_file("a.txt", SMALL), write_file("b.txt", "Note b."), write_file("c.txt", "Note c.")]
    command = [sys.executable, "-W", "error", "-c", ENDING, str(store.folder), *map(str, files)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")
    assert not any(file.exists() for file in files)
    assert not store.folder.exists()


def test_a_long_file_of_one_visitor_does_not_delay_another(embedder: Embedder, write_file: WriteFile) -> None:
    long = "".join(f"Rope {number} holds boat {number} at the pier of the harbour.\n\n" for number in range(2_000))
    libraries = [Library(embedder), Library(embedder)]
    slow, quick = map(Ingestion, libraries)
    slow.add(write_file("ropes.txt", long))
    wait_until(lambda: any(file.share for file in slow.snapshot().files if file.step is Step.EMBEDDING), 120)
    quick.add(write_file("key.txt", SMALL))
    wait_until_done(quick)
    assert slow.busy
    assert libraries[1].search("key", embedder.encode(["key"])[0])
    for ingestion, library in zip((slow, quick), libraries, strict=True):
        ingestion.close()
        library.close()
    wait_until(lambda: not slow._threads, 60)


def test_an_upload_of_another_visitor_at_the_same_address_stays(
    ingestion: Ingestion, paused: PausedEmbedder, write_file: WriteFile
) -> None:
    mine, theirs = write_file("note.txt", SMALL), write_file("upload", SMALL)
    numbers = ingestion.add(write_file("ropes.txt", ROPES), write_file("b.txt", "Note b."), mine)
    wait_until_paused(ingestion, numbers[0])
    theirs.replace(mine)  # Gradio moves an upload to an address that depends on its content
    paused.go.set()
    assert added(wait_until_done(ingestion)) == [True] * 3
    assert mine.read_text() == SMALL


def test_each_file_beyond_the_quota_has_an_error(embedder: Embedder, write_file: WriteFile) -> None:
    library = Library(embedder, quota=Quota(files=1))
    ingestion = Ingestion(library)
    ingestion.add(*(write_file(f"{number}.txt", f"Note {number}.") for number in range(3)))
    snapshot = wait_until_done(ingestion)
    assert added(snapshot) == [True, False, False]
    assert isinstance(snapshot.results[2], QuotaExceeded)
    assert str(snapshot.results[2]) == "You already have 1 document. Remove one before you add 2.txt."
    assert snapshot.results[2].__traceback__ is None  # its frames would keep the document in memory
    library.close()


def test_an_internal_error_is_reported_and_the_others_continue(
    embedder: Embedder, write_file: WriteFile, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(PausedEmbedder):
        def encode(self, texts: list[str], report: Callable[[float], None] | None = None) -> Any:
            if "blue door" in texts[0]:
                raise ZeroDivisionError
            return super().encode(texts, report)

    library = Library(Failing(embedder))
    ingestion = Ingestion(library)
    ingestion.add(write_file("a.txt", SMALL), write_file("b.txt", "Another note."))
    snapshot = wait_until_done(ingestion)
    assert str(snapshot.results[0]) == "“a.txt” couldn't be added because of an internal error. Try again."
    assert added(snapshot) == [False, True]
    assert "ZeroDivisionError" in caplog.text
    library.close()
