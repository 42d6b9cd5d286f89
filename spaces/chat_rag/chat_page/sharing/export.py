"""A conversation as Markdown and JSON to download."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from chat_page.conversations.conversation import Conversation
from chat_page.rendering.answer_text import answer_text, iso_time, place, provenance, quotes_label, unsupported_lines
from chat_page.rendering.markdown import disarm_markdown
from chat_page.strings import ENGLISH
from chat_page.translations.languages import strings
from rag.answering.quotes import Quote
from rag.answering.turn import Turn
from rag.answering.types import Citation, sentence_json

VERSION = 2


def as_json(turns: Sequence[Turn]) -> str:
    """Return the conversation for programs: questions and answers, each citation with its document and exact span.

    What the page itself says is in English. `start`, `end` and `spans` are character offsets into the document's
    extracted text.
    """
    return json.dumps({"version": VERSION, "exchanges": [_exchange(turn) for turn in turns]}, ensure_ascii=False)


def all_as_json(conversations: Iterable[Conversation]) -> str:
    """Return several conversations for programs, each with its title and times in ISO 8601."""
    values = [
        {"title": each.title, "created": iso_time(each.created), "updated": iso_time(each.updated)}
        | {"exchanges": [_exchange(turn) for turn in each.turns]}
        for each in conversations
    ]
    return json.dumps({"version": VERSION, "conversations": values}, ensure_ascii=False)


def as_markdown(turns: Sequence[Turn]) -> str:
    """Return the conversation for people. Displaying it loads nothing; code is exact only in the JSON."""
    return "\n\n---\n\n".join(_markdown(turn) for turn in turns) + "\n"


def _exchange(turn: Turn) -> dict[str, Any]:
    return {
        "question": turn.question,
        "quotes": [quote.as_json() for quote in turn.quotes],
        "unsure": turn.unsure,
        "answer": answer_text(turn, ENGLISH),
        "sentences": [sentence_json(sentence, turn.answer) for sentence in turn.sentences],
        "citations": [_citation(citation) for citation in turn.citations],
        "target": turn.target,
        "target_title": turn.target_title,
        "time": turn.asked_at,
    }


def _citation(citation: Citation) -> dict[str, Any]:
    """A citation as JSON; the passage of a shared turn has no text and no span."""
    passage = citation.passage
    return {
        "number": passage.number,
        "document": passage.document,
        "page": passage.page,
        "heading": passage.heading,
        "start": passage.start if passage.text else None,
        "end": passage.end if passage.text else None,
        "text": passage.text,
        "spans": [[passage.start + start, passage.start + end] for start, end in citation.spans if start < end],
        "attributed": citation.attributed,
    }


def _markdown(turn: Turn) -> str:
    words = strings()
    note = [words.unsure] if turn.unsure else []
    quotes = [f"### {quotes_label(turn, words)}", *note, *map(_quote_markdown, turn.quotes)] if turn.quotes else []
    unsupported = ["\n".join(unsupported_lines(turn)).strip()] if turn.unsupported else []
    answer = (
        [f"### {words.answer}", answer_text(turn, words), *unsupported]
        if turn.answer or not turn.quotes or turn.abstention
        else []
    )
    parts = [f"### {words.question}", turn.question, *quotes, *answer, *map(_citation_markdown, turn.citations)]
    return disarm_markdown("\n\n".join([*parts, *provenance(turn)]))


def _quote_markdown(quote: Quote) -> str:
    """A quote with its document, and of a table's cell what leads to it."""
    words = strings()
    characters = words.fill(words.characters, start=quote.start, end=quote.end)
    cell = [" · ".join([*quote.path, f"{quote.answer} {quote.unit}".strip()]), ""] if quote.labels else []
    lines = [f"**{place(quote)}**", "", *cell, characters, "", *quote.text.strip().splitlines()]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _citation_markdown(citation: Citation) -> str:
    """The spans that support the answer, or the whole passage if there are none."""
    words = strings()
    passage = citation.passage
    lines = [f"**[{passage.number}] {place(passage)}**"]
    spans = sorted({(start, end) for start, end in citation.spans if start < end}) or [(0, len(passage.text))]
    for start, end in spans if passage.text else ():
        characters = words.fill(words.characters, start=passage.start + start, end=passage.start + end)
        lines += ["", characters, "", *passage.text[start:end].strip().splitlines()]
    return "\n".join(f"> {line}".rstrip() for line in lines)
