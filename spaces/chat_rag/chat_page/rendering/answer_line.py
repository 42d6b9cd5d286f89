"""The quiet line under an answer: the model, the time and the tokens, with the details folded."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from chat_page.strings import ENGLISH, pluralize
from rag.answering.measurements import Measurements
from rag.answering.turn import Turn

END_NOTES = {
    "length": ENGLISH.stopped_at_length,
    "repetition": ENGLISH.stopped_at_repetition,
    "stopped": ENGLISH.stopped,
}
# How an answer ends that no model wrote.
WITHOUT_MODEL = ("quotes", "abstained", "small_talk")


def end_note(turn: Turn) -> str:
    """Return why an answer ended before the model was ready with it, or ""."""
    return "" if turn.error else END_NOTES.get(turn.finish_reason or "", "")


def answer_line(turn: Turn) -> str:
    """Return the line as HTML, or "" for a turn without measurements."""
    if turn.measurements is None:
        return ""
    summary, details = " · ".join(_summary(turn, turn.measurements)), " · ".join(_details(turn, turn.measurements))
    if not details:
        return f'<div class="sp-line">{summary}</div>' if summary else ""
    return f'<details class="sp-line"><summary>{summary}</summary>{details}</details>'


def _summary(turn: Turn, measured: Measurements) -> Iterator[str]:
    if turn.finish_reason in WITHOUT_MODEL:
        if measured.quotes_seconds is not None:
            yield ENGLISH.quotes_after.format(seconds=measured.quotes_seconds)
        return
    yield escape(turn.target)
    if measured.total_seconds is not None:
        yield ENGLISH.total_time.format(seconds=measured.total_seconds)
    if measured.output_tokens is not None:
        yield pluralize(ENGLISH.tokens_one, ENGLISH.tokens, tokens=measured.output_tokens)


def _details(turn: Turn, measured: Measurements) -> Iterator[str]:
    if turn.finish_reason not in WITHOUT_MODEL:
        if measured.quotes_seconds is not None:
            yield ENGLISH.quotes_after.format(seconds=measured.quotes_seconds)
        if measured.first_token_seconds is not None:
            yield ENGLISH.first_text.format(seconds=measured.first_token_seconds)
        if measured.tokens_per_second:
            yield ENGLISH.speed.format(rate=measured.tokens_per_second)
        if measured.input_tokens is not None:
            yield _tokens_sent(measured.input_tokens, measured.context_window)
    if turn.abstention:
        yield ENGLISH.no_close_match
    if measured.omitted_passages:
        yield pluralize(ENGLISH.passages_omitted_one, ENGLISH.passages_omitted, passages=measured.omitted_passages)


def _tokens_sent(tokens: int, window: int | None) -> str:
    if window:
        return ENGLISH.tokens_in_of.format(input=tokens, window=window, share=tokens / window)
    return ENGLISH.tokens_in.format(input=tokens)
