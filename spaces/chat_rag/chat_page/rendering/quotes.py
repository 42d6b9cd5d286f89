"""Quotes as the conversation shows them: the exact words, linked to their places, below a note if they are unsure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from chat_page.rendering.answer_text import place, quotes_label
from chat_page.rendering.emphasis import BOLD, ITALIC
from chat_page.translations.languages import strings
from rag.answering.citations.markers import anchor
from rag.answering.citations.placement import passage_of
from rag.answering.quotes import Quote
from rag.answering.turn import Turn
from rag.documents import Passage

# What begins a formula for the page.
_FORMULA = re.compile(r"\$(?=\$)|\\(?=[(\[])")


@dataclass(frozen=True, slots=True)
class ShownQuotes:
    """The quotes of a turn as HTML, and how many each passage has, by its number.

    They stay the same while the model writes.
    """

    html: str
    counts: Mapping[int, int]

    @classmethod
    def of(cls, turn: Turn, number: int) -> ShownQuotes:
        return cls(quotes_html(turn, number), quote_counts(turn))


def quotes_html(turn: Turn, number: int) -> str:
    """Return the quotes of turn `number` as one block of HTML in Markdown; "" without quotes.

    It has no line break: an empty line would end the block, and Markdown would read the document's words.
    """
    words = strings()
    label = escape(quotes_label(turn, words))
    note = escape(words.unsure) if turn.unsure else f"{label}:" if turn.abstention else ""
    note = f'<p class="sp-unsure">{note}</p>' if note else ""
    # A mark says "this is the answer". The nearest quotes of a refusal have none; those that may answer keep theirs.
    mark = ("", "") if turn.abstention else ("<mark>", "</mark>")
    items = "".join(
        f'<figure class="sp-quote"><blockquote dir="auto">{_words(quote, mark)}</blockquote>'
        f"<figcaption>{_source(quote, passage, number, claim)}</figcaption></figure>"
        for quote, passage, claim in placed_quotes(turn)
    )
    return f'<div class="sp-quotes" role="group" aria-label="{label}">{note}{items}</div>' if items else ""


def placed_quotes(turn: Turn) -> Iterator[tuple[Quote, Passage | None, int]]:
    """Yield each quote with its passage and its number, from 0, among the quotes of that passage."""
    counts: Counter[int] = Counter()
    for quote in turn.quotes:
        passage = passage_of(quote, turn.passages)
        number = passage.number if passage else 0
        yield quote, passage, counts[number]
        counts[number] += 1


def quote_counts(turn: Turn) -> dict[int, int]:
    """Return how many quotes each passage has, by its number."""
    return Counter(passage.number for _, passage, _ in placed_quotes(turn) if passage)


def _words(quote: Quote, mark: tuple[str, str]) -> str:
    left, right = mark
    if quote.labels:
        left = left.replace("<mark", '<mark class="sp-cell"')
        value = f"{left}{_text(quote.answer)}{right}{f' {_text(quote.unit)}' if quote.unit else ''}"
        return " · ".join([*map(_text, quote.path), value])
    start, end = quote.answer_start - quote.start, quote.answer_end - quote.start
    return f"{_text(quote.text[:start])}{left}{_text(quote.text[start:end])}{right}{_text(quote.text[end:])}"


def _source(quote: Quote, passage: Passage | None, number: int, claim: int) -> str:
    """The link to the place in the source panel, or the place alone if the passage isn't here."""
    if passage is None:
        return _text(place(quote))
    link = anchor(number, passage.number, claim)
    return f'<a href="#{link}"><b>{passage.number}</b> {_text(place(quote))}</a>'


def _text(text: str) -> str:
    """The text escaped, in one line, with its emphasis and nothing that the page would draw as a formula."""
    edges = (" " if text[:1].isspace() else "", " " if text[-1:].isspace() else "")
    line = ITALIC.sub(r"<i>\1</i>", BOLD.sub(r"<b>\1</b>", escape(" ".join(text.split()))))
    return _FORMULA.sub(r"\g<0><wbr>", f"{edges[0]}{line}{edges[1]}") if line else edges[0]
