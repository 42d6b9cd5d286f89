"""Visitors are kept apart, found again by their key alone, and deleted when they are gone."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backends import NotConfigured
from chat_page.visitors import Visitors, new_key
from rag.answering.retrieve import retrieve
from rag.errors import DocumentError
from rag.library import disk
from rag.library.library import Library
from rag.library.quota import TooManyQuestions
from rag.library.store import MemoryStore
from rag.search.embedders import Embedder
from tests.helpers.servers import wait_until
from tests.rag.library.test_ingest import ROPES, Held, wait_until_done, wait_until_held

HOUR = 3600.0


class Clock:
    """The wall clock, which can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "visitors"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def held(embedder: Embedder) -> Held:
    embedder.warm()  # the first use of the model takes long, and is not what is waited for
    return Held(embedder)


@pytest.fixture
def start(root: Path, held: Held, clock: Clock) -> Iterator[Callable[..., Visitors]]:
    """Begin anew on the same folder, as a restarted process does."""
    started: list[Visitors] = []

    def begin(at: Path | None = root) -> Visitors:
        started.append(Visitors(at, lambda store: Library(held, store=store), HOUR, clock=clock))
        return started[-1]

    yield begin
    held.go.set()
    for visitors in started:
        visitors.close()


def upload(folder: Path, name: str, text: str) -> Path:
    """A file where an upload would lie."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def names(visitors: Visitors, key: str) -> list[str]:
    return [document.name for document in visitors.of(key).library.documents]


def everything(root: Path) -> bytes:
    """Every name and every byte under a folder."""
    return b"".join(
        str(path).encode() + (path.read_bytes() if path.is_file() else b"") for path in sorted(root.rglob("*"))
    )


def test_two_visitors_with_a_file_of_the_same_name_see_their_own(
    start: Callable[..., Visitors], tmp_path: Path, embedder: Embedder
) -> None:
    visitors, mine, yours = start(), new_key(), new_key()
    for key, text in ((mine, "The code is 1234."), (yours, "The code is 9876.")):
        visitors.of(key).ingestion.add(upload(tmp_path / key, "code.txt", text))
    for key, wanted in ((mine, "1234"), (yours, "9876")):
        visitor = visitors.of(key)
        wait_until_done(visitor.ingestion)
        (passage,) = retrieve([visitor.library], "What is the code?", embedder, limit=9)
        assert wanted in passage.text
        assert wanted.encode() in (visitor.library.original(passage.document_id) or b"")
        other = visitors.of(mine if key == yours else yours)
        assert other.library.original(passage.document_id) is None


def test_the_same_key_is_the_same_visitor(start: Callable[..., Visitors]) -> None:
    visitors, key = start(), new_key()
    assert visitors.of(key) is visitors.of(key)
    assert visitors.of(key) is not visitors.of(new_key())
    assert len(visitors) == 2


WRONG = [None, "", "short", "../" * 14 + "x", "a" * 42, "a" * 44, "a" * 42 + "/", "a" * 42 + "\n", "ä" * 43, 7]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_a_key_of_a_wrong_shape_gives_a_new_visitor_under_a_new_key(
    start: Callable[..., Visitors], root: Path, wrong: str
) -> None:
    visitors = start()
    visitor = visitors.of(wrong)
    assert visitor is not visitors.of(wrong)
    assert visitors.of(visitor.key) is visitor
    assert visitor.key != wrong
    visitors.touch(wrong)
    visitors.forget(wrong)
    assert list(root.iterdir()) == []  # a visitor who leaves nothing has no folder


def test_the_disk_tells_no_key_and_only_to_its_owner(
    start: Callable[..., Visitors], root: Path, tmp_path: Path
) -> None:
    visitors, key = start(), new_key()
    visitor = visitors.of(key)
    visitor.library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitor.keep_conversation([{"role": "user", "content": "Where?"}])
    (folder,) = root.iterdir()
    assert folder.name == hashlib.sha256(key.encode()).hexdigest()
    assert key.encode() not in everything(root)
    if os.name == "posix":
        for path in [root, *root.rglob("*")]:
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_restart_finds_documents_and_conversation(start: Callable[..., Visitors], tmp_path: Path) -> None:
    visitors, key = start(), new_key()
    visitors.of(key).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitors.of(key).keep_conversation([{"role": "user", "content": "Where?"}])
    visitors.close()
    again = start()
    assert names(again, key) == ["note.txt"]
    assert again.of(key).conversation == [{"role": "user", "content": "Where?"}]
    assert names(again, new_key()) == []


def test_who_forgets_is_forgotten(start: Callable[..., Visitors], root: Path, tmp_path: Path) -> None:
    visitors, key, other = start(), new_key(), new_key()
    for known in (key, other):
        visitors.of(known).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitor = visitors.of(key)
    visitor.open("page").history.append({"role": "user", "content": "Where?"})
    visitor.keep_conversation(["Where?"])
    visitors.forget(key)
    visitors.forget(key)
    assert [folder.name for folder in root.iterdir()] == [hashlib.sha256(other.encode()).hexdigest()]
    assert visitor.library.documents == []
    assert visitor.talks == {}
    visitor.keep_conversation(["an answer that was still coming in"])
    assert (names(visitors, key), visitors.of(key).conversation) == ([], None)
    assert names(visitors, other) == ["note.txt"]


def test_a_visitor_of_the_last_process_is_forgotten_unseen(
    start: Callable[..., Visitors], root: Path, tmp_path: Path
) -> None:
    visitors, key = start(), new_key()
    visitors.of(key).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitors.close()
    start().forget(key)
    assert list(root.iterdir()) == []


def test_deletion_while_a_file_is_embedded(
    start: Callable[..., Visitors], root: Path, tmp_path: Path, held: Held
) -> None:
    visitors, key = start(), new_key()
    visitor = visitors.of(key)
    visitor.library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    files = [upload(tmp_path, "ropes.txt", ROPES), upload(tmp_path, "b.txt", "B."), upload(tmp_path, "c.txt", "C.")]
    (number, *_) = visitor.ingestion.add(*files)
    wait_until_held(visitor.ingestion, number)
    visitors.forget(key)
    assert list(root.iterdir()) == []
    assert visitor.library.documents == []
    assert not any(file.exists() for file in files)
    held.go.set()
    wait_until(lambda: not visitor.ingestion._running, 60)
    assert list(root.iterdir()) == []
    assert names(visitors, key) == []


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_deletion_at_any_moment_of_an_ingestion(
    start: Callable[..., Visitors], root: Path, tmp_path: Path, delay: float
) -> None:
    visitors, key = start(), new_key()
    visitor = visitors.of(key)
    visitor.ingestion.add(*(upload(tmp_path / key, f"{n}.txt", f"Note {n}.\n" * 200) for n in range(30)))
    time.sleep(delay)
    visitors.forget(key)
    assert list(root.iterdir()) == []
    wait_until(lambda: not visitor.ingestion._running, 60)
    assert list(root.iterdir()) == []
    assert visitor.library.documents == []
    assert list((tmp_path / key).iterdir()) == []


def test_idle_visitors_are_swept_and_busy_ones_are_not(
    start: Callable[..., Visitors], root: Path, tmp_path: Path, clock: Clock, held: Held
) -> None:
    visitors, idle, awake, busy = start(), new_key(), new_key(), new_key()
    for key in (idle, awake, busy):
        visitors.of(key).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    (number,) = visitors.of(busy).ingestion.add(upload(tmp_path, "ropes.txt", ROPES))
    wait_until_held(visitors.of(busy).ingestion, number)
    gone, still = visitors.of(idle), visitors.of(busy)
    clock.ahead = HOUR - 60
    visitors.sweep()
    assert len(visitors) == 3
    visitors.touch(awake)
    clock.ahead = HOUR + 60
    visitors.sweep()
    assert len(visitors) == len(list(root.iterdir())) == 2
    assert gone.library.documents == []
    assert names(visitors, idle) == []
    assert names(visitors, awake) == ["note.txt"]
    held.go.set()
    wait_until_done(still.ingestion)
    assert names(visitors, busy) == ["note.txt", "ropes.txt"]


def test_the_sweep_at_the_start_deletes_the_old_and_the_half_written(
    start: Callable[..., Visitors], root: Path, tmp_path: Path, clock: Clock
) -> None:
    visitors, old, young = start(), new_key(), new_key()
    visitors.of(old).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    clock.ahead = HOUR - 60
    visitors.of(young).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitors.of(young)
    visitors.close()
    folder = root / hashlib.sha256(young.encode()).hexdigest()
    upload(folder / "documents" / ".unfinished-0123", "original", "half of a document")
    upload(folder, ".unfinished-4567", "half of a conversation")
    upload(root / ".unfinished-89ab" / "documents", "original", "half deleted")
    operators = upload(root, "README", "This is not a visitor's.")
    os.utime(folder, (clock(), clock()))
    clock.ahead = HOUR + 60
    again = start()
    assert sorted(root.iterdir()) == sorted([folder, operators])
    assert b"half" not in everything(root)
    assert names(again, young) == ["note.txt"]
    assert names(again, old) == []


def test_a_page_that_is_still_open_after_a_restart_keeps_its_documents(
    start: Callable[..., Visitors], tmp_path: Path, clock: Clock
) -> None:
    visitors, key = start(), new_key()
    visitors.of(key).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitors.close()
    clock.ahead = HOUR - 60
    again = start()
    again.touch(key)
    clock.ahead = 2 * HOUR - 120
    again.sweep()
    assert names(again, key) == ["note.txt"]


def test_fifty_visitors_at_once(start: Callable[..., Visitors], root: Path, tmp_path: Path, embedder: Embedder) -> None:
    visitors, keys, wrong = start(), [new_key() for _ in range(50)], list[str]()

    def visit(number: int, key: str) -> None:
        visitors.of(key).ingestion.add(
            upload(tmp_path / key, "note.txt", f"The code of room {number} is {number * 7}.")
        )
        wait_until_done(visitors.of(key).ingestion)
        visitor = visitors.of(key)
        texts = [passage.text for passage in retrieve([visitor.library], "What is the code?", embedder, limit=9)]
        visitor.keep_conversation([key])
        if texts != [f"The code of room {number} is {number * 7}."] or visitor.conversation != [key]:
            wrong.append(f"{number}: {texts}")
        if number % 2:
            visitors.forget(key)

    threads = [threading.Thread(target=visit, args=pair) for pair in enumerate(keys)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(visitors) == len(list(root.iterdir())) == 25


def test_many_threads_open_one_visitor_once(start: Callable[..., Visitors], tmp_path: Path) -> None:
    visitors, key = start(), new_key()
    visitors.of(key).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitors.close()
    again, found = start(), list[object]()
    threads = [threading.Thread(target=lambda: found.append(again.of(key))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    assert names(again, key) == ["note.txt"]


def test_questions_are_limited_for_each_visitor(root: Path, embedder: Embedder) -> None:
    visitors = Visitors(root, lambda store: Library(embedder, store=store), questions_per_minute=1)
    mine, yours = visitors.of(new_key()), visitors.of(new_key())
    mine.questions.take()
    with pytest.raises(TooManyQuestions):
        mine.questions.take()
    yours.questions.take()
    visitors.close()


def test_without_a_folder_everything_is_in_memory_and_that_is_said_once(
    start: Callable[..., Visitors], tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    file = upload(tmp_path, "file", "not a folder")
    visitors, key, other = start(file / "visitors"), new_key(), new_key()
    for known in (key, other):
        visitors.of(known).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitor = visitors.of(key)
    assert isinstance(visitor.store, MemoryStore)
    assert visitors.root is None
    assert visitor.library.original(visitor.library.documents[0].id) == b"The spare key hangs behind the blue door."
    (told,) = [record.getMessage() for record in caplog.records if "kept in memory" in record.getMessage()]
    assert told == f"{file}/visitors cannot be written (File exists): documents are kept in memory."
    visitors.forget(other)
    clock.ahead = HOUR + 60
    visitors.sweep()
    assert len(visitors) == 0
    assert visitor.library.documents == []


def test_what_belongs_to_nobody_is_never_in_a_folder_that_may_be_served(tmp_path: Path) -> None:
    assert disk.data_folder({"SPACEPORT_DATA": "/srv/chat"}) == Path("/srv/chat/visitors")
    assert disk.data_folder({"XDG_DATA_HOME": "/home/a/data"}) == Path("/home/a/data/spaceport/visitors")
    assert disk.data_folder({"HOME": "/home/a"}) == Path("/home/a/.local/share/spaceport/visitors")
    assert disk.data_folder({"HOME": tempfile.gettempdir()}) is None
    assert disk.data_folder({"HOME": str(Path.cwd())}) is None


def test_the_environment_says_where_and_how_long(root: Path, tmp_path: Path) -> None:
    key, program = new_key(), "from chat_page.visitors import Visitors; print(len(Visitors.from_environment(print)))"
    folder = root / hashlib.sha256(key.encode()).hexdigest()
    environment = {**os.environ, "SPACEPORT_DATA": str(root.parent), "SPACEPORT_SESSION_MINUTES": "5"}
    for age, stays in ((240, True), (360, False)):
        upload(folder, "conversation.json", "[]")
        os.utime(folder, (time.time() - age, time.time() - age))
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("0\n", "")
        assert folder.exists() == stays


@pytest.mark.parametrize("minutes", ["0", "soon", "-5"])
def test_a_wrong_time_out_is_told_with_its_name(minutes: str) -> None:
    program = "from chat_page.visitors import Visitors; Visitors.from_environment(lambda store: None)"
    environment = {**os.environ, "SPACEPORT_SESSION_MINUTES": minutes}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert f"{NotConfigured.__name__}: SPACEPORT_SESSION_MINUTES is '{minutes}'" in done.stderr


def test_a_visitor_whose_documents_cannot_be_deleted_is_gone_all_the_same(
    start: Callable[..., Visitors], root: Path, tmp_path: Path
) -> None:
    visitors, key = start(), new_key()
    visitor = visitors.of(key)
    visitor.library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    away = root.rename(tmp_path / "away")
    root.write_text("A file where the folder was.")
    with pytest.raises(DocumentError, match="could not be deleted"):
        visitors.forget(key)
    root.unlink()
    away.rename(root)
    assert len(visitors) == 0
    assert visitor.library.documents == []
    visitors.forget(key)
    assert list(root.iterdir()) == []
