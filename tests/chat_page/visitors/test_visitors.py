"""Visitors: separate from each other, identified by their key alone, and there after a restart."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from backends import NotConfigured
from chat_page.conversations.conversation import Conversation
from chat_page.visitors.visitor import Visitor
from chat_page.visitors.visitors import Visitors
from rag.answering.retrieve import retrieve_passages
from rag.answering.turn import Turn
from rag.library.library import Library
from rag.library.storage import disk
from rag.library.storage.memory_store import MemoryStore
from rag.search.embedding.embedders import Embedder
from tests.chat_page.visitors.conftest import HOUR, Clock
from tests.rag.library.test_ingest import wait_until_done
from ui.access.tickets import new_key

CONVERSATION = Conversation((Turn("Where?", "Behind the door.", finish_reason="stop", target="laptop"),))


def upload(folder: Path, name: str, text: str) -> Path:
    """Write a file to where Gradio puts an upload."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def add_conversation(visitor: Visitor, *turns: Turn) -> Conversation:
    conversation = visitor.conversation("page")
    conversation.replace_turns(turns or CONVERSATION.turns)
    visitor.conversations.save(conversation)
    return conversation


def names(visitors: Visitors, key: str) -> list[str]:
    return [document.name for document in visitors.get(key).library.documents]


def all_bytes(root: Path) -> bytes:
    """Return every name and every byte under a folder."""
    return b"".join(
        str(path).encode() + (path.read_bytes() if path.is_file() else b"") for path in sorted(root.rglob("*"))
    )


def test_two_visitors_with_a_file_of_the_same_name_see_only_their_own(
    start: Callable[..., Visitors], tmp_path: Path, embedder: Embedder
) -> None:
    visitors, mine, yours = start(), new_key(), new_key()
    for key, text in ((mine, "The code is 1234."), (yours, "The code is 9876.")):
        visitors.get(key).ingestion.add(upload(tmp_path / key, "code.txt", text))
    for key, code in ((mine, "1234"), (yours, "9876")):
        visitor = visitors.get(key)
        wait_until_done(visitor.ingestion)
        (passage,) = retrieve_passages([visitor.library], "What is the code?", embedder, limit=9)
        assert code in passage.text
        assert code.encode() in (visitor.library.original(passage.document_id) or b"")
        other = visitors.get(mine if key == yours else yours)
        assert other.library.original(passage.document_id) is None


def test_a_key_identifies_one_visitor(start: Callable[..., Visitors]) -> None:
    visitors, key = start(), new_key()
    assert visitors.get(key) is visitors.get(key)
    assert visitors.get(key) is not visitors.get(new_key())
    assert len(visitors) == 2


MALFORMED_KEYS = [None, "", "short", "../" * 14 + "x", "a" * 42, "a" * 44, "a" * 42 + "/", "a" * 42 + "\n", "ä" * 43, 7]


@pytest.mark.parametrize("malformed", MALFORMED_KEYS, ids=repr)
def test_a_malformed_key_gets_a_new_visitor_with_a_new_key(
    start: Callable[..., Visitors], root: Path, malformed: str
) -> None:
    visitors = start()
    visitor = visitors.get(malformed)
    assert visitor is not visitors.get(malformed)
    assert visitors.get(visitor.key) is visitor
    assert visitor.key != malformed
    visitors.touch(malformed)
    visitors.forget(malformed)
    assert list(root.iterdir()) == []  # a visitor without data has no folder


def test_the_disk_has_no_key_and_only_its_owner_can_read(
    start: Callable[..., Visitors], root: Path, tmp_path: Path
) -> None:
    visitors, key = start(), new_key()
    visitor = visitors.get(key)
    visitor.library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    add_conversation(visitor)
    visitor.leave_out(visitor.library.documents[0].id, left_out=True)
    (folder,) = root.iterdir()
    assert folder.name == hashlib.sha256(key.encode()).hexdigest()
    assert key.encode() not in all_bytes(root)
    if os.name == "posix":
        for path in [root, *root.rglob("*")]:
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_restart_finds_documents_and_conversation(start: Callable[..., Visitors], tmp_path: Path) -> None:
    visitors, key = start(), new_key()
    visitors.get(key).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    add_conversation(visitors.get(key))
    (note,) = visitors.get(key).library.documents
    visitors.get(key).leave_out(note.id, left_out=True)
    replica = start()  # another process with the same folder
    assert replica.get(key).left_out == {note.id}
    visitors.get(key).leave_out(note.id, left_out=False)
    assert replica.get(key).left_out == set()
    visitors.get(key).leave_out(note.id, left_out=True)
    visitors.close()
    restarted = start()
    assert names(restarted, key) == ["note.txt"]
    assert restarted.get(key).left_out == {note.id}
    assert restarted.get(key).conversation("page") == CONVERSATION
    assert names(restarted, new_key()) == []


def test_a_page_that_is_open_during_a_restart_keeps_its_documents(
    start: Callable[..., Visitors], tmp_path: Path, clock: Clock
) -> None:
    visitors, key = start(), new_key()
    visitors.get(key).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitors.close()
    clock.ahead = HOUR - 60
    restarted = start()
    restarted.touch(key)
    clock.ahead = 2 * HOUR - 120
    restarted.sweep()
    assert names(restarted, key) == ["note.txt"]


def test_fifty_visitors_at_once(start: Callable[..., Visitors], root: Path, tmp_path: Path, embedder: Embedder) -> None:
    visitors, keys, failures = start(), [new_key() for _ in range(50)], list[str]()

    def visit(number: int, key: str) -> None:
        visitors.get(key).ingestion.add(
            upload(tmp_path / key, "note.txt", f"The code of room {number} is {number * 7}.")
        )
        wait_until_done(visitors.get(key).ingestion)
        visitor = visitors.get(key)
        passages = retrieve_passages([visitor.library], "What is the code?", embedder, limit=9)
        texts = [passage.text for passage in passages]
        add_conversation(visitor, Turn(key))
        if (
            texts != [f"The code of room {number} is {number * 7}."]
            or visitor.conversation("page").turns[0].question != key
        ):
            failures.append(f"{number}: {texts}")
        if number % 2:
            visitors.forget(key)

    threads = [threading.Thread(target=visit, args=pair) for pair in enumerate(keys)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(visitors) == len(list(root.iterdir())) == 25


def test_many_threads_open_one_visitor_once(start: Callable[..., Visitors], tmp_path: Path) -> None:
    visitors, key = start(), new_key()
    visitors.get(key).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitors.close()
    restarted, opened = start(), list[object]()
    threads = [threading.Thread(target=lambda: opened.append(restarted.get(key))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, opened))) == 1
    assert names(restarted, key) == ["note.txt"]


def test_invented_keys_take_bounded_memory_and_lose_nothing(root: Path, embedder: Embedder, tmp_path: Path) -> None:
    visitors = Visitors(root, lambda store: Library(embedder, store=store), capacity=20)
    asked, added = new_key(), new_key()
    visitors.get(asked).conversation("page").turns = CONVERSATION.turns
    visitors.get(added).library.add(upload(tmp_path, "note.txt", "The code is 1234."))
    for _ in range(500):
        visitors.get(new_key()).conversation("page")
    assert len(visitors) <= 22
    assert visitors.get(asked).conversation("page").turns == CONVERSATION.turns
    assert names(visitors, added) == ["note.txt"]
    visitors.close()


def test_invented_pages_of_one_visitor_take_bounded_memory(start: Callable[..., Visitors]) -> None:
    visitor = start().get(new_key())
    for number in range(500):
        visitor.conversation(f"page {number}")
    assert len(visitor.conversations.loaded) <= 50


def test_without_a_folder_everything_is_in_memory_and_the_log_says_so_once(
    start: Callable[..., Visitors], tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    file = upload(tmp_path, "file", "not a folder")
    visitors, key, other = start(file / "visitors"), new_key(), new_key()
    for each in (key, other):
        visitors.get(each).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitor = visitors.get(key)
    assert isinstance(visitor.store, MemoryStore)
    assert visitors.root is None
    assert visitor.library.original(visitor.library.documents[0].id) == b"The spare key hangs behind the blue door."
    (message,) = [record.getMessage() for record in caplog.records if "stored in memory" in record.getMessage()]
    assert message == f"Can't write to {file}/visitors (File exists): documents are stored in memory."
    visitors.forget(other)
    clock.ahead = HOUR + 60
    visitors.sweep()
    assert len(visitors) == 0
    assert visitor.library.documents == []


def test_the_data_folder_is_never_one_that_gradio_serves(tmp_path: Path) -> None:
    assert disk.data_folder({"SPACEPORT_DATA": "/srv/chat"}) == Path("/srv/chat/visitors")
    assert disk.data_folder({"XDG_DATA_HOME": "/home/a/data"}) == Path("/home/a/data/spaceport/visitors")
    assert disk.data_folder({"HOME": "/home/a"}) == Path("/home/a/.local/share/spaceport/visitors")
    assert disk.data_folder({"HOME": tempfile.gettempdir()}) is None
    assert disk.data_folder({"HOME": str(Path.cwd())}) is None


def test_the_environment_sets_folder_and_idle_time(root: Path, tmp_path: Path) -> None:
    key, program = (
        new_key(),
        "from chat_page.visitors.visitors import Visitors; print(len(Visitors.from_environment(print)))",
    )
    folder = root / hashlib.sha256(key.encode()).hexdigest()
    environment = {**os.environ, "SPACEPORT_DATA": str(root.parent), "SPACEPORT_SESSION_MINUTES": "5"}
    for age, stays in ((240, True), (360, False)):
        upload(folder, "conversation.json", "[]")
        os.utime(folder, (time.time() - age, time.time() - age))
        process = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert (process.stdout, process.stderr) == ("0\n", "")
        assert folder.exists() == stays


@pytest.mark.parametrize("minutes", ["0", "soon", "-5"])
def test_an_invalid_timeout_is_reported_with_its_name(minutes: str) -> None:
    program = "from chat_page.visitors.visitors import Visitors; Visitors.from_environment(lambda store: None)"
    environment = {**os.environ, "SPACEPORT_SESSION_MINUTES": minutes}
    process = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert f"{NotConfigured.__name__}: SPACEPORT_SESSION_MINUTES is '{minutes}'" in process.stderr
