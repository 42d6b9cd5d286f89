"""An answer as text: its words, why there is none, its place and what the documents don't support."""

from __future__ import annotations

from datetime import UTC, datetime

from chat_page.strings import Strings
from chat_page.translations.languages import language_name, strings
from rag.answering.quotes import Quote
from rag.answering.turn import Turn
from rag.documents import Passage


def answer_text(turn: Turn, words: Strings) -> str:
    """Return the answer as text; it says so if the documents don't answer the question."""
    if turn.finish_reason == "abstained":
        return refusal_text(turn, words)
    answer = turn.answer.strip()
    return f"{words.not_from_documents}\n\n{answer}" if turn.abstention and answer else answer


def quotes_label(turn: Turn, words: Strings) -> str:
    """Return what the quotes are called: those that don't answer, or may not, only come closest."""
    return words.nearest_label if turn.abstention or turn.unsure else words.quotes_label


def refusal_text(turn: Turn, words: Strings) -> str:
    """Return that the documents don't answer the question, and why."""
    abstention = turn.abstention
    if abstention and abstention.names:
        return f"{words.refusal} {words.fill(words.not_mentioned, names=', '.join(abstention.names))}"
    if abstention and abstention.years:
        years, covered = ", ".join(abstention.years), ", ".join(abstention.covered_years)
        return f"{words.refusal} {words.fill(words.other_years, years=years, covered=covered)}"
    if abstention and abstention.languages:
        languages = words.alternatives.join(language_name(each, words) for each in abstention.languages)
        return f"{words.refusal} {words.fill(words.other_language, languages=languages)}"
    return words.refusal


def place(passage: Passage | Quote) -> str:
    """Return the document of a passage or quote and its place there."""
    words = strings()
    where = words.fill(words.page_number, page=passage.page) if passage.page else passage.heading
    return f"{passage.document}, {where}" if where else passage.document


def provenance(turn: Turn) -> list[str]:
    """Return a line with the model and the time of an answer, or nothing."""
    line = " · ".join(part for part in (turn.target_title or turn.target, turn.asked_at) if part)
    return [f"*{line}*"] if line else []


def unsupported_lines(turn: Turn) -> list[str]:
    """Return the sentences of an answer that the documents don't support, below a line that says so, or nothing."""
    lines = [f"- {' '.join(turn.answer[sentence.start : sentence.end].split())}" for sentence in turn.unsupported]
    return ["", strings().unsupported_list, "", *lines, ""] if lines else []


def iso_time(seconds: float) -> str:
    """Return a Unix time as text, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
