"""Undo, edit, retry, clear and links change the turns of a conversation."""

from __future__ import annotations

import asyncio
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from backends import Catalog
from chat_page.chat import Chat
from chat_page.conversations.conversation import Conversation
from chat_page.handlers.answers import AnswerHandlers
from chat_page.handlers.chat_list import ConversationHandlers
from chat_page.handlers.documents import DocumentHandlers
from chat_page.handlers.exports import ExportHandlers
from chat_page.handlers.page import PageHandlers
from chat_page.handlers.questions import QuestionHandlers
from chat_page.sharing.share import link_fragment
from chat_page.sources.panel import sources_html
from chat_page.strings import ENGLISH
from rag.answering.quotes import Quote
from rag.answering.turn import Turn, turns_before
from rag.documents import Limits
from rag.library.quota import Quota
from tests.helpers.open_files import no_more_files
from ui.access.tickets import new_key
from ui.middleware.refusals import Refusal

TURNS = (
    Turn("First <b>?", "One.", finish_reason="stop", target="t"),
    Turn("Second?", "Two.", thought="Hm.", finish_reason="stop", target="t"),
)
QUOTE = Quote("d", "report.pdf", 3, "", 0, 5, "Sales", 0, 5, 0.9)
KEY = new_key()
REQUEST: Any = SimpleNamespace(session_hash="page")


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chat:
    monkeypatch.setenv("SPACEPORT_DATA", str(tmp_path / "data"))
    catalog = tmp_path / "backends.toml"
    catalog.write_text('[t]\nkind = "openai"\nurl = "http://127.0.0.1:9/v1"\n')
    return Chat(Catalog.load(catalog), tmp_path / "corpus", limits=Limits())


@pytest.fixture
def conversation(chat: Chat) -> Conversation:
    conversation = chat.visitor(KEY).conversation("page")
    conversation.replace_turns(TURNS)
    return conversation


@pytest.fixture
def page_handlers(chat: Chat) -> PageHandlers:
    return PageHandlers(chat)


@pytest.fixture
def questions(chat: Chat, page_handlers: PageHandlers) -> QuestionHandlers:
    return QuestionHandlers(chat, page_handlers)


@pytest.fixture
def answers(chat: Chat, page_handlers: PageHandlers) -> AnswerHandlers:
    return AnswerHandlers(chat, page_handlers)


@pytest.fixture
def documents(chat: Chat, page_handlers: PageHandlers) -> DocumentHandlers:
    return DocumentHandlers(chat, page_handlers)


@pytest.fixture
def exports(chat: Chat, page_handlers: PageHandlers) -> ExportHandlers:
    return ExportHandlers(chat, page_handlers)


def contents(view: Any) -> list[str]:
    """The texts of the messages in an event's output, with or without the thumbs beside them."""
    return [message["content"] for message in (view["value"] if isinstance(view, dict) else view)]


def test_a_conversation_that_cannot_be_read_is_no_new_one(
    chat: Chat, conversation: Conversation, page_handlers: PageHandlers
) -> None:
    visitor = chat.visitor(KEY)
    visitor.save(conversation)
    visitor.conversations._loaded.clear()  # there were too many
    with no_more_files(), pytest.raises(Refusal, match="Can't read the conversation"):
        page_handlers.find(KEY, REQUEST)
    assert page_handlers.find(KEY, REQUEST)[1].id == conversation.id


def test_a_question_becomes_a_turn_without_an_answer(questions: QuestionHandlers, conversation: Conversation) -> None:
    _, messages = questions.submit("  Third?  ", KEY, REQUEST)
    assert conversation.turns == (*TURNS, Turn("Third?"))
    assert contents(messages) == ["First <\u200bb>?", "One.", "Second?", "Hm.", "Two.", "Third?"]
    questions.submit("   ", KEY, REQUEST)
    assert len(conversation.turns) == 3


async def test_stop_before_the_first_word_says_so(
    questions: QuestionHandlers, answers: AnswerHandlers, conversation: Conversation
) -> None:
    questions.submit("Third?", KEY, REQUEST)
    _, messages = await answers.stop(KEY, REQUEST)
    assert contents(messages)[-2:] == ["Third?", "*Stopped.*"]
    questions.submit("Fourth?", KEY, REQUEST)
    _, messages = await answers.stop(KEY, REQUEST)
    assert contents(messages)[-4:] == ["Third?", "*Stopped.*", "Fourth?", "*Stopped.*"]


def test_a_visitor_leaves_out_documents(documents: DocumentHandlers, chat: Chat, tmp_path: Path) -> None:
    visitor = chat.visitor(KEY)
    (tmp_path / "tea.md").write_text("# Tea\n\n## Kettles\n\nThe kettle holds 1.7 litres.")
    added = visitor.library.add(tmp_path / "tea.md")
    event: Any = SimpleNamespace(document=added.document.id, asked=False)
    assert "“Kettles”" in documents.suggest(KEY, True, REQUEST).examples[0]["text"]
    documents.choose(KEY, event, REQUEST)
    documents.choose(KEY, SimpleNamespace(document="unknown", asked=False), REQUEST)  # type: ignore[arg-type]
    assert visitor.left_out == {added.document.id}
    assert [each["text"] for each in documents.suggest(KEY, True, REQUEST).examples] == list(ENGLISH.examples)
    assert documents.suggest(KEY, False, REQUEST).examples == []
    event.asked = True
    documents.choose(KEY, event, REQUEST)
    assert not visitor.left_out


async def test_a_reopened_conversation_shows_its_thumbs(
    chat: Chat, page_handlers: PageHandlers, conversation: Conversation
) -> None:
    chats = ConversationHandlers(chat, page_handlers)
    older = chat.visitor(KEY).conversations.new()
    older.replace_turns(TURNS[:1])
    for each in (conversation, older):
        chat.visitor(KEY).conversations.save(each)
    shown = await chats.rate(KEY, gr.LikeData(None, {"index": 3, "value": "Two.", "liked": True}), REQUEST)
    assert shown["feedback_value"] == [None, "Like"]
    await chats.rate(KEY, gr.LikeData(None, {"index": 1, "value": "", "liked": ENGLISH.reason_wrong}), REQUEST)
    assert [each.id for each in chat.visitor(KEY).conversations.listed()] == [older.id, conversation.id]
    chat.visitor(KEY).conversations.close()  # as after a restart
    _, _, view, _, _ = page_handlers.open_page(KEY, conversation.id, OTHER)
    assert view["feedback_value"] == [ENGLISH.reason_wrong, "Like"]
    _, view, *_ = chats.new_chat(KEY, "", OTHER)
    assert view["feedback_value"] == []


def test_a_long_conversation_ends(questions: QuestionHandlers, conversation: Conversation) -> None:
    """Each event draws all of it: without a limit, one request of a hundred bytes costs seconds."""
    conversation.turns = (Turn("Long?", "word " * 61_000, finish_reason="stop", target="t"), *TURNS)
    with pytest.warns(UserWarning, match="too long to go on"):
        box, messages = questions.submit("More?", KEY, REQUEST)
    assert len(conversation.turns) == 3
    assert box.value == "More?"
    assert contents(messages)[-1] == "Two."
    questions.retry(KEY, "t", gr.RetryData(None, {"index": 1, "value": ""}), REQUEST)
    assert conversation.turns == (Turn("Long?"),)


def test_a_question_that_is_too_long_stays_in_the_box(questions: QuestionHandlers, conversation: Conversation) -> None:
    text = "word " * 4_000
    with pytest.warns(UserWarning, match="up to 10,000 characters; this one has 19,999"):
        box, messages = questions.submit(text, KEY, REQUEST)
    assert box.value == text.strip()
    assert contents(messages)[-1] == "Two."
    assert conversation.turns == TURNS


def test_undo_moves_the_exact_question_back_into_the_box(
    questions: QuestionHandlers, conversation: Conversation
) -> None:
    question, messages, _ = questions.undo(KEY, gr.UndoData(None, {"index": 1, "value": "One."}), REQUEST)
    assert (question, contents(messages), conversation.turns) == ("First <b>?", [], ())


def test_retry_drops_the_answer_and_the_turns_after_it(questions: QuestionHandlers, conversation: Conversation) -> None:
    questions.retry(KEY, "t", gr.RetryData(None, {"index": 1, "value": "One."}), REQUEST)
    assert conversation.turns == (Turn("First <b>?"),)


def test_retry_with_another_model_keeps_both_answers(questions: QuestionHandlers, conversation: Conversation) -> None:
    """The answer of the first model was dropped."""
    event = gr.RetryData(None, {"index": 4, "value": "Two."})
    questions.retry(KEY, "other", event, REQUEST)
    second = conversation.turns[1]
    assert conversation.turns == (*TURNS, Turn("Second?", again=second.id))
    assert turns_before(conversation.turns[2], conversation.turns[:2]) == [TURNS[0]]
    conversation.update(replace(conversation.turns[2], answer="Deux.", target="other", finish_reason="stop"))
    questions.retry(KEY, "third", gr.RetryData(None, {"index": 6, "value": "Deux."}), REQUEST)
    assert conversation.turns[3].again == second.id
    assert turns_before(conversation.turns[3], conversation.turns[:3]) == [TURNS[0]]
    assert turns_before(Turn("Third?"), conversation.turns[:3]) == list(conversation.turns[:3])


def test_an_edited_question_has_no_trace_of_its_display(
    questions: QuestionHandlers, conversation: Conversation
) -> None:
    data = {"index": 0, "previous_value": "First <\u200bb>?", "value": "First <\u200bb> again?"}
    questions.edit(KEY, gr.EditData(None, data), REQUEST)
    assert conversation.turns == (Turn("First <b> again?"),)


def test_an_edited_question_keeps_its_own_zero_width_spaces(
    questions: QuestionHandlers, conversation: Conversation
) -> None:
    conversation.turns = (Turn("ភាសា\u200bខ្មែរ"),)
    data = {"index": 0, "previous_value": "ភាសា\u200bខ្មែរ", "value": "ភាសា\u200bខ្មែរ?"}
    questions.edit(KEY, gr.EditData(None, data), REQUEST)
    assert conversation.turns == (Turn("ភាសា\u200bខ្មែរ?"),)


@pytest.mark.parametrize("index", [99, 10**300])
def test_an_event_about_no_message_changes_nothing(
    questions: QuestionHandlers, conversation: Conversation, index: int
) -> None:
    questions.undo(KEY, gr.UndoData(None, {"index": index, "value": ""}), REQUEST)
    questions.retry(KEY, "t", gr.RetryData(None, {"index": index, "value": ""}), REQUEST)
    questions.edit(KEY, gr.EditData(None, {"index": index, "value": "x", "previous_value": ""}), REQUEST)
    assert conversation.turns == TURNS


def test_the_button_below_quotes_asks_for_a_written_answer(
    page_handlers: PageHandlers, questions: QuestionHandlers, conversation: Conversation
) -> None:
    quoted = Turn("Third?", quotes=(QUOTE,), finish_reason="quotes", target="t", writer="A small model")
    conversation.replace_turns((*TURNS, quoted))
    event = gr.SelectData(None, {"index": 5, "value": "write"})
    _, messages = questions.choose_option(KEY, event, REQUEST)
    assert conversation.turns == (*TURNS, Turn("Third?", quotes=(QUOTE,), writes="answer"))
    assert not any("options" in message for message in messages["value"])
    questions.choose_option(KEY, event, REQUEST)  # a second click, while the answer streams
    assert conversation.turns[-1] == Turn("Third?", quotes=(QUOTE,), writes="answer")
    conversation.replace_turns(TURNS)
    questions.choose_option(KEY, event, REQUEST)
    assert conversation.turns == TURNS
    page_handlers.open_page(KEY, conversation.id, REQUEST)
    questions.retry(KEY, "t", gr.RetryData(None, {"index": 1, "value": ""}), REQUEST)
    assert conversation.turns == (Turn("First <b>?"),)  # a retry shows the quotes again


async def test_a_link_opens_beside_the_conversations(
    chat: Chat, exports: ExportHandlers, conversation: Conversation
) -> None:
    messages, sources = await exports.open_link(link_fragment([Turn("Shared?", "Yes.")]), KEY, REQUEST)
    assert [turn.question for turn in chat.visitor(KEY).conversation("page").turns] == ["Shared?"]
    assert conversation.turns == TURNS
    assert contents(messages)[1:] == ["Shared?", "Yes."]
    assert sources == sources_html([])  # not those of the conversation before


@pytest.mark.parametrize("name", ["export_markdown", "export_json", "share_link", "open_link"])
async def test_work_on_a_whole_conversation_leaves_the_event_loop_free(
    exports: ExportHandlers, conversation: Conversation, name: str
) -> None:
    turn = Turn("Why?", "[a](b) " * 25_000, finish_reason="stop", target="t")
    conversation.turns = (turn,)
    inputs = [link_fragment([turn])] if name == "open_link" else []
    modules = set[str]()  # with a function that ran in the thread of the event loop
    sys.setprofile(lambda frame, event, argument: modules.add(str(frame.f_globals.get("__name__"))))
    try:
        await getattr(exports, name)(*inputs, KEY, REQUEST)
    finally:
        sys.setprofile(None)
    assert "chat_page.handlers.exports" in modules
    assert not modules & {
        "chat_page.sharing.export",
        "chat_page.sharing.share",
        "chat_page.rendering.messages",
        "json",
        "ui.markdown",
    }


@pytest.mark.parametrize("name", ["export_markdown", "share_link", "open_link"])
async def test_work_on_a_whole_conversation_waits_for_its_turn(
    chat: Chat, exports: ExportHandlers, conversation: Conversation, name: str
) -> None:
    """64 guests who opened large links took the threads that all events share: others' quotes came 28 times as late."""
    threads, words = set[str](), ("ui.markdown", "chat_page.rendering.markdown", "chat_page.sharing.export", "json")

    def note(frame: FrameType, event: str, argument: object) -> None:
        if frame.f_globals.get("__name__") in words:
            threads.add(threading.current_thread().name.rpartition("_")[0])

    inputs = [link_fragment(TURNS)] if name == "open_link" else []
    threading.setprofile(note)  # in the threads that start from now on
    try:
        await getattr(exports, name)(*inputs, KEY, REQUEST)
    finally:
        threading.setprofile(None)
    assert threads == {"view"}


def test_a_reload_shows_what_there_was_of_an_answer(
    chat: Chat, page_handlers: PageHandlers, conversation: Conversation
) -> None:
    conversation.turns = (Turn("Why?", "Because", target="t"),)
    _, _, messages, _, _ = page_handlers.open_page(KEY, "", SimpleNamespace(session_hash="reloaded"))  # type: ignore[arg-type]
    assert contents(messages) == ["Why?", "Because"]
    conversation.turns = (Turn("Why?", target="t"),)
    _, _, messages, _, _ = page_handlers.open_page(KEY, "", SimpleNamespace(session_hash="again"))  # type: ignore[arg-type]
    assert contents(messages) == ["Why?"]


OTHER: Any = SimpleNamespace(session_hash="other page")


def test_two_pages_with_one_conversation_erase_nothing(
    page_handlers: PageHandlers, questions: QuestionHandlers, conversation: Conversation
) -> None:
    """The later page replaced what the earlier one had stored, and so did a retry there."""
    for page in (REQUEST, OTHER):
        page_handlers.open_page(KEY, conversation.id, page)
    questions.submit("Mine?", KEY, REQUEST)
    questions.submit("Yours?", KEY, OTHER)
    assert [turn.question for turn in conversation.turns[2:]] == ["Mine?", "Yours?"]
    with pytest.warns(UserWarning, match="changed in another tab"):
        _, messages = questions.retry(KEY, "t", gr.RetryData(None, {"index": 1, "value": ""}), REQUEST)
    assert contents(messages)[-1] == "Yours?"
    assert len(conversation.turns) == 4
    questions.retry(
        KEY, "t", gr.RetryData(None, {"index": 1, "value": ""}), REQUEST
    )  # the visitor has seen what would go
    assert conversation.turns == (Turn("First <b>?"),)


def test_the_end_of_an_answer_on_one_page_stops_no_question_of_another(
    page_handlers: PageHandlers, questions: QuestionHandlers, answers: AnswerHandlers, conversation: Conversation
) -> None:
    """A question stands in the conversation for a moment before its answer begins."""
    page_handlers.open_page(KEY, conversation.id, REQUEST)
    page_handlers.open_page(KEY, conversation.id, OTHER)
    questions.submit("Yours?", KEY, OTHER)
    answers.finish(KEY, REQUEST)
    assert conversation.turns[-1] == Turn("Yours?")


def test_each_page_has_its_own_conversation(
    chat: Chat, page_handlers: PageHandlers, questions: QuestionHandlers, conversation: Conversation
) -> None:
    chats = ConversationHandlers(chat, page_handlers)
    page_handlers.open_page(KEY, conversation.id, OTHER)
    chats.new_chat(KEY, "", REQUEST)
    questions.submit("Third?", KEY, REQUEST)
    assert chat.visitor(KEY).conversation("other page") is conversation
    assert conversation.turns == TURNS
    _, messages, _, html = chats.select(KEY, "", click(conversation=conversation.id), REQUEST)
    assert contents(messages)[0] == "First <\u200bb>?"
    assert html.count("data-chat=") == 2
    # A restart of the server knows no pages; the browser's tab knows its conversation.
    _, _, messages, _, _ = page_handlers.open_page(KEY, conversation.id, SimpleNamespace(session_hash="new"))  # type: ignore[arg-type]
    assert contents(messages)[-1] == "Two."


async def test_a_conversation_that_is_deleted_leaves_its_page(
    chat: Chat, page_handlers: PageHandlers, conversation: Conversation
) -> None:
    chats = ConversationHandlers(chat, page_handlers)
    chat.visitor(KEY).conversations.save(conversation)
    other = chat.visitor(KEY).conversations.new()
    other.replace_turns(TURNS[1:])
    *page, html = await chats.delete(KEY, "", click(conversation=other.id), REQUEST)
    assert all(part == gr.skip() for part in page)
    assert html.count("data-chat=") == 1
    _, messages, _, html = await chats.delete(KEY, "", click(conversation=conversation.id), REQUEST)
    assert contents(messages) == []
    assert "data-chat=" not in html
    assert chat.visitor(KEY).conversations.listed() == []


def test_a_long_name_is_shortened_with_a_sentence(
    chat: Chat, page_handlers: PageHandlers, conversation: Conversation
) -> None:
    chats = ConversationHandlers(chat, page_handlers)
    with pytest.warns(UserWarning, match="up to 100 characters"):
        html = chats.rename(KEY, "", click(conversation=conversation.id, name="<b> " * 125), REQUEST)
    assert "<b>" not in html
    (listed,) = chat.visitor(KEY).conversations.listed()
    assert len(listed.title) == 100


async def test_an_answer_that_the_page_has_left_ends_with_what_is_on_the_page(
    chat: Chat, page_handlers: PageHandlers, questions: QuestionHandlers, answers: AnswerHandlers
) -> None:
    """Gradio repeats the last values of an event at its end, maybe after the next conversation is on the page."""
    chats = ConversationHandlers(chat, page_handlers)
    questions.submit("First?", KEY, REQUEST)
    updates = answers.respond(KEY, "t", 1, 16, 0, "", False, False, REQUEST)
    messages, _ = await anext(updates)
    assert len(messages) == 1
    chats.new_chat(KEY, "", REQUEST)
    assert [messages async for messages, _ in updates][-1] == []


async def test_without_room_the_answer_stays_on_the_page(
    chat: Chat, answers: AnswerHandlers, conversation: Conversation
) -> None:
    visitor = chat.visitor(KEY)
    visitor.library.quota = Quota(megabytes=1)
    conversation.replace_turns((Turn("Long?", "word " * 250_000, finish_reason="stop", target="t"),))
    await asyncio.to_thread(visitor.save, conversation)
    with pytest.warns(UserWarning, match="no room for more chats. Delete chats or documents"):
        async for messages, _ in answers.respond(KEY, "t", 1, 16, 0, "", False, False, REQUEST):
            assert len(messages) == 2
    assert len(conversation.turns) == 1


def click(**data: str) -> gr.EventData:
    return gr.EventData(None, data)
