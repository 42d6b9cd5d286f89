"""A visitor's conversations: each stored by itself, never overwritten by another page, and found again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest

from chat_page.conversations.chat_list import MAX_LISTED, chat_list_html
from chat_page.conversations.conversation import TITLE_CHARACTERS, Conversation, short_title, to_json
from chat_page.conversations.conversations import MAX_LOADED, Conversations
from chat_page.sharing.export import all_as_json
from chat_page.strings import ENGLISH
from rag.answering.turn import Turn
from rag.errors import DocumentError
from rag.library.quota import QuotaExceeded
from rag.library.storage.memory_store import MemoryStore
from rag.library.storage.store import Store
from tests.chat_page import earlier_version

Open = Callable[[], Conversations]


@pytest.fixture(params=["disk", "memory"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Open the conversations of one visitor, as another process does."""
    memory = MemoryStore()
    return lambda: Conversations(
        Store(tmp_path / "visitor") if request.param == "disk" else memory, lambda: None, time.monotonic
    )


def add(conversations: Conversations, question: str, answer: str = "Yes.") -> Conversation:
    conversation = conversations.new()
    conversation.append(Turn(question, answer, finish_reason="stop", target="t"))
    conversations.save(conversation)
    return conversation


def titles(conversations: Conversations, search: str = "") -> list[str]:
    return [each.title for each in conversations.listed(search)]


def test_conversations_return_with_the_one_changed_last_first(reopen: Open) -> None:
    first = reopen()
    ferry, tern = add(first, "When does the ferry leave?"), add(first, "Where do terns nest?")
    first.new()  # not in the list: nothing was asked
    assert titles(first) == titles(reopen()) == ["Where do terns nest?", "When does the ferry leave?"]
    second = reopen()
    opened = second.open(ferry.id)
    assert (opened, opened.turns[0].id) == (ferry, ferry.turns[0].id)
    opened.append(Turn("And back?"))
    second.save(opened)
    assert titles(reopen()) == ["When does the ferry leave?", "Where do terns nest?"]
    assert reopen().latest().id == ferry.id
    second.delete(ferry.id)
    second.save(opened)  # an answer that was still being written
    assert [each.id for each in reopen().listed()] == [tern.id]


def test_two_pages_add_to_one_conversation(reopen: Open) -> None:
    """Each replaced the other's exchange, silently."""
    conversations = reopen()
    ferry = add(conversations, "When does the ferry leave?")
    mine, yours = conversations.open(ferry.id), conversations.open(ferry.id)
    question = mine.append(Turn("Mine?"))
    yours.append(Turn("Yours?"))
    mine.update(Turn("Mine?", "Answer.", id=question.id), ended=True)
    conversations.save(mine)
    assert [turn.question for turn in reopen().open(ferry.id).turns] == [
        "When does the ferry leave?", "Mine?", "Yours?",
    ]  # fmt: skip
    yours.replace_turns(yours.turns[:1])
    mine.update(Turn("Mine?", "Late.", id=question.id))
    assert len(mine.turns) == 1


def test_a_rating_stays_while_its_answer_goes_on(reopen: Open) -> None:
    conversations = reopen()
    conversation = conversations.new()
    turn = conversation.append(Turn("When does the ferry leave?", "At"))
    conversation.change(turn.id, rating="like", reason="")
    conversation.update(replace(turn, answer="At nine.", finish_reason="stop"), ended=True)
    conversation.change(turn.id, follow_ups=("And back?",))
    conversations.save(conversation)
    [stored] = reopen().open(conversation.id).turns
    assert (stored.answer, stored.rating, stored.follow_ups) == ("At nine.", "like", ("And back?",))


def test_a_rating_of_another_process_is_taken_over(tmp_path: Path) -> None:
    here, there = (Conversations(Store(tmp_path / "visitor"), lambda: None) for _ in range(2))
    conversation = add(here, "When does the ferry leave?")
    other = there.open(conversation.id)
    other.change(other.turns[0].id, rating="dislike", reason="It's wrong")
    there.keep(other)
    assert here.open(conversation.id).turns[0].rating == "dislike"
    here.save(conversation)
    assert there.open(conversation.id).turns[0].rating == "dislike"


def test_the_conversation_of_the_version_before_is_the_first(tmp_path: Path) -> None:
    store = Store(tmp_path / "visitor")
    store.folder.mkdir()
    value = to_json(Conversation((Turn("When?", "At 9.", finish_reason="stop"),))) | {"version": 2}
    del value["turns"][0]["id"]
    (store.folder / "conversation.json").write_text(json.dumps(value))
    for _ in range(2):
        conversations = Conversations(store, lambda: None)
        assert titles(conversations) == ["When?"]
        assert conversations.latest().turns[0].answer == "At 9."
        assert conversations.latest().turns[0].id
    assert not (store.folder / "conversation.json").exists()


def test_an_older_conversation_is_said_to_be_unreadable(tmp_path: Path) -> None:
    store = Store(tmp_path / "visitor")
    store.folder.mkdir()
    (store.folder / "conversation.json").write_text(json.dumps(earlier_version.CONVERSATION))
    conversations = Conversations(store, lambda: None)
    assert conversations.latest() == Conversation(unreadable=True)
    assert conversations.listed() == []


@pytest.mark.parametrize("name", ["A name", "<img src=x onerror=alert(1)>", "${alert(1)}", "x" * 500])
def test_a_name_is_text(reopen: Open, name: str) -> None:
    conversations = reopen()
    ferry, tern = add(conversations, "When does the ferry leave?"), add(conversations, "Where do terns nest?")
    conversations.rename(ferry.id, name)
    assert titles(reopen()) == ["Where do terns nest?", name]
    html = chat_list_html(conversations.listed(), tern.id)
    assert "<img" not in html
    assert html.count("aria-current") == 1
    conversations.rename(ferry.id, "")
    assert titles(reopen()) == ["Where do terns nest?", "When does the ferry leave?"]
    conversations.rename("f" * 16, "Nothing")
    assert len(reopen().listed()) == 2


def test_a_search_finds_titles_questions_and_answers(reopen: Open) -> None:
    conversations = reopen()
    add(conversations, "When does the ferry leave?", "At 07:10 from Oxmouth QUAY.")
    conversations.rename(add(conversations, "Where do terns nest?", "In the dunes.").id, "Birds of Straße 1")
    for each in (conversations, reopen()):
        assert titles(each, "oxmouth quay") == ["When does the ferry leave?"]
        assert titles(each, "TERNS") == titles(each, "strasse") == ["Birds of Straße 1"]
        assert titles(each, "nothing like it") == []
        assert len(titles(each, "  ")) == 2
    assert ENGLISH.no_chats_match in chat_list_html([], "", search="x")


def test_the_download_has_all_conversations(reopen: Open) -> None:
    conversations = reopen()
    ferry = add(conversations, "When does the ferry leave?", "At 07:10.")
    add(conversations, "Where do terns nest?", "In the dunes.")
    conversations.rename(ferry.id, "Ferry")
    again = reopen()
    value = json.loads(all_as_json(again.all()))
    assert [(each["title"], each["exchanges"][0]["answer"]) for each in value["conversations"]] == [
        ("Where do terns nest?", "In the dunes."),
        ("Ferry", "At 07:10."),
    ]
    assert not again.loaded
    assert again.size > 0


def test_a_title_is_a_short_line() -> None:
    assert short_title("When\n does it leave?") == "When does it leave?"
    assert short_title("word " * 50) == "word " * (TITLE_CHARACTERS // 5 - 1) + "word …"
    assert short_title("東" * 500) == "東" * TITLE_CHARACTERS + " …"


@pytest.mark.parametrize("conversation_id", [None, "", "../visitor", 7, "C" * 16, ["c" * 16]])
def test_what_is_no_id_opens_a_new_conversation(reopen: Open, conversation_id: object) -> None:
    conversations = reopen()
    add(conversations, "When?")
    assert conversations.open(conversation_id).turns == ()
    conversations.delete(conversation_id)
    assert titles(conversations) == ["When?"]


def test_two_hundred_conversations_are_listed_without_reading_their_answers(tmp_path: Path) -> None:
    store = Store(tmp_path / "visitor")
    conversations = Conversations(store, lambda: None)
    for number in range(MAX_LISTED + 3):
        add(conversations, f"Question {number}?", "word " * 10_000)
    assert len(conversations.loaded) <= MAX_LOADED
    for file in (tmp_path / "visitor" / "conversations").glob("*.json"):
        file.write_bytes(file.read_bytes().partition(b"\n")[0] + b"\n{")  # only the line for the list is intact
    again = Conversations(store, lambda: None)
    listed = again.listed()
    assert len(listed) == MAX_LISTED + 3
    with pytest.raises(ValueError):
        store.read_conversation(listed[0].id)
    html = chat_list_html(listed, "")
    assert html.count("data-chat=") == MAX_LISTED
    assert escape(ENGLISH.more_chats.format(count=3)) in html


def test_without_room_nothing_is_lost(tmp_path: Path) -> None:
    store, room = Store(tmp_path / "visitor"), [2_000]
    conversations = Conversations(store, lambda: room[0])
    ferry = add(conversations, "When?")
    ferry.append(Turn("Long?", "word " * 1_000))
    with pytest.raises(QuotaExceeded, match="no room"):
        conversations.save(ferry)
    assert len(conversations.open(ferry.id).turns) == 2
    assert len(Conversations(store, lambda: None).open(ferry.id).turns) == 1
    for _ in range(2 * MAX_LOADED):  # what isn't stored stays in memory
        conversations.new()
    assert len(conversations.open(ferry.id).turns) == 2
    room[0] = 20_000
    conversations.save(ferry)
    assert len(Conversations(store, lambda: None).open(ferry.id).turns) == 2


def test_a_full_disk_is_an_error_and_the_conversation_stays(tmp_path: Path) -> None:
    folder = tmp_path / "visitor"
    folder.write_text("A file where the folder should be.")
    conversations = Conversations(Store(folder), lambda: None)
    with pytest.raises(DocumentError, match="Can't save the conversation"):
        add(conversations, "When?")
    assert titles(conversations) == ["When?"]
