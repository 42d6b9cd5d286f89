"""Values to what a page shows: Markdown that is safe to display, and HTML with everything escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from backends import Stopwatch
from page import bar_html, outside_code, safe_markdown
from rag.documents import Document
from rag.retrieve import Passage
from rag.visitors import Sources

EARLY = {"length": "cut at the longest answer that Settings allow", "repetition": "stopped, it repeated itself"}
_MARKER = re.compile(r"\[(\d{1,2})(\+?)\]")


def marker(number: int, attributed: bool) -> str:
    """A citation inside an answer's text, until `linked` makes it a link; `+` is an attribution of ours."""
    return f"[{number}{'+' if attributed else ''}]"


def linked(text: str, turn: int, passages: int) -> str:
    """`text` with each marker of a passage as a link to it in the source panel."""

    def link(match: re.Match[str]) -> str:
        if not 1 <= int(match[1]) <= passages:
            return match[0]
        return f"[{match[1]}](#source-{turn}-{match[1]}{'a' if match[2] else ''})"

    return "".join(part if code else _MARKER.sub(link, part) for part, code in outside_code(text))


def error_markdown(message: str, remedy: str) -> str:
    """An error as a block of its own in the conversation."""
    lines = [f"**{safe_markdown(_one_line(message))}**", safe_markdown(_one_line(remedy))]
    return "\n>\n".join(f"> {line}" for line in lines if line.strip("*"))


def sources_html(answers: Iterable[Sources]) -> str:
    """The source panel, the newest answer first: what was cited, then, folded, what else was retrieved."""
    turns = sorted((sources for sources in answers if sources.passages), key=lambda sources: -sources.turn)
    if not turns:
        return '<p class="sp-empty">The passages that an answer rests on appear here.</p>'
    newest, *older = turns
    earlier = "".join(
        f'<details class="sp-turn"><summary>{escape(_short(sources.question))}</summary>{_turn(sources)}</details>'
        for sources in older
    )
    return f'<div class="sp-sources">{_turn(newest)}{earlier}</div>'


def documents_html(documents: Sequence[Document], notes: Sequence[tuple[str, bool]] = ()) -> str:
    """The visitor's documents with a button to remove each, and one line a file of what became of it.

    A note is its text and whether it is good news.
    """
    items = "".join(
        f'<li><span class="sp-name" title="{escape(document.name)}">{escape(document.name)}</span>'
        f'<span class="sp-size">{_size(document)}</span>'
        f'<button type="button" data-remove="{escape(document.id)}" aria-label="Remove {escape(document.name)}"'
        ' title="Remove">&times;</button></li>'
        for document in documents
    )
    told = "".join(f'<p class="sp-note {"" if good else "sp-bad"}">{escape(text)}</p>' for text, good in notes)
    return f'<div class="sp-documents">{f"<ul>{items}</ul>" if items else ""}<div role="status">{told}</div></div>'


def progress_html(name: str, step: str, share: float | None) -> str:
    """How far the reading of a file is."""
    return bar_html(f"{step} {name} … {share or 0:.0%}", share or 0)


def reading(passages: int) -> str:
    """What the model does before its first word."""
    return f"Reading {passages} passage{'s' if passages > 1 else ''}" if passages else "Thinking of an answer"


def figures_html(target: str, watch: Stopwatch, finish_reason: str | None = None) -> str:
    """One line under an answer: who answered, how fast, for how many tokens, and why it ended early if it did."""
    first, rate, usage = watch.first_token_seconds, watch.tokens_per_second, watch.usage
    told = [escape(target)]
    if first is not None:
        told.append(f"first token {first:.2f} s")
    if rate:
        told.append(f"{rate:.0f} tokens/s")
    if usage:
        told.append(f"{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out")
    if finish_reason in EARLY:
        told.append(EARLY[finish_reason])
    return f'<p class="sp-note">{" · ".join(told)}</p>'


def _turn(sources: Sources) -> str:
    cited = {citation.passage.number: citation for citation in sources.citations}
    first = [passage for passage in sources.passages if passage.number in cited]
    rest = [passage for passage in sources.passages if passage.number not in cited]
    cards = "".join(_card(sources.turn, passage, cited[passage.number].attributed) for passage in first)
    removed = f'<p class="sp-note">{_removed(sources.removed)}</p>' if sources.removed else ""
    if not rest:
        return cards + removed
    folded = "".join(_card(sources.turn, passage, None) for passage in rest)
    summary = "Also retrieved" if first else "Retrieved"
    return f'{cards}{removed}<details class="sp-more"><summary>{summary} ({len(rest)})</summary>{folded}</details>'


def _card(turn: int, passage: Passage, attributed: bool | None) -> str:
    place = f"page {passage.page}" if passage.page else passage.heading
    anchor = f"source-{turn}-{passage.number}"
    how = {None: "", True: "matched by words", False: "cited by the model"}[attributed]
    return (
        f'<article class="sp-card" id="{anchor}" tabindex="-1"><span id="{anchor}a"></span>'
        f'<header><b class="sp-number">{passage.number}</b><span class="sp-name">{escape(passage.document)}</span>'
        f'<span class="sp-place">{escape(place)}</span></header>'
        f"<blockquote>{escape(passage.text.strip())}</blockquote>"
        f"<footer>{_scores(passage)}{f' · {how}' if how else ''}</footer></article>"
    )


def _scores(passage: Passage) -> str:
    dense = "–" if passage.dense is None else f"{passage.dense:.2f}"
    lexical = "–" if passage.lexical is None else f"{passage.lexical:.1f}"
    return f"score {passage.score:.2f} (meaning {dense}, words {lexical})"


def _removed(count: int) -> str:
    if count == 1:
        return "1 citation of the model named no passage and was removed."
    return f"{count} citations of the model named no passage and were removed."


def _size(document: Document) -> str:
    if document.pages:
        return f"{len(document.pages)} page{'s' if len(document.pages) > 1 else ''}"
    return f"{max(1, len(document.text) // 1000):,} k characters"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _short(text: str, most: int = 80) -> str:
    text = _one_line(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
