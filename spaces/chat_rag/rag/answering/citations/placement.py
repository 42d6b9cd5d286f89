"""Places quotes in the numbered passages: each quote is a part of one passage, which the source panel shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.answering.quotes import Quote
from rag.answering.retrieve import number_passages
from rag.documents import Passage

Span = tuple[int, int]


def passages_with_quotes(
    passages: Sequence[Passage], quotes: Sequence[Quote], *, limit: int, characters: int
) -> list[Passage]:
    """Return the passages of the quotes, in their order, and the next best ones, numbered from 1.

    They are at most `limit`, with at most `characters` together, but never without a passage for each quote.
    """
    chosen: list[Passage] = []
    for quote in quotes:
        if not passage_of(quote, chosen):
            chosen.append(passage_of(quote, passages) or _extended(quote, passages) or _own_passage(quote))
    room = characters - sum(len(passage.text) for passage in chosen)
    for passage in passages:
        if any(_contains(other, passage) for other in chosen):
            continue
        room -= len(passage.text)
        if len(chosen) >= limit or (chosen and room < 0):
            break
        chosen.append(passage)
    return number_passages(chosen)


def passage_of(quote: Quote, passages: Sequence[Passage]) -> Passage | None:
    """Return the passage that contains a quote, or None."""
    return next((passage for passage in passages if _contains(passage, quote)), None)


def _extended(quote: Quote, passages: Sequence[Passage]) -> Passage | None:
    """Return the passage that cuts the quote's sentence, with all of the sentence, or None."""
    for passage in passages:
        if passage.document_id != quote.document_id or quote.start >= passage.end or quote.end <= passage.start:
            continue
        before = passage.text[: max(0, quote.start - passage.start)]
        after = passage.text[quote.end - passage.start :]
        start, end = min(passage.start, quote.start), max(passage.end, quote.end)
        return replace(passage, start=start, end=end, text=f"{before}{quote.text}{after}")
    return None


def _contains(passage: Passage, part: Quote | Passage) -> bool:
    return passage.document_id == part.document_id and passage.start <= part.start and part.end <= passage.end


def quote_spans(number: int, quotes: Sequence[Quote], passages: Sequence[Passage]) -> list[Span]:
    """Return the parts of a passage's text that are quoted: of a table's row the cell, of other quotes all."""
    spans = []
    for quote in quotes:
        passage = passage_of(quote, passages)
        if passage and passage.number == number:
            span = (quote.answer_start, quote.answer_end) if quote.labels else (quote.start, quote.end)
            spans.append((span[0] - passage.start, span[1] - passage.start))
    return spans


def _own_passage(quote: Quote) -> Passage:
    """Return a passage that is the quote, for one that no passage contains."""
    return Passage(
        number=0,
        document_id=quote.document_id,
        document=quote.document,
        page=quote.page,
        heading=quote.heading,
        start=quote.start,
        end=quote.end,
        text=quote.text,
        score=round(quote.probability, 4),
        dense=None,
        lexical=None,
    )
