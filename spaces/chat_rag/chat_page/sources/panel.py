"""The source panel: a card for each passage, which opens the passage's place in the document.

A citation in an answer links to the id of a place in the panel (see `anchors` in `rag.answering.citations.markers`). A
script of the page finds the card with that id and clicks its button. The button requests the preview, which panel.js
puts into the card.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from chat_page.rendering.markdown import shorten
from chat_page.sources.excerpt import excerpt_html
from chat_page.translations.languages import strings
from rag.answering.citations.markers import anchor
from rag.answering.citations.placement import quote_spans
from rag.answering.turn import Turn
from rag.answering.types import Citation
from rag.documents import Passage

# 0.5 is the score of an average chunk; 0.73 is two standard deviations better, 0.62 one.
STRONG_SCORE, GOOD_SCORE = 0.73, 0.62
Span = tuple[int, int]
_SOURCE_KEY = re.compile(r"(\d{1,6})-(\d{1,3})")


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A passage that a visitor opens; `span` is the part of its text to highlight.

    `claim` is the quote or citation, counted from 0: a passage's quotes come first. `page` is another page of the
    document that the visitor leafs to, or 0.
    """

    turn: int
    passage: Passage
    span: tuple[int, int]
    claim: int
    page: int = 0


def find_source(turns: Sequence[Turn], source: str, claim: int, page: int = 0) -> OpenSource | None:
    """Return the passage that a `select` event names, or None. The event comes from the browser: trust nothing."""
    key = _SOURCE_KEY.fullmatch(source)
    if not key or not 1 <= int(key[1]) <= len(turns):
        return None
    turn, number = turns[int(key[1]) - 1], int(key[2])
    passage = next((passage for passage in turn.passages if passage.number == number), None)
    if passage is None:
        return None
    spans = _cited_spans(turn, number)
    span = spans[claim] if 0 <= claim < len(spans) else (0, len(passage.text))
    return OpenSource(int(key[1]), passage, span, claim, page)


def preview_value(source: OpenSource, preview: str) -> str:
    """Return the value of the hidden component: the preview with the key of its card."""
    key, view = f"{source.turn}-{source.passage.number}", f"{source.claim}-{source.page}"
    return f'<div data-preview="{key}" data-view="{view}">{preview}</div>'


def sources_html(turns: Sequence[Turn]) -> str:
    """Return the source panel, the newest answer first: quoted and cited passages, then, folded, the other ones."""
    with_sources = [(number, turn) for number, turn in enumerate(turns, start=1) if turn.passages]
    if not with_sources:
        return f'<p class="sp-empty">{strings().no_sources}</p>'
    *older, newest = with_sources
    earlier = "".join(
        f'<details class="sp-turn"><summary>{escape(shorten(turn.question, 80))}</summary>'
        f"{_turn(number, turn)}</details>"
        for number, turn in reversed(older)
    )
    return f'<div class="sp-sources">{_turn(*newest)}{earlier}</div>'


def _turn(number: int, turn: Turn) -> str:
    words = strings()
    citations = {citation.passage.number: citation for citation in turn.citations}
    cited = cited_passages(turn)
    rest = [passage for passage in turn.passages if all(passage is not each for each, _ in cited)]
    cards = "".join(
        _card(number, passage, spans, _origin(turn, citations.get(passage.number))) for passage, spans in cited
    )
    note = f'<p class="sp-note">{_invalid_markers(turn.invalid_markers)}</p>' if turn.invalid_markers else ""
    if not rest:
        return cards + note
    folded = "".join(_card(number, passage) for passage in rest)
    summary = (words.also_retrieved if cards else words.retrieved).format(passages=len(rest))
    return f'{cards}{note}<details class="sp-more"><summary>{summary}</summary>{folded}</details>'


def cited_passages(turn: Turn) -> list[tuple[Passage, list[Span]]]:
    """Return the passages that are quoted or cited, each with those parts of its text."""
    cited = {citation.passage.number for citation in turn.citations}
    passages = ((passage, _cited_spans(turn, passage.number)) for passage in turn.passages)
    return [(passage, spans) for passage, spans in passages if spans or passage.number in cited]


def _cited_spans(turn: Turn, number: int) -> list[Span]:
    """The parts of a passage that are quoted, then those that the answer cites."""
    citation = next((citation for citation in turn.citations if citation.passage.number == number), None)
    return quote_spans(number, turn.quotes, turn.passages) + list(citation.spans if citation else ())


def _origin(turn: Turn, citation: Citation | None) -> tuple[str, str]:
    """The class of a card, and who cited its passage."""
    words = strings()
    if citation is None:
        return " sp-quoted", words.nearest if turn.abstention or turn.unsure else words.quoted
    if citation.attributed:
        return " sp-matched", words.by_spaceport
    return " sp-model", words.by_model


def _card(turn: int, passage: Passage, spans: Sequence[Span] = (), origin: tuple[str, str] = ("", "")) -> str:
    """A passage: a button with its number, document and place, its text, and who cited it."""
    words = strings()
    key = f"{turn}-{passage.number}"
    place = words.fill(words.page_number, page=passage.page) if passage.page else passage.heading
    name = f'<bdi class="sp-name">{escape(passage.document)}</bdi><bdi class="sp-place">{escape(place)}</bdi>'
    kind, how = origin
    how = f'<span class="sp-how">{how}</span>' if how else ""
    return (
        f'<article class="sp-card{kind}" id="source-{key}" tabindex="-1">{anchor_targets(turn, passage, len(spans))}'
        f'<button type="button" class="sp-opener" data-open="{key}" aria-expanded="false"'
        f' aria-controls="preview-{key}" title="{words.open_source}"><b class="sp-number">{passage.number}</b>'
        f'{name}</button><blockquote dir="auto">{excerpt_html(passage, spans)}</blockquote>'
        f'<div class="sp-slot" id="preview-{key}" data-opening="{words.opening}" hidden></div>'
        f"<footer>{how}{_match(passage)}</footer></article>"
    )


def anchor_targets(turn: int, passage: Passage, count: int) -> str:
    """Return the targets of an answer's links to a passage, which lead to it even without the script."""
    places = [anchor(turn, passage.number, claim) for claim in range(max(1, count))]
    names = {name for place in places for name in (place, f"{place}a")} - {places[0]}
    return "".join(f'<span id="{name}"></span>' for name in sorted(names))


def _match(passage: Passage) -> str:
    """How well a passage matches the question, with the numbers folded."""
    words = strings()
    match = words.weak_match
    if passage.score >= GOOD_SCORE:
        match = words.strong_match if passage.score >= STRONG_SCORE else words.good_match
    return f"<details><summary>{match}</summary>{_scores(passage)}</details>"


def _scores(passage: Passage) -> str:
    words = strings()
    dense = "–" if passage.dense is None else words.fill("{value:.2f}", value=passage.dense)
    lexical = "–" if passage.lexical is None else words.fill("{value:.1f}", value=passage.lexical)
    return words.fill(words.scores, score=passage.score, dense=dense, lexical=lexical)


def _invalid_markers(count: int) -> str:
    words = strings()
    return words.pluralize(words.invalid_markers_one, words.invalid_markers, count=count)
