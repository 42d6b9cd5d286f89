"""Where a span of a PDF page's text is on the page."""

from __future__ import annotations

from collections.abc import Iterator
from os.path import commonpath
from typing import Any

from rag.reading.formats.pdf.ligatures import SECOND_LETTERS
from rag.reading.formats.pdf.reader import page_characters
from rag.reading.layout.page_text import LIGATURES

_MOVED_LETTERS = 40  # of a word that a page break interrupts

Box = tuple[float, float, float, float]


def highlighted_characters(page: Any, text: str, highlight: tuple[int, int]) -> list[Box]:
    """Return the boxes of the highlighted characters in points: left, bottom, right, top.

    The page is read as it was for its text, so the k-th letter or digit of the text is the k-th of the page. A word
    that a page break interrupts is an exception: its second part is on the other page.
    """
    letters = "".join(_letters(text))
    before = sum(1 for _ in _letters(text[: highlight[0]]))
    count = sum(1 for _ in _letters(text[highlight[0] : highlight[1]]))
    for characters in page_characters(page):
        on_page = [(index, letter) for index, character in characters for letter in _letters(character)]
        positions = _positions(letters, "".join(letter for _, letter in on_page))
        if positions and count:
            places = (on_page[position][0] for position in positions[before : before + count] if position is not None)
            text_page = page.get_textpage()
            boxes = (text_page.get_charbox(index, loose=True) for index in places if index >= 0)
            return [box for box in boxes if box[0] < box[2] and box[1] < box[3]]
    return []


def _positions(letters: str, on_page: str) -> list[int | None]:
    """Return for each letter of a text its position on the page, or no positions if the texts differ.

    A few letters in a row may be missing on one side.
    """
    if len(letters) > len(on_page) and (positions := _with_ligatures(letters, on_page)):
        return positions
    start = len(commonpath([letters, on_page]))
    more = len(letters) - len(on_page)
    rest = min(len(letters), len(on_page)) - start
    if abs(more) > _MOVED_LETTERS or (rest and letters[-rest:] != on_page[-rest:]):
        return []
    return [
        position if position < start else position - more if position >= start + max(more, 0) else None
        for position in range(len(letters))
    ]


def _with_ligatures(letters: str, on_page: str) -> list[int | None]:
    """Return the positions if nothing but second letters of ligatures is missing on the page; they share a position."""
    positions: list[int | None] = []
    at = 0
    for letter in letters:
        if on_page[at : at + 1] == letter:
            at += 1
        elif not (at and on_page[at - 1] == "f" and letter in SECOND_LETTERS):
            return []
        positions.append(at - 1)
    return positions if at == len(on_page) else []


def _letters(text: str) -> Iterator[str]:
    return (character for character in text.translate(LIGATURES) if character.isalnum())
