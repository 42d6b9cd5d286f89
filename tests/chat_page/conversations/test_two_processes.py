"""Two processes with one visitor's folder, such as two replicas of the page: no update is lost, in either of them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from backends.streams import closing as closing_stream
from chat_page.conversations.conversations import Conversations
from chat_page.conversations.merging import merge_turns
from chat_page.conversations.remote_answer import Absence, Followers, RemoteAnswer
from chat_page.visitors.visitors import Visitors
from rag.answering.turn import Turn
from rag.errors import DocumentError
from rag.library.library import Library
from rag.library.storage import file_locks
from rag.library.storage.file_locks import ProcessMark, lock_folder, locked
from rag.library.storage.store import Store
from rag.search.embedding.embedders import Embedder
from tests.conftest import ROOT
from tests.helpers.open_files import no_more_files
from tests.helpers.servers import wait_until
from ui.access.tickets import new_key

FERRY, TERN, GULL = (Turn(f"{name}?", "Yes.", finish_reason="stop", target="t", id=name) for name in ("f", "t", "g"))
OPEN = Turn("Why?", "Because", target="t", id="o", written_by="0123456789abcdef")


@pytest.fixture
def marks(tmp_path: Path) -> Iterator[list[ProcessMark]]:
    with ExitStack() as stack:
        yield [stack.enter_context(closing(ProcessMark(tmp_path / "visitors"))) for _ in range(2)]


@pytest.fixture
def two(marks: list[ProcessMark], tmp_path: Path) -> list[Conversations]:
    """The conversations of one visitor in two processes."""
    return [Conversations(Store(tmp_path / "visitors" / "ada"), lambda: None, mark=mark) for mark in marks]


def questions(conversations: Conversations, conversation_id: str) -> list[str]:
    return [turn.question for turn in conversations.open(conversation_id).turns]


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        ([FERRY, TERN], [FERRY, GULL], [FERRY, GULL, TERN]),
        ([], [FERRY, GULL], [GULL]),
        ([FERRY, TERN], [], [TERN]),
        ([replace(FERRY, answer="No.")], [FERRY, GULL], [replace(FERRY, answer="No."), GULL]),
        ([FERRY], [replace(FERRY, answer="No.")], [replace(FERRY, answer="No.")]),
    ],
)
def test_the_changes_of_both_stay(ours: list[Turn], theirs: list[Turn], merged: list[Turn]) -> None:
    assert merge_turns([FERRY], ours, theirs) == tuple(merged)


def test_an_answer_that_is_stopped_elsewhere_is_stopped() -> None:
    ours, theirs = replace(OPEN, answer="Because of"), replace(OPEN, finish_reason="stopped", written_by="")
    (turn,) = merge_turns([OPEN], [ours], [theirs])
    assert (turn.answer, turn.finish_reason) == ("Because of", "stopped")


def test_two_processes_add_to_one_conversation_and_rename_and_delete_it(two: list[Conversations]) -> None:
    one, other = two
    first = one.new()
    empty = other.open(first.id)  # its tab moved there before anything was stored
    first.append(Turn("When does the ferry leave?"))
    one.save(first)
    assert questions(other, first.id) == ["When does the ferry leave?"]
    assert other.open(first.id) is empty
    second = other.open(first.id)
    second.append(Turn("And back?"))
    first.append(Turn("Where do terns nest?"))
    other.save(second)
    one.save(first)
    assert questions(other, first.id) == ["When does the ferry leave?", "And back?", "Where do terns nest?"]
    one.rename(first.id, "Ferries")
    assert [line.title for line in other.listed()] == ["Ferries"]
    other.delete(first.id)
    first.append(Turn("An answer that was being written"))
    one.save(first)
    assert one.listed() == other.listed() == []
    assert questions(one, first.id) == []


def test_each_of_many_questions_from_two_processes_is_stored(two: list[Conversations], tmp_path: Path) -> None:
    conversation = two[0].new()
    conversation.append(Turn("First?"))
    two[0].save(conversation)
    code = """
import sys
from pathlib import Path
from chat_page.conversations.conversations import Conversations
from rag.answering.turn import Turn
from rag.library.storage.store import Store
conversations = Conversations(Store(Path(sys.argv[1])), lambda: None)
for number in range(20):
    conversation = conversations.open(sys.argv[2])
    conversation.append(Turn(f"{sys.argv[3]} {number}"))
    conversations.save(conversation)
"""
    folder = str(tmp_path / "visitors" / "ada")
    names = ("a", "b", "c")
    processes = [subprocess.Popen([sys.executable, "-c", code, folder, conversation.id, name]) for name in names]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    stored = questions(two[1], conversation.id)
    assert set(stored) == {"First?", *(f"{name} {number}" for name in names for number in range(20))}
    assert [each for each in stored if each.startswith("a")] == [f"a {number}" for number in range(20)]


async def test_a_page_that_leaves_a_remote_answer_leaves_nothing_behind(two: list[Conversations]) -> None:
    one, other = two
    conversation = one.new()
    turn = conversation.append(Turn("Why?", target="t", written_by=one.process))
    one.save(conversation)
    followers: Followers = {}
    answer = RemoteAnswer(other, conversation.id, turn.id, followers)
    lost, again, closed = (answer.follow("page"), answer.follow("page"), answer.follow("other page"))
    for updates in (lost, again, closed):
        await anext(updates)
    assert [update async for update in lost] == []  # the page follows the answer once more
    assert answer.is_followed_by("page") and answer.is_followed_by("other page")
    del followers[turn.id, "page"]
    assert [update async for update in again] == []
    async with closing_stream(closed):
        pass
    assert not followers


async def test_an_answer_goes_on_while_a_page_at_another_process_follows_it(two: list[Conversations]) -> None:
    one, other = two
    conversation = one.new()
    turn = conversation.append(Turn("Why?", target="t", written_by=one.process))
    one.save(conversation)
    here = [True]
    absence = Absence(one._store, lambda: here[0])
    assert not absence.has_left()
    here[0] = False
    assert absence.has_left()
    for _ in range(2):  # from then on, a page at the other process
        await asyncio.sleep(0.02)  # the file system's clock is coarse
        updates = RemoteAnswer(other, conversation.id, turn.id, {}).follow("page")
        async with closing_stream(updates):
            await anext(updates)
        assert not absence.has_left()
    assert absence.has_left()


async def test_an_answer_of_another_process_is_followed_and_cut_when_that_ends(
    two: list[Conversations], marks: list[ProcessMark], tmp_path: Path
) -> None:
    one, other = two
    conversation = one.new()
    turn = conversation.append(Turn("Why?", target="t", written_by=one.process))
    one.save(conversation)
    there = other.open(conversation.id)
    assert other.is_written_elsewhere(there.turns[0])
    followers: Followers = {}
    answer = RemoteAnswer(other, there.id, turn.id, followers)
    updates = answer.follow("page")
    assert "title" in str((await anext(updates)).reply)
    assert answer.is_followed_by("page")
    other._loaded.clear()  # there were too many: the next look reads it again
    conversation.update(replace(turn, answer="Because"))
    one.save(conversation)
    assert (await anext(updates)).reply[0]["content"] == "Because"
    marks[0].close()  # as the end of its process does
    last = (await anext(updates)).reply
    assert [message["content"] for message in last][:1] == ["Because"]
    assert "server that wrote this answer stopped" in str(last)
    assert [update async for update in updates] == []
    assert not followers
    there = other.open(there.id)
    assert there.turns[0].finish_reason == "cut"
    other.save(there)
    assert Conversations(Store(tmp_path / "visitors" / "ada"), lambda: None).open(there.id).turns[0].answer == "Because"


def test_a_killed_process_loses_its_locks_and_a_stopped_one_keeps_them(tmp_path: Path) -> None:
    root = tmp_path / "visitors"
    code = f"""
import sys, time
from pathlib import Path
from rag.errors import DocumentError
from rag.library.storage import file_locks
from rag.library.storage.file_locks import ProcessMark
mark = ProcessMark(Path({str(root)!r}))
print(mark.name, flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    with closing(ProcessMark(root)) as mark:
        assert process.stdout
        name = process.stdout.readline().strip()
        mark.delete_old()
        assert mark.lives(name)
        process.kill()
        process.wait()
        process.stdout.close()
        assert not mark.lives(name)
        mark.delete_old()
        assert [path.name for path in lock_folder(root).iterdir()] == [f"process-{mark.name}"]
        assert not mark.lives(mark.name) and not mark.lives("../../etc/passwd")


def test_a_mark_is_deleted_while_its_lock_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that begins at the same time then sees that its mark is gone, and makes another one."""
    root, unlink, locked_then = tmp_path / "visitors", Path.unlink, []

    def spy(path: Path, missing_ok: bool = False) -> None:
        locked_then.append(not file_locks._is_unlocked(path))
        unlink(path, missing_ok)

    with closing(ProcessMark(root)) as mark:
        (lock_folder(root) / "process-0123456789abcdef").touch()
        monkeypatch.setattr(Path, "unlink", spy)
        mark.delete_old()
        monkeypatch.undo()
    assert locked_then == [True]


def test_with_too_many_open_files_nothing_counts_as_gone(two: list[Conversations], tmp_path: Path) -> None:
    one, other = two
    conversation = one.new()
    conversation.append(Turn("When does the ferry leave?"))
    turn = conversation.append(Turn("Why?", target="t", written_by=one.process))
    one.save(conversation)
    there = other.open(conversation.id)
    conversation.append(Turn("And back?"))
    one.save(conversation)
    fresh = Conversations(Store(tmp_path / "visitors" / "ada"), lambda: None)
    with no_more_files():
        assert other.open(conversation.id) is there
        assert [each.question for each in there.turns] == ["When does the ferry leave?", "Why?"]
        assert other.is_written_elsewhere(turn)
        for read in (lambda: fresh.open(conversation.id), fresh.listed):
            with pytest.raises(DocumentError, match=r"Can't read the conversations? \(OSError\)\. Try again"):
                read()
        there.append(Turn("Where do terns nest?"))
        with pytest.raises(DocumentError, match="Can't lock the folder"):
            other.save(there)
    other.save(there)
    stored = ["When does the ferry leave?", "Why?", "And back?", "Where do terns nest?"]
    assert questions(one, conversation.id) == questions(fresh, conversation.id) == stored


def test_a_conversation_that_cannot_be_read_is_not_overwritten(two: list[Conversations], tmp_path: Path) -> None:
    one, other = two
    conversation = one.new()
    conversation.append(Turn("When?"))
    one.save(conversation)
    file = tmp_path / "visitors" / "ada" / "conversations" / f"{conversation.id}.json"
    moved = file.rename(file.with_suffix(".kept"))
    file.symlink_to(file)  # reading it is an error, as of a disk that fails
    with pytest.raises(DocumentError, match="Can't read the conversation"):
        other.open(conversation.id)
    conversation.append(Turn("And back?"))
    with pytest.raises(DocumentError, match="Can't read the conversation"):
        one.save(conversation)
    file.unlink()
    moved.rename(file)
    one.save(conversation)
    assert questions(other, conversation.id) == ["When?", "And back?"]


def test_a_process_that_hangs_with_the_lock_stops_no_other_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_locks, "LOCK_SECONDS", 0.1)
    conversations = Conversations(Store(tmp_path / "visitors" / "ada"), lambda: None)
    conversation = conversations.new()
    conversation.append(Turn("Why?"))
    with locked(lock_folder(tmp_path / "visitors") / "ad"), pytest.raises(DocumentError, match="Can't lock the folder"):
        conversations.save(conversation)
    conversations.save(conversation)
    assert [line.title for line in conversations.listed()] == ["Why?"]


def test_a_start_leaves_what_another_process_is_writing(tmp_path: Path, embedder: Embedder) -> None:
    root, folder = tmp_path / "visitors", tmp_path / "visitors" / ("a" * 64)
    (folder / "conversations").mkdir(parents=True)
    (folder / "conversations" / ".unfinished-0123456789abcdef").write_bytes(b"half")
    with locked(lock_folder(root) / "aa"):
        started = subprocess.Popen([sys.executable, "-c", START, str(root)], cwd=ROOT)
        wait_until(lambda: len(list(lock_folder(root).glob("process-*"))) == 1)
        assert list(folder.rglob(".unfinished-*"))
    assert started.wait(60) == 0
    assert not list(folder.rglob(".unfinished-*"))


START = """
import sys
from pathlib import Path
from chat_page.visitors.visitors import Visitors
Visitors(Path(sys.argv[1]), lambda store: None).close()
"""


def test_documents_of_one_process_are_found_in_the_other_and_deletion_is_for_both(
    tmp_path: Path, embedder: Embedder
) -> None:
    root, key, note = tmp_path / "visitors", new_key(), tmp_path / "note.txt"
    note.write_text("The spare key hangs behind the blue door.")
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(closing(Visitors(root, lambda store: Library(embedder, store=store)))) for _ in range(2)
        )
        here, there = one.get(key), other.get(key)
        added = here.library.add(note).document
        assert [document.id for document in other.get(key).library.documents] == [added.id]
        assert there.library.add(note).duplicate
        assert there.library.search("Where does the key hang?", embedder.encode(["Where does the key hang?"])[0])
        with no_more_files():
            assert other.get(key) is there
            assert [document.id for document in there.library.documents] == [added.id]
        there.library.remove(added.id)
        assert one.get(key).library.documents == []
        here.library.add(note)
        with no_more_files():
            there.library._take_over_document(there.store, added.id)
        assert [document.id for document in other.get(key).library.documents] == [added.id]
        conversation = there.conversations.new()
        conversation.append(Turn("Where?"))
        there.save(conversation)
        one.forget(key)
        conversation.append(Turn("An answer that was being written"))
        there.save(conversation)
        again = other.get(key)
        assert again is not there
        assert again.library.documents == [] and again.conversations.listed() == []
        assert list(root.iterdir()) == []
