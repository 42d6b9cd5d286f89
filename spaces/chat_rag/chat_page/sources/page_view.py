"""A drawn page as HTML: the picture, which the pane scrolls and zooms, and the buttons above it."""

from __future__ import annotations

from html import escape

from chat_page.sources.page_picture import Picture
from chat_page.translations.languages import strings
from rag.documents import Document


def picture_html(picture: Picture, alt: str) -> str:
    """Return the picture of a page, as wide as the pane, with an invisible place to scroll to at the first mark."""
    spot = ""
    if picture.boxes:
        left, top = picture.boxes[0][0] / picture.width, picture.boxes[0][1] / picture.height
        spot = f'<i class="sp-spot" style="left:{max(left, 0):.1%};top:{max(top, 0):.1%}"></i>'
    return (
        f'<div class="sp-page" tabindex="0" role="group" aria-label="{strings().page_part}">'
        f'<div class="sp-sheet">{spot}'
        f'<img src="{picture.uri}" width="{picture.width}" height="{picture.height}" alt="{escape(alt)}"></div></div>'
    )


def page_tools(document: Document, page: int, cited: int) -> str:
    """Return the buttons that leaf and zoom, for a document with pages; `cited` is the page to return to, or 0."""
    words = strings()
    if not page:
        return ""
    leaf = _leaf(page - 1, "‹", words.previous_page, page > 1) + _leaf(
        page + 1, "›", words.next_page, page < len(document.pages)
    )
    back = f'<button type="button" data-page="0">{words.cited_page}</button>' if cited else ""
    zoom = "".join(
        f'<button type="button" data-zoom="{step}" aria-label="{label}" title="{label}">{sign}</button>'
        for step, sign, label in ((-1, "−", words.zoom_out), (1, "+", words.zoom_in))
    )
    return f'<span class="sp-tools">{back}{leaf}{zoom}</span>'


def _leaf(page: int, sign: str, label: str, enabled: bool) -> str:
    state = "" if enabled else " disabled"
    return f'<button type="button" data-page="{page}" aria-label="{label}" title="{label}"{state}>{sign}</button>'
