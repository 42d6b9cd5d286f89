"""A conversation on disk: it returns as it was, and a file that can't be read is dropped with a note."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chat_page.conversations.conversation import VERSION, Conversation, from_json, to_json
from chat_page.conversations.conversations import Conversations
from chat_page.rendering.messages import conversation_messages, turn_index
from chat_page.strings import ENGLISH
from chat_page.visitors.visitor import Visitor
from rag.answering.abstention.abstain import Abstention, AbstentionKind, Evidence
from rag.answering.citations.markers import Marker
from rag.answering.quotes import Quote
from rag.answering.turn import ErrorMessage, Turn
from rag.answering.types import Citation, Sentence
from rag.documents import Passage
from rag.library.ingest import Ingestion
from rag.library.library import Library
from rag.library.storage.conversation_file import conversation_data, new_conversation_id
from rag.library.storage.memory_store import MemoryStore
from rag.library.storage.store import Store
from rag.search.embedding.embedders import Embedder
from tests.chat_page import earlier_version

PASSAGE = Passage(1, "d", "report.pdf", 3, "Sales", 10, 31, "Net sales were 82,959", 0.5, 0.4, None)
QUOTE = Quote("d", "report.pdf", 3, "", 10, 31, PASSAGE.text, 25, 31, 0.9, ("Net sales", "2022", "million"), 4, 2)
TURNS = (
    Turn(
        "How much? <img src=x>",
        "It was ![x](http://t/p.png) 82,959 [1]. \u200b東京 🚀",
        thought="Let me look.",
        passages=(PASSAGE,),
        citations=(Citation(PASSAGE, False, ((15, 21), (0, 3))),),
        markers=(Marker(35, 1), Marker(40, 1, True)),
        sentences=(Sentence(0, 34, True, (1,)), Sentence(35, 40, False)),
        invalid_markers=2,
        finish_reason="stop",
        target="laptop",
        asked_at="2026-11-21T16:00:00+00:00",
    ),
    Turn(
        "Why?",
        abstention=Abstention(AbstentionKind.WEAK_EVIDENCE, Evidence(0.25, 0.0)),
        finish_reason="abstained",
        target="laptop",
    ),
    Turn(
        "And then?", "Half", error=ErrorMessage("It broke.", "Try again."), finish_reason="interrupted", target="laptop"
    ),
    Turn("Quoted", quotes=(QUOTE,), passages=(PASSAGE,), finish_reason="quotes", writes="answer", writer="A model"),
    Turn("From a link", "So.", finish_reason="stop", shared=True),
    Turn("Not answered yet \ud800"),
)


@pytest.fixture(params=["disk", "memory"])
def visitor(request: pytest.FixtureRequest, tmp_path: Path) -> Visitor:
    store = Store(tmp_path / "visitor") if request.param == "disk" else MemoryStore()
    library = Library(Embedder(), store=store)
    return Visitor("k" * 43, library, Ingestion(library), store)


def test_the_stored_form_is_json_with_a_version() -> None:
    value = json.loads(json.dumps(to_json(Conversation(TURNS))))
    assert value["version"] == VERSION
    assert value["turns"][0]["answer"] == TURNS[0].answer
    assert value["turns"][1]["abstention"]["kind"] == "weak_evidence"
    assert from_json(value) == Conversation(TURNS)


@pytest.mark.parametrize(
    "value",
    [
        earlier_version.CONVERSATION,
        {"version": VERSION + 1, "turns": []},
        {"version": VERSION},
        {"version": VERSION, "turns": [{"answer": "no question"}]},
        {"version": VERSION, "turns": [{"question": "q", "passages": [{"number": 1}]}]},
        {"version": VERSION, "turns": "x"},
        {"turns": []},
        {},
        [],
        ["Where?"],
        "text",
        7,
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_conversation_in_another_format_is_dropped_with_a_note(visitor: Visitor, value: Any) -> None:
    identifier = new_conversation_id()
    visitor.store.write_conversation(identifier, conversation_data({"title": "Where?"}, value))
    conversation = visitor.conversation("page")
    assert (conversation, conversation.id) == (Conversation(unreadable=True), identifier)
    (note,) = conversation_messages(conversation)
    assert ENGLISH.conversation_unreadable in note["content"]
    conversation.turns = TURNS[:1]
    assert turn_index(conversation, 1) == 0
    visitor.conversations.save(conversation)
    assert Conversations(visitor.store, lambda: None).latest() == Conversation(TURNS[:1])


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000], ids=lambda data: repr(data[:10]))
def test_a_damaged_file_is_dropped_with_a_note(tmp_path: Path, data: bytes) -> None:
    store = Store(tmp_path / "visitor")
    library = Library(Embedder(), store=store)
    visitor = Visitor("k" * 43, library, Ingestion(library), store)
    stored = visitor.conversations.new()
    stored.replace_turns(TURNS)
    visitor.conversations.save(stored)
    (file,) = store.folder.glob("conversations/*.json")
    file.write_bytes(data)
    conversations = Conversations(store, lambda: None)
    assert [each.title for each in conversations.listed()] == [ENGLISH.unreadable_title]
    assert conversations.latest() == Conversation(unreadable=True)
    conversations.delete(stored.id)
    assert conversations.listed() == []
