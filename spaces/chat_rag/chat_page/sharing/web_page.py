"""A conversation as one HTML file: it needs no server, loads nothing, and its citations lead to the words cited."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt

from chat_page.rendering.answer_text import place, provenance, quotes_label, refusal_text, unsupported_lines
from chat_page.rendering.markdown import disarm_markdown, error_markdown, linked_answer, shorten
from chat_page.rendering.quotes import quote_counts, quotes_html
from chat_page.sources.excerpt import excerpt_html
from chat_page.sources.panel import anchor_targets, cited_passages
from chat_page.translations.languages import language_code, strings
from rag.answering.turn import Turn
from ui.markdown import ZERO_WIDTH_SPACE, split_code

MAX_TITLE = 80
_FORMULA = re.compile(r"\\(?=[()\[\]])")  # its backslash is an escape in Markdown


def as_html(turns: Sequence[Turn]) -> str:
    """Return the conversation as an HTML page, titled with its first question."""
    title = shorten(turns[0].question, MAX_TITLE) if turns else ""
    sections = "\n".join(_section(number, turn) for number, turn in enumerate(turns, start=1))
    template, style = _files()
    return template.substitute(language=language_code(strings()), title=escape(title), style=style, turns=sections)


@lru_cache(1)
def _files() -> tuple[Template, str]:
    template, style = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".html", ".css"))
    return Template(template), style


def _section(number: int, turn: Turn) -> str:
    words = strings()
    quotes = quotes_html(turn, number)
    parts = [f'<h1 dir="auto">{escape(turn.question)}</h1>', *_refusal(turn)]
    parts += [f"<h2>{escape(quotes_label(turn, words))}</h2>", quotes] if quotes else []
    answer = _rendered("\n".join(_answer(number, turn)))
    parts += [f"<h2>{escape(words.answer)}</h2>", answer] if answer else []
    sources = "".join(_sources(number, turn))
    parts += [f"<h2>{escape(words.sources)}</h2>", sources] if sources else []
    parts += [f"<footer>{_rendered(disarm_markdown(line))}</footer>" for line in provenance(turn)]
    return f"<section>{''.join(parts)}</section>"


def _refusal(turn: Turn) -> list[str]:
    is_refusal = turn.finish_reason == "abstained" and turn.abstention
    return [f"<p><strong>{escape(refusal_text(turn, strings()))}</strong></p>"] if is_refusal else []


def _answer(number: int, turn: Turn) -> Iterator[str]:
    """Yield the Markdown of an answer: its text, what the documents don't support, and the error that ended it."""
    if turn.abstention and turn.answer.strip():
        yield f"{strings().not_from_documents}\n"
    # The maker of a link wrote what it shows: there it stays text without links.
    marked = linked_answer(turn.answer, turn.markers, number, quote_counts(turn)).lstrip()
    yield disarm_markdown(turn.answer) if turn.shared else marked
    yield from map(disarm_markdown, unsupported_lines(turn))
    if turn.error:
        yield f"\n{error_markdown(*map(disarm_markdown, (turn.error.message, turn.error.remedy)))}"


def _sources(number: int, turn: Turn) -> Iterator[str]:
    places = [(citation.passage, []) for citation in turn.citations] if turn.shared else cited_passages(turn)
    for passage, spans in places:
        text = f'<blockquote dir="auto">{excerpt_html(passage, spans)}</blockquote>' if passage.text else ""
        targets = anchor_targets(number, passage, len(spans))
        name = f"<header><b>{passage.number}</b> {escape(place(passage))}</header>"
        yield f'<article id="source-{number}-{passage.number}">{targets}{name}{text}</article>'


def _rendered(markdown: str) -> str:
    """Return Markdown as HTML without the tags, images and invisible characters that it can have.

    A formula stays as it was written, in `\\(…\\)`: to draw it, the page would need a script.
    """
    parts = (part if is_code else _FORMULA.sub(r"\\\g<0>", part) for part, is_code in split_code(markdown))
    html: str = _renderer().render("".join(parts))
    return html.replace(ZERO_WIDTH_SPACE, "").strip()


@lru_cache(1)
def _renderer() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
