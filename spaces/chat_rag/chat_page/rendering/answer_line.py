"""The quiet line under an answer: the model, the time and the tokens, with the details folded."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from chat_page.translations.languages import strings
from rag.answering.measurements import Measurements
from rag.answering.turn import Turn

# How an answer ends that no model wrote.
WITHOUT_MODEL = ("quotes", "abstained", "small_talk")


def end_note(turn: Turn) -> str:
    """Return why an answer ended before the model was ready with it, or ""."""
    words = strings()
    notes = {
        "length": words.stopped_at_length,
        "repetition": words.stopped_at_repetition,
        "stopped": words.stopped,
        "cut": words.cut,
    }
    return "" if turn.error else notes.get(turn.finish_reason or "", "")


def answer_line(turn: Turn) -> str:
    """Return the line as HTML, or "" for a turn without measurements."""
    if turn.measurements is None:
        return ""
    summary, details = " · ".join(_summary(turn, turn.measurements)), " · ".join(_details(turn, turn.measurements))
    if not details:
        return f'<div class="sp-line">{summary}</div>' if summary else ""
    return f'<details class="sp-line"><summary>{summary}</summary>{details}</details>'


def _summary(turn: Turn, measured: Measurements) -> Iterator[str]:
    words = strings()
    if turn.finish_reason in WITHOUT_MODEL:
        if measured.quotes_seconds is not None:
            yield words.fill(words.quotes_after, seconds=measured.quotes_seconds)
        return
    yield escape(turn.target_title or turn.target)
    if measured.total_seconds is not None:
        yield words.fill(words.total_time, seconds=measured.total_seconds)
    if measured.output_tokens is not None:
        yield words.pluralize(words.tokens_one, words.tokens, tokens=measured.output_tokens)


def _details(turn: Turn, measured: Measurements) -> Iterator[str]:
    words = strings()
    if turn.finish_reason not in WITHOUT_MODEL:
        if measured.quotes_seconds is not None:
            yield words.fill(words.quotes_after, seconds=measured.quotes_seconds)
        if measured.first_token_seconds is not None:
            yield words.fill(words.first_text, seconds=measured.first_token_seconds)
        if measured.tokens_per_second:
            yield words.fill(words.speed, rate=measured.tokens_per_second)
        if measured.input_tokens is not None:
            yield _tokens_sent(measured.input_tokens, measured.context_window)
    if turn.abstention:
        yield words.no_close_match
    if measured.omitted_passages:
        yield words.pluralize(words.passages_omitted_one, words.passages_omitted, passages=measured.omitted_passages)


def _tokens_sent(tokens: int, window: int | None) -> str:
    words = strings()
    if window:
        return words.fill(words.tokens_in_of, input=tokens, window=window, share=tokens / window)
    return words.fill(words.tokens_in, input=tokens)
