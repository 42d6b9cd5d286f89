"""Values to what a page shows: Markdown that is safe to display, and HTML with everything escaped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from html import escape

from backends import Stopwatch
from chat_page.strings import ENGLISH, counted
from rag.answering import budget
from rag.answering.answer import Found
from rag.answering.cite import CLOSE, OPEN
from rag.documents import Document
from rag.library.ingest import File, Snapshot
from ui.markdown import ZERO_WIDTH_SPACE, safe_markdown, split_code

EARLY = {
    "length": ENGLISH.cut_at_length,
    "repetition": ENGLISH.cut_at_repetition,
    "abstained": ENGLISH.not_asked,
}
_MARKER = re.compile(rf"(!?){OPEN}(\d+)(a?){CLOSE}")
_CHARACTER_NUMBER = re.compile(r"&(?=#\w{1,8};?|num;)")


def marker(number: int, attributed: bool) -> str:
    """A citation inside an answer's text, until `linked` makes it a link; the model cannot write one."""
    return f"{OPEN}{number}{'a' if attributed else ''}{CLOSE}"


def linked(text: str, turn: int, passages: int) -> str:
    """`text` with each marker of a passage as a link to it in the source panel.

    The first citation of a passage links to `#source-TURN-NUMBER`, the next ones to `#source-TURN-NUMBER-K` with K
    from 1, with an `a` behind it if it is an attribution of ours. No other link of the text leads to the panel.
    """
    seen: Counter[str] = Counter()

    def link(match: re.Match[str], code: bool) -> str:
        mark, number, attributed = match.groups()
        if not 1 <= int(number) <= passages:
            return mark
        before = seen[number]
        seen[number] += 1
        if code:
            return f"{mark}[{number}]"
        place = f"{turn}-{number}{f'-{before}' if before else ''}{attributed}"
        # “Great![1]” must not become a picture.
        return f"{mark}{ZERO_WIDTH_SPACE if mark else ''}[{number}](#source-{place})"

    return "".join(
        _MARKER.sub(partial(link, code=code), part if code else _without_own_links(part))
        for part, code in split_code(text)
    )


def error_markdown(message: str, remedy: str) -> str:
    """An error as a block of its own in the conversation."""
    lines = [f"**{safe_markdown(_one_line(message))}**", safe_markdown(_one_line(remedy))]
    return "\n>\n".join(f"> {line}" for line in lines if line.strip("*"))


def documents_html(documents: Sequence[Document], files: Snapshot | None = None) -> str:
    """The visitor's documents with a button to remove each, how far new files are, and what became of each."""
    items = "".join(
        f'<li><span class="sp-name" title="{escape(document.name)}">{escape(document.name)}</span>'
        f'<span class="sp-size">{_size(document)}</span>'
        f'<button type="button" data-remove="{escape(document.id)}" title="{ENGLISH.remove}"'
        f' aria-label="{escape(ENGLISH.remove_named.format(name=document.name))}">&times;</button></li>'
        for document in documents
    )
    waiting = "".join(_coming(file) for file in files.files if not file.result) if files else ""
    results = files.results if files else []
    told = "".join(f'<p class="sp-note {"" if good else "sp-bad"}">{escape(text)}</p>' for text, good in results)
    listed = f"<ul>{items}{waiting}</ul>" if items or waiting else ""
    return f'<div class="sp-documents">{listed}<div role="status">{told}</div></div>'


def _coming(file: File) -> str:
    """A file on its way: how far it is, and a button that stops it."""
    far = f"{file.step} {file.share:.0%}" if file.share is not None else file.step
    bar = f'<div class="sp-bar"><i style="width:{file.share or 0:.1%}"></i></div>'
    return (
        f'<li class="sp-coming"><span class="sp-name" title="{escape(file.name)}">{escape(file.name)}</span>'
        f'<span class="sp-size">{escape(far)}</span><button type="button" data-cancel="{file.number}"'
        f' aria-label="{escape(ENGLISH.stop_named.format(name=file.name))}" title="{ENGLISH.stop}">&times;</button>'
        f"{bar}</li>"
    )


def reading(passages: int) -> str:
    """What the model does before its first word."""
    if not passages:
        return ENGLISH.reading_nothing
    return counted(ENGLISH.reading_one, ENGLISH.reading, passages=passages)


def figures_html(target: str, watch: Stopwatch, found: Found | None = None, finish_reason: str | None = None) -> str:
    """One line under an answer: who answered, how fast, for how many tokens of what the model holds, and what else
    is to be known: what was searched for, what was left out, why it ended early."""
    first, rate, usage = watch.first_token_seconds, watch.tokens_per_second, watch.usage
    told = [escape(target)]
    if first is not None:
        told.append(ENGLISH.first_text.format(seconds=first))
    if rate:
        told.append(ENGLISH.speed.format(rate=rate))
    if usage:
        context = found.context if found and found.context_known else None
        told += [budget.sent(usage, context), ENGLISH.tokens_out.format(output=usage.output_tokens)]
    if found and found.abstained:
        told.append(escape(found.abstained.reason))
    if found and found.left_out:
        told.append(ENGLISH.left_out.format(passages=found.left_out))
    if finish_reason in EARLY:
        told.append(EARLY[finish_reason])
    return f'<p class="sp-note">{" · ".join(told)}</p>'


def shortened(text: str, most: int = 160) -> str:
    """`text` in one line of at most so many characters."""
    text = _one_line(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _without_own_links(text: str) -> str:
    """The text without links to the source panel, however the model spells them."""
    return _CHARACTER_NUMBER.sub("&amp;", text).replace("#source-", f"#{ZERO_WIDTH_SPACE}source-")


def _size(document: Document) -> str:
    if document.pages:
        return counted(ENGLISH.page_count_one, ENGLISH.page_count, pages=len(document.pages))
    return ENGLISH.thousand_characters.format(thousands=max(1, len(document.text) // 1000))


def _one_line(text: str) -> str:
    return " ".join(text.split())
