"""The preview in the source panel: the place of a citation in its document, highlighted.

All text of the document is escaped: none of its tags, scripts, links or images reaches the page.
"""

from __future__ import annotations

import hashlib
from functools import partial
from html import escape

from chat_page.rendering.markdown import shorten
from chat_page.sources.csv_preview import Span, table_html
from chat_page.sources.excerpt import prose_html
from chat_page.sources.page_picture import Picture, page_picture
from chat_page.sources.page_view import page_tools, picture_html
from chat_page.sources.photo import photo
from chat_page.translations.errors import error_parts
from chat_page.translations.languages import strings
from rag.documents import Document, Page, Passage
from rag.errors import DocumentError, FileError
from rag.reading.formats.pictures import SUFFIXES as PICTURE_SUFFIXES
from rag.reading.processes.pool import page_renderers

# How much text a preview shows before and after the passage.
CONTEXT_CHARACTERS, CONTEXT_LINES = 600, 6
PICTURE_TYPES = frozenset(PICTURE_SUFFIXES.values())


def preview_html(
    document: Document, passage: Passage, highlight: Span, original: bytes | None, *, page: int = 0
) -> str:
    """Return the place of a citation in its document; `highlight` is a span of `passage.text`.

    `original` is the uploaded file, if it is stored: a page of a PDF then becomes a picture. `page` is another page to
    show, or 0 for that of the citation.
    """
    words = strings()
    span = _document_span(document, passage, highlight)
    if other := next((each for each in document.pages if each.number == page), None):
        return _other_page(document, other, span, original)
    if document.media_type == "application/pdf" or document.media_type in PICTURE_TYPES:
        body = _page(document, passage, span, original)
    elif document.media_type == "text/csv":
        body = table_html(document, span)
    else:
        body = _text(document, passage, span)
    place = place_of(document, passage, span)
    excerpt = shorten(document.text[span[0] : span[1]])
    template = words.source_label_with_place if place else words.source_label
    label = escape(template.format(name=document.name, place=place, text=excerpt))
    return (
        f'<section class="sp-view" tabindex="-1" aria-label="{label}"><header><bdi class="sp-name">'
        f'{escape(document.name)}</bdi><bdi class="sp-place">{escape(place)}</bdi>'
        f"{page_tools(document, document.page_of(span[0]) or 0, 0)}</header>{body}</section>"
    )


def missing_html(passage: Passage) -> str:
    """Return the passage alone, for a document that was removed."""
    return (
        f'<section class="sp-view" tabindex="-1" aria-label="{escape(passage.document)}"><p class="sp-note">'
        f"{strings().document_removed}</p>"
        f'<div class="sp-text" dir="auto">{escape(passage.text.strip())}</div></section>'
    )


def place_of(document: Document, passage: Passage, span: Span) -> str:
    """Return the page, the headings or the rows of a span of the document."""
    words = strings()
    if page := document.page_of(span[0]):
        return words.fill(words.page_of, page=page, pages=len(document.pages))
    if document.media_type == "text/csv":
        first, last = (document.text.count("\n", 0, offset) + 1 for offset in span)
        return (words.row if first == last else words.rows).format(first=first, last=last)
    return passage.heading


def _document_span(document: Document, passage: Passage, highlight: Span) -> Span:
    """The highlight in characters of the document; the whole passage if the highlight is empty or out of range."""
    start, end = (passage.start + max(0, offset) for offset in highlight)
    end = min(end, passage.end, len(document.text))
    return (start, end) if start < end else (passage.start, min(passage.end, len(document.text)))


def _text(document: Document, passage: Passage, span: Span) -> str:
    """The passage with the span in <mark>, and separately some lines before and after it."""
    text = document.text
    page = next((page for page in document.pages if page.start <= passage.start < page.end), None)
    low, high = (page.start, page.end) if page else (0, len(text))
    before = _last_lines(text[max(low, passage.start - CONTEXT_CHARACTERS) : passage.start])
    after = _first_lines(text[passage.end : min(high, passage.end + CONTEXT_CHARACTERS)])
    return (
        f'<div class="sp-text" tabindex="0" role="group" aria-label="{strings().text_part}">'
        f"{_context(before, 'before')}"
        f'<div class="sp-passage" dir="auto">{prose_html(text, passage.start, passage.end, [span])}</div>'
        f"{_context(after, 'after')}</div>"
    )


def _context(text: str, where: str) -> str:
    words = prose_html(text, 0, len(text), [])
    return f'<div class="sp-around sp-{where}" dir="auto">{words}</div>' if text.strip() else ""


def _last_lines(text: str) -> str:
    if len(text) == CONTEXT_CHARACTERS:  # cut off: begin with a whole word
        text = "… " + text.partition(" ")[2]
    return "".join(text.splitlines(keepends=True)[-CONTEXT_LINES:]).strip("\n")


def _first_lines(text: str) -> str:
    if len(text) == CONTEXT_CHARACTERS:
        text = text.rpartition(" ")[0] + " …"
    return "".join(text.splitlines(keepends=True)[:CONTEXT_LINES]).strip("\n")


def _page(document: Document, passage: Passage, span: Span, original: bytes | None) -> str:
    """The page as a picture with its text folded below it; if that fails, the text with the reason."""
    words = strings()
    text = _text(document, passage, span)
    page = next((page for page in document.pages if page.start <= span[0] < page.end), None)
    if original is None or page is None:
        return f'<p class="sp-note">{words.file_not_stored}</p>{text}'
    if hashlib.sha256(original).hexdigest()[:16] != document.id:
        return f'<p class="sp-note">{words.file_differs}</p>{text}'
    try:
        picture = _draw(document, page, span, original)
    except DocumentError as error:
        return _reason(error) + text
    excerpt = shorten(document.text[span[0] : span[1]])
    alt = words.fill(words.picture, page=page.number, name=document.name, text=excerpt)
    if not picture.boxes:
        note = f'<p class="sp-note">{words.not_highlighted}</p>'
        return f"{picture_html(picture, alt)}{note}{text}"
    summary = f"<summary>{words.passage_text}</summary>"
    return f'{picture_html(picture, alt)}<details class="sp-more">{summary}{text}</details>'


def _other_page(document: Document, page: Page, cited: Span, original: bytes | None) -> str:
    """A page that the visitor leafs to, without a highlight; its text if it can't be drawn."""
    words = strings()
    place = words.fill(words.page_of, page=page.number, pages=len(document.pages))
    alt = f"{document.name}, {place}"
    text = escape(document.text[page.start : page.end].strip())
    body = f'<div class="sp-text" tabindex="0" role="group" aria-label="{words.text_part}" dir="auto">{text}</div>'
    if original is not None and hashlib.sha256(original).hexdigest()[:16] == document.id:
        try:
            body = picture_html(_draw(document, page, (page.start, page.start), original), alt)
        except DocumentError as error:
            body = _reason(error) + body
    tools = page_tools(document, page.number, document.page_of(cited[0]) or 0)
    return (
        f'<section class="sp-view" tabindex="-1" aria-label="{escape(alt)}"><header>'
        f'<bdi class="sp-place">{escape(place)}</bdi>{tools}</header>{body}</section>'
    )


def _reason(error: DocumentError) -> str:
    words = strings()
    # Of other errors, the page's language has only the kind.
    reason = error_parts(error)[0] if isinstance(error, FileError) else error.message
    return f'<p class="sp-note">{escape(words.fill(words.text_instead, reason=reason))}</p>'


def _draw(document: Document, page: Page, span: Span, original: bytes) -> Picture:
    start, end = max(span[0], page.start), min(span[1], page.end)
    lines = [line for line in document.recognized if page.start <= line.start < page.end]
    marks = [(line.left, line.top, line.right, line.bottom) for line in lines if line.start < end and line.end > start]
    draw = partial(page_renderers().run, data=original, number=page.number, marks=marks)
    if document.media_type in PICTURE_TYPES:
        return draw(photo, document.name, name=document.name)
    text, highlight = document.text[page.start : page.end], (start - page.start, end - page.start)
    if lines and not marks:
        # The text of pictures is none of the page's own characters.
        first, last = lines[0].start - page.start, lines[-1].end - page.start
        text = text[:first] + text[last:]
        if highlight[0] >= last:
            highlight = highlight[0] - (last - first), highlight[1] - (last - first)
    return draw(page_picture, document.name, text=text, highlight=highlight)
