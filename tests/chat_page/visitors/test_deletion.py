"""Visitors are deleted when they ask for it, after they leave, and when there is no room for all."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chat_page.conversations.conversation import Conversation
from chat_page.visitors.visitors import Visitors
from rag.errors import DocumentError
from tests.chat_page.visitors.conftest import HOUR, Clock
from tests.chat_page.visitors.test_visitors import add_conversation, all_bytes, names, upload
from tests.helpers.servers import wait_until
from tests.rag.library.test_ingest import ROPES, PausedEmbedder, wait_until_done, wait_until_paused
from ui.access.tickets import new_key


def test_a_visitor_can_delete_everything(start: Callable[..., Visitors], root: Path, tmp_path: Path) -> None:
    visitors, key, other = start(), new_key(), new_key()
    for each in (key, other):
        visitors.get(each).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitor = visitors.get(key)
    conversation = add_conversation(visitor)
    visitors.forget(key)
    visitors.forget(key)
    assert [folder.name for folder in root.iterdir()] == [hashlib.sha256(other.encode()).hexdigest()]
    assert visitor.library.documents == []
    assert not visitor.conversations.loaded
    visitor.conversations.save(conversation)  # an answer that was still streaming
    assert (names(visitors, key), visitors.get(key).conversation("page")) == ([], Conversation())
    assert names(visitors, other) == ["note.txt"]


def test_a_visitor_of_the_last_process_can_be_deleted_without_loading(
    start: Callable[..., Visitors], root: Path, tmp_path: Path
) -> None:
    visitors, key = start(), new_key()
    visitors.get(key).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitors.close()
    start().forget(key)
    assert list(root.iterdir()) == []


def test_deletion_while_a_file_is_being_embedded(
    start: Callable[..., Visitors], root: Path, tmp_path: Path, paused_embedder: PausedEmbedder
) -> None:
    visitors, key = start(), new_key()
    visitor = visitors.get(key)
    visitor.library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    files = [upload(tmp_path, "ropes.txt", ROPES), upload(tmp_path, "b.txt", "B."), upload(tmp_path, "c.txt", "C.")]
    (number, *_) = visitor.ingestion.add(*files)
    wait_until_paused(visitor.ingestion, number)
    visitors.forget(key)
    assert list(root.iterdir()) == []
    assert visitor.library.documents == []
    assert not any(file.exists() for file in files)
    paused_embedder.go.set()
    wait_until(lambda: not visitor.ingestion._threads, 60)
    assert list(root.iterdir()) == []
    assert names(visitors, key) == []


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_deletion_at_any_moment_of_an_ingestion(
    start: Callable[..., Visitors], root: Path, tmp_path: Path, delay: float
) -> None:
    visitors, key = start(), new_key()
    visitor = visitors.get(key)
    visitor.ingestion.add(*(upload(tmp_path / key, f"{n}.txt", f"Note {n}.\n" * 200) for n in range(30)))
    time.sleep(delay)
    visitors.forget(key)
    assert list(root.iterdir()) == []
    wait_until(lambda: not visitor.ingestion._threads, 60)
    assert list(root.iterdir()) == []
    assert visitor.library.documents == []
    assert list((tmp_path / key).iterdir()) == []


def test_the_sweep_deletes_idle_visitors_and_keeps_busy_ones(
    start: Callable[..., Visitors], root: Path, tmp_path: Path, clock: Clock, paused_embedder: PausedEmbedder
) -> None:
    visitors, idle, active, busy = start(), new_key(), new_key(), new_key()
    for key in (idle, active, busy):
        visitors.get(key).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    (number,) = visitors.get(busy).ingestion.add(upload(tmp_path, "ropes.txt", ROPES))
    wait_until_paused(visitors.get(busy).ingestion, number)
    idle_visitor, busy_visitor = visitors.get(idle), visitors.get(busy)
    clock.ahead = HOUR - 60
    visitors.sweep()
    assert len(visitors) == 3
    visitors.touch(active)
    clock.ahead = HOUR + 60
    visitors.sweep()
    assert len(visitors) == len(list(root.iterdir())) == 2
    assert idle_visitor.library.documents == []
    assert names(visitors, idle) == []
    assert names(visitors, active) == ["note.txt"]
    paused_embedder.go.set()
    wait_until_done(busy_visitor.ingestion)
    assert names(visitors, busy) == ["note.txt", "ropes.txt"]


def test_the_start_deletes_idle_visitors_and_unfinished_files(
    start: Callable[..., Visitors], root: Path, tmp_path: Path, clock: Clock
) -> None:
    visitors, old, young = start(), new_key(), new_key()
    visitors.get(old).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    clock.ahead = HOUR - 60
    visitors.get(young).library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    visitors.get(young)
    visitors.close()
    folder = root / hashlib.sha256(young.encode()).hexdigest()
    upload(folder / "documents" / ".unfinished-0123", "original", "half of a document")
    upload(folder, ".unfinished-4567", "half of a conversation")
    upload(root / ".unfinished-89ab" / "documents", "original", "half deleted")
    unrelated = upload(root, "README", "This is not a visitor's.")
    os.utime(folder, (clock(), clock()))
    clock.ahead = HOUR + 60
    restarted = start()
    assert sorted(root.iterdir()) == sorted([folder, unrelated])
    assert b"half" not in all_bytes(root)
    assert names(restarted, young) == ["note.txt"]
    assert names(restarted, old) == []


def test_a_visitor_whose_documents_cannot_be_deleted_is_still_forgotten(
    start: Callable[..., Visitors], root: Path, tmp_path: Path
) -> None:
    visitors, key = start(), new_key()
    visitor = visitors.get(key)
    visitor.library.add(upload(tmp_path, "note.txt", "The spare key hangs behind the blue door."))
    away = root.rename(tmp_path / "away")
    root.write_text("A file where the folder was.")
    with pytest.raises(DocumentError, match="Can't delete the documents"):
        visitors.forget(key)
    root.unlink()
    away.rename(root)
    assert len(visitors) == 0
    assert visitor.library.documents == []
    visitors.forget(key)
    assert list(root.iterdir()) == []


@pytest.fixture
def three_visitors(tmp_path: Path, clock: Clock) -> Callable[[Visitors], list[str]]:
    """Add a document for each of three visitors, of whom the first comes back later."""

    def add(visitors: Visitors) -> list[str]:
        keys = [new_key() for _ in range(3)]
        for key in keys:
            visitors.get(key).ingestion.add(upload(tmp_path / key, "note.txt", "The kettle is red. " * 100))
            wait_until_done(visitors.get(key).ingestion)
            clock.ahead += 10
        visitors.touch(keys[0])
        return keys

    return add


def test_when_the_disk_has_no_room_the_visitor_who_was_here_longest_ago_goes(
    start: Callable[..., Visitors], three_visitors: Callable[[Visitors], list[str]]
) -> None:
    earlier = start()
    keys = three_visitors(earlier)
    total = sum(earlier.get(key).store.total_bytes() for key in keys)
    earlier.touch(keys[2])
    earlier.touch(keys[0])
    earlier.close()
    visitors = start(max_bytes=total - 1)
    assert [names(visitors, key) for key in keys] == [["note.txt"], [], ["note.txt"]]


def test_when_the_memory_has_no_room_the_visitor_who_was_here_longest_ago_goes(
    start: Callable[..., Visitors], three_visitors: Callable[[Visitors], list[str]]
) -> None:
    visitors = start(None, max_bytes=5_000)
    keys = three_visitors(visitors)
    visitors.sweep()
    assert [names(visitors, key) for key in keys] == [["note.txt"], [], ["note.txt"]]
    visitors.sweep()
    assert len(names(visitors, keys[0])) == 1


def test_a_visitor_whose_files_are_read_stays_when_there_is_no_room(
    start: Callable[..., Visitors], tmp_path: Path, paused_embedder: PausedEmbedder
) -> None:
    visitors, key = start(max_bytes=1), new_key()
    ingestion = visitors.get(key).ingestion
    (number,) = ingestion.add(upload(tmp_path, "ropes.txt", ROPES))
    wait_until_paused(ingestion, number)
    visitors.sweep()
    paused_embedder.go.set()
    wait_until_done(ingestion)
    assert names(visitors, key) == ["ropes.txt"]
    visitors.sweep()
    assert names(visitors, key) == []
