"""Turns as Gradio's chat messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chat_page.conversations.conversation import Conversation
from chat_page.conversations.feedback import rating_option
from chat_page.rendering.answer_line import answer_line, end_note
from chat_page.rendering.answer_text import place, provenance, refusal_text, unsupported_lines
from chat_page.rendering.folding import fold_end
from chat_page.rendering.markdown import disarm_markdown, error_markdown, linked_answer
from chat_page.rendering.quotes import ShownQuotes, quotes_html
from chat_page.translations.languages import strings
from rag.answering.turn import Turn
from ui.markdown import safe_markdown

ChatMessage = dict[str, Any]
WRITE = "write"  # the option that lets a model write an answer


def conversation_messages(conversation: Conversation, question: int | None = None) -> list[ChatMessage]:
    """Return all messages of a conversation, or those up to the question with this index, without its reply."""
    turns, messages = conversation.turns, _notices(conversation)
    for number, turn in enumerate(turns[:question], start=1):
        older = number < len(conversation.turns)  # the newest answer is being read
        messages += [question_message(turn), *reply_messages(turn, number, fold=older)]
    return messages if question is None else [*messages, question_message(turns[question])]


def shown_ratings(conversation: Conversation, messages: Sequence[ChatMessage]) -> list[str | None]:
    """Return how Gradio shows the rating of each answer: that of each row of messages that aren't the visitor's."""
    ratings: list[str | None] = []
    turns, rating, role = iter(conversation.turns), None, ""
    for message in messages:
        if message["role"] == "user":
            turn = next(turns, None)  # a page may have undone it meanwhile
            rating = rating_option(turn) if turn else None
        elif role != "assistant":
            ratings.append(rating)
        role = message["role"]
    return ratings


def turn_index(conversation: Conversation, message_index: int) -> int | None:
    """Return the index of the turn that a message belongs to, or None if the conversation has no such message."""
    end = len(_notices(conversation))
    for index, turn in enumerate(conversation.turns):
        end += 1 + len(reply_messages(turn, index + 1))
        if message_index < end:
            return index
    return None


def question_message(turn: Turn) -> ChatMessage:
    """Return the question of a turn."""
    return {"role": "user", "content": (disarm_markdown if turn.shared else safe_markdown)(turn.question)}


def reply_messages(
    turn: Turn, number: int, status: str | None = None, *, fold: bool = False, shown: ShownQuotes | None = None
) -> list[ChatMessage]:
    """Return the reply of turn `number`: quotes, folded thoughts, the answer with linked citations, an error.

    While the answer streams, `status` says what the page shows until the first word. `fold` folds the end of a very
    long answer. `shown` has the quotes if they were drawn before.
    """
    words = strings()
    if turn.shared:
        return _shared_reply(turn)
    messages = []
    shown = shown or ShownQuotes.of(turn, number)
    quotes = shown.html
    if quotes and not turn.abstention:
        messages.append(_assistant(quotes))
    if turn.thought.strip():
        messages.append(_thought(turn, status is not None and not turn.answer))
    elif status and not turn.answer:
        messages.append(_assistant("", {"title": status, "status": "pending"}))
    if answer := _answer_markdown(turn, number, shown.counts):
        answer = fold_end(answer) if fold else answer
        messages.append(_assistant(_folded(answer) if turn.finish_reason and turn.all_unsupported else answer))
    if turn.finish_reason == "abstained":
        messages += [_assistant(quotes)] if quotes else []
        messages.append(_assistant(f"*{words.allow_general_knowledge}*"))
    if turn.error:
        messages.append(_assistant(error_markdown(turn.error.message, turn.error.remedy)))
    elif turn.finish_reason == "quotes":
        messages += [] if quotes else [_assistant(f"*{words.no_quotes}*")]
    elif note := end_note(turn):
        messages.append(_assistant(f"*{note}*"))
    elif turn.finish_reason and not answer:
        messages.append(_assistant(f"*{words.no_answer}*"))
    if turn.finish_reason and (line := answer_line(turn)):
        messages.append(_assistant(line))
    if messages and (options := _options(turn)):  # Gradio shows those of the last message only
        messages[-1]["options"] = options
    return messages


def _folded(answer: str) -> str:
    """Gradio's own fold has a button inside of a button, which a screen reader can't say."""
    return f"<details><summary>{strings().unsupported_answer}</summary>\n\n{answer}\n\n</details>"


def _options(turn: Turn) -> list[dict[str, str]]:
    """The buttons below an answer: one that lets the model write below the quotes, and questions to go on with."""
    words = strings()
    write = [{"value": WRITE, "label": words.fill(words.write_answer, model=turn.writer)}] if turn.writer else []
    return [*write, *({"value": each, "label": each} for each in turn.follow_ups)] if turn.finish_reason else []


def _answer_markdown(turn: Turn, number: int, quoted: Mapping[int, int]) -> str:
    if turn.finish_reason == "abstained":
        return safe_markdown(refusal_text(turn, strings()))
    if not turn.answer.strip():
        return ""
    answer = linked_answer(turn.answer, turn.markers, number, quoted, turn.unsupported).lstrip()
    return f"{strings().not_from_documents}\n\n{answer}" if turn.abstention else answer


def _shared_reply(turn: Turn) -> list[ChatMessage]:
    """The quotes and the answer of a link, as plain text without links, and the sources below."""
    sources = [f"[{citation.passage.number}] {place(citation.passage)}" for citation in turn.citations]
    lines = [*sources, *unsupported_lines(turn), *provenance(turn)]
    parts = [quotes_html(turn, 0), disarm_markdown(turn.answer), disarm_markdown("\n".join(lines))]
    return [_assistant(part) for part in parts if part]


def _thought(turn: Turn, pending: bool) -> ChatMessage:
    words = strings()
    title, status = (words.thinking, "pending") if pending else (words.thoughts, "done")
    return _assistant(safe_markdown(turn.thought), {"title": title, "status": status})


def _notices(conversation: Conversation) -> list[ChatMessage]:
    """What the page says above the conversation."""
    words = strings()
    if conversation.unreadable:
        return [_assistant(f"*{words.conversation_unreadable}*")]
    if conversation.turns and conversation.turns[0].shared:
        return [_assistant(f"*{words.shared}*")]
    return []


def _assistant(content: str, metadata: dict[str, str] | None = None) -> ChatMessage:
    message: ChatMessage = {"role": "assistant", "content": content}
    return {**message, "metadata": metadata} if metadata else message
