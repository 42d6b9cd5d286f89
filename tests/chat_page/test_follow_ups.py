"""Questions to go on with are made from what stands beside the quotes, and the documents answer each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from backends import Catalog
from chat_page.chat import Chat
from chat_page.conversations.conversation import Conversation
from chat_page.documents.follow_ups import may_go_on
from chat_page.handlers.follow_ups import FollowUpHandlers
from chat_page.handlers.page import PageHandlers
from chat_page.handlers.questions import QuestionHandlers
from rag.answering.answer import Rag
from rag.answering.options import AnswerOptions
from rag.answering.turn import ErrorMessage, Turn
from rag.documents import Limits
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder
from ui.access.tickets import new_key
from ui.admission.fair_queue import Caller

KEY = new_key()
REQUEST: Any = SimpleNamespace(session_hash="page")
REPORT = """# Ferry report

## Results

| In millions | 2023 | 2024 |
| --- | --- | --- |
| Ticket sales | 40 | 46 |
| Freight | 12 | 15 |
| Repairs | 7 | 9 |
| Subsidies | - | - |

## Lost property

The lost property office keeps umbrellas for 30 days.

## Boat rental

Boat rental costs 14 crowns an hour, and the boats are blue.

## Future plans
"""


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: Embedder) -> Chat:
    monkeypatch.setenv("SPACEPORT_DATA", str(tmp_path / "data"))
    (tmp_path / "backends.toml").write_text('[t]\nkind = "openai"\nurl = "http://127.0.0.1:9/v1"\n')
    (tmp_path / "ferries.md").write_text(REPORT)
    monkeypatch.setattr("chat_page.chat.Embedder", lambda: embedder)
    chat = Chat(Catalog.load(tmp_path / "backends.toml"), tmp_path / "corpus", limits=Limits())
    chat.visitor(KEY).library.add(tmp_path / "ferries.md")
    return chat


def answered(chat: Chat, question: str) -> Conversation:
    """Return the conversation of the page, with this question answered by quotes."""
    found = search(chat.visitor(KEY).library, question, chat)
    turn = Turn(
        question,
        quotes=found.quotes,
        passages=found.passages,
        abstention=found.abstention,
        finish_reason="abstained" if found.abstention else "quotes",
        target="t",
    )
    conversation = chat.visitor(KEY).conversation("page")
    conversation.replace_turns((turn,))
    return conversation


def search(library: Library, question: str, chat: Chat) -> Any:
    return Rag(chat._embedder, [library]).search(question, question, AnswerOptions())


async def follow_ups(chat: Chat) -> Sequence[str]:
    """Let the page add them, and return what it offers below the newest answer."""
    view = await FollowUpHandlers(chat, PageHandlers(chat)).suggest_next(KEY, False, REQUEST)
    return [] if isinstance(view, dict) else [option["value"] for option in view[-1].get("options", [])]


async def test_other_cells_of_a_quoted_table_are_asked_for_and_answered(chat: Chat) -> None:
    conversation = answered(chat, "What were the ticket sales in 2024?")
    assert conversation.turns[0].quotes[0].answer == "46"
    offered = await follow_ups(chat)
    assert offered[:2] == ["Ticket sales, 2023?", "Freight, 2024?"]
    assert len(offered) == 3
    for question, cell in zip(offered, ("40", "15"), strict=False):
        found = search(chat.visitor(KEY).library, question, chat)
        assert (found.abstention, found.unsure, found.quotes[0].answer) == (None, False, cell)
    assert not any("Subsidies" in question or "Future plans" in question for question in offered)
    found = search(chat.visitor(KEY).library, offered[1], chat)
    conversation.append(Turn(offered[1], quotes=found.quotes, passages=found.passages, finish_reason="quotes"))
    assert (await follow_ups(chat))[:2] == ["Freight, 2023?", "Repairs, 2024?"]
    conversation.replace_turns(conversation.turns[:1])
    await asyncio.to_thread(chat.visitor(KEY).save, conversation)
    stored = chat.visitor(KEY).conversations
    stored.close()
    assert stored.open(conversation.id).turns[0].follow_ups == tuple(offered)  # a reload shows them again


async def test_headings_beside_the_quotes_are_asked_for_if_something_stands_below_them(chat: Chat) -> None:
    answered(chat, "How long does the lost property office keep umbrellas?")
    # Not the title, the quoted section, one that has only figures, and one that has nothing.
    assert await follow_ups(chat) == ["What does ferries.md say about “Boat rental”?"]


async def test_a_busy_page_and_a_new_question_come_first(chat: Chat) -> None:
    conversation = answered(chat, "What were the ticket sales in 2024?")
    places = [chat.admission.answers.join(Caller(f"10.0.0.{number}", "v")) for number in range(2)]
    assert await follow_ups(chat) == []
    for place in places:
        place.release()
    library = chat.visitor(KEY).library
    before = conversation.turns[0]
    conversation.append(Turn("And then?"))
    assert await chat.next_questions.find(conversation, before, [library]) == ()


def test_refusals_small_talk_and_errors_get_none(chat: Chat) -> None:
    turn = answered(chat, "What were the ticket sales in 2024?").turns[0]
    assert may_go_on(turn)
    refused = answered(chat, "Who painted the Mona Lisa in 1503?").turns[0]
    assert refused.abstention
    failed, unfinished = replace(turn, error=ErrorMessage("No.")), replace(turn, finish_reason=None)
    for other in (refused, replace(turn, quotes=()), failed, replace(turn, shared=True), unfinished):
        assert not may_go_on(other)


async def test_a_click_asks_what_was_offered_and_nothing_else(chat: Chat) -> None:
    conversation = answered(chat, "What were the ticket sales in 2024?")
    (first, *_) = await follow_ups(chat)
    questions = QuestionHandlers(chat, PageHandlers(chat))
    for wrong in ("Who am I?", "write", {"text": first}, None):
        questions.choose_option(KEY, gr.SelectData(None, {"index": 0, "value": wrong}), REQUEST)
        assert len(conversation.turns) == 1
    questions.choose_option(KEY, gr.SelectData(None, {"index": 0, "value": first}), REQUEST)
    assert conversation.turns[1] == Turn(first)
