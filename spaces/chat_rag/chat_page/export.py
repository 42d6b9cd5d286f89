"""A conversation as plain values, and as Markdown and JSON to take along."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chat_page.conversation import sendable
from chat_page.memory import Sources
from ui.markdown import ZERO_WIDTH_SPACE, plain

VERSION = 1
LINKED_MARKER = re.compile(r"\[(\d{1,2})\]\(#source-[\w-]*\)")
# The first characters of what would fetch, lead away or be drawn. A space of no width behind them takes the meaning
# and leaves the look, in code as well: renderers do not agree on what is code, and who attacks knows where.
_ACTIVE = re.compile(r"<(?=[A-Za-z/!?])|!(?=\[)|\](?=[(\[:])|%(?=%%LATEX)|\$(?=\$)|[`~](?=[`~]{2,}\s*mermaid)", re.I)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Quote:
    """A passage that an answer cites; a link holds its number, document and page only.

    `start`, `end` and `spans`, the parts that support the answer, are character offsets into the document's extracted
    text; `text` is all of the passage.
    """

    number: int
    document: str
    page: int | None = None
    heading: str = ""
    start: int | None = None
    end: int | None = None
    text: str = ""
    spans: tuple[tuple[int, int], ...] = ()
    attributed: bool = False

    @property
    def place(self) -> str:
        """The document, and where in it, as people say it."""
        where = f"page {self.page}" if self.page else self.heading
        return f"{self.document}, {where}" if where else self.document


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer, with markers as `[1]`; `target` gave it, at `time` in ISO 8601 ("" if not known)."""

    question: str
    answer: str
    quotes: tuple[Quote, ...] = ()
    target: str = ""
    time: str = ""


def exchanges(
    history: Sequence[dict[str, Any]],
    sources: Mapping[int, Sources],
    answered: Mapping[int, tuple[str, str]] | None = None,
) -> tuple[Exchange, ...]:
    """The questions and answers of a page's history, without thoughts and errors.

    `sources` and `answered` (target, time) go by the number of the turn.
    """
    turns: list[tuple[str, list[str]]] = []
    for message in sendable(history):
        if message.role == "user":
            turns.append((message.content, []))
        elif turns:
            turns[-1][1].append(message.content)
    told = answered or {}
    return tuple(
        Exchange(question, _plain("\n\n".join(parts)), _quotes(sources.get(turn)), *told.get(turn, ("", "")))
        for turn, (question, parts) in enumerate(turns, start=1)
    )


def as_json(conversation: Sequence[Exchange]) -> str:
    """The conversation for programs: a list of exchanges, each citation with its document, place and exact span."""
    return json.dumps({"version": VERSION, "exchanges": [asdict(each) for each in conversation]}, ensure_ascii=False)


def as_markdown(conversation: Sequence[Exchange]) -> str:
    """The conversation for people; what shows it loads nothing from elsewhere. In code, JSON alone is to the letter."""
    return "\n\n---\n\n".join(_exchange_markdown(each) for each in conversation) + "\n"


def given_by(exchange: Exchange) -> list[str]:
    """A line that says who gave the answer and when, or none."""
    told = " · ".join(part for part in (exchange.target, exchange.time) if part)
    return [f"*{told}*"] if told else []


def harmless(text: str) -> str:
    """Text of a stranger that a page can show as Markdown: no tag, picture, link, diagram or formula in it."""
    return _ACTIVE.sub(f"\\g<0>{ZERO_WIDTH_SPACE}", _CONTROL.sub("", text))


def _plain(answer: str) -> str:
    """An answer as the model gave it, with its citations as numbers."""
    return plain(LINKED_MARKER.sub(r"[\1]", answer))


def _quotes(sources: Sources | None) -> tuple[Quote, ...]:
    return tuple(
        Quote(
            number=(passage := citation.passage).number,
            document=passage.document,
            page=passage.page,
            heading=passage.heading,
            start=passage.start,
            end=passage.end,
            text=passage.text,
            spans=tuple((passage.start + start, passage.start + end) for start, end in citation.spans if start < end),
            attributed=citation.attributed,
        )
        for citation in (sources.citations if sources else ())
    )


def _exchange_markdown(exchange: Exchange) -> str:
    parts = ["### Question", exchange.question, "### Answer", exchange.answer, *map(_quote_markdown, exchange.quotes)]
    return harmless("\n\n".join([*parts, *given_by(exchange)]))


def _quote_markdown(quote: Quote) -> str:
    """The spans that support the answer, or all of the passage where none is known."""
    lines = [f"**[{quote.number}] {quote.place}**"]
    for start, end in sorted(set(quote.spans)) or [(quote.start or 0, quote.end or 0)]:
        quoted = quote.text[start - (quote.start or 0) : end - (quote.start or 0)]
        lines += ["", f"Characters {start:,} to {end:,}:", "", *quoted.strip().splitlines()] if quoted else []
    return "\n".join(f"> {line}".rstrip() for line in lines)
