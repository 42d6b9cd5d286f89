"""Lines of Arabic and Hebrew: PDFium returns parts of them as they look, here they are as they are read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from rag.reading.layout import pdfium
from rag.reading.layout.segments import Segment
from rag.reading.layout.words import Words

RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_SPACE = 0.16  # of the line's height: letters of a word are closer
_COLUMN = 0.9
_SAME_LINE = 0.35
_PAIRS = {"(": ")", "[": "]", "{": "}", "«": "»", "<": ">"}
_MIRROR = _PAIRS | {right: left for left, right in _PAIRS.items()}
_INSIDE_NUMBERS = frozenset(".,:/-–+%٪٫٬'’$€£₪#")


class _Character:
    __slots__ = ("bottom", "index", "left", "right", "size", "text")

    def __init__(self, index: int, text: str, place: Sequence[float]) -> None:
        self.index, self.text = index, text
        self.left, self.right, self.bottom, self.size = place


def is_right_to_left(text: str) -> bool:
    """Return whether most letters of a text are Arabic or Hebrew."""
    letters = sum(1 for character in text if character.isalpha())
    return 2 * len(RIGHT_TO_LEFT.findall(text)) > letters


def logical_segments(text_page: Any, words: Words, *, mirrored: bool) -> list[Segment]:
    """Return the segments of a page with Arabic or Hebrew words, each in the order in which it's read.

    With `mirrored`, places are counted from the right, so that the first column is the right one.
    """
    segments: list[Segment] = []
    for line in _lines(_characters(text_page, words)):
        for part in _parts(line):
            characters = _reading_order(part, mirrored=mirrored)
            segments.append(_segment(characters, mirrored=mirrored))
    segments.sort(key=lambda segment: min(index for index in segment.indexes if index >= 0))
    for order, segment in enumerate(segments):
        segment.order = order
    return segments


def _characters(text_page: Any, words: Words) -> list[_Character]:
    """Return the characters of the words; the heights are those of their words."""
    page = pdfium.address(text_page.raw)
    indexes = [index for start, end in zip(words.starts, words.ends, strict=True) for index in range(start, end)]
    boxes, origins = pdfium.loose_boxes(page, indexes).tolist(), pdfium.origins(page, indexes).tolist()
    sizes = [
        size
        for start, end, size in zip(words.starts, words.ends, words.size.tolist(), strict=True)
        for _ in range(start, end)
    ]
    return [
        _Character(index, unicodedata.normalize("NFKC", words.text[index]), (box[0], box[2], y - size / 5, size))
        for index, box, (_, y), size in zip(indexes, boxes, origins, sizes, strict=True)
    ]


def _lines(characters: list[_Character]) -> list[list[_Character]]:
    lines: list[list[_Character]] = []
    for character in sorted(characters, key=lambda character: -character.bottom):
        last = lines[-1][0] if lines else None
        if last and last.bottom - character.bottom <= _SAME_LINE * min(last.size, character.size):
            lines[-1].append(character)
        else:
            lines.append([character])
    return lines


def _parts(line: list[_Character]) -> list[list[_Character]]:
    """Return the characters of a line from left to right, in parts with a wide gap between them."""
    line.sort(key=lambda character: (character.left + character.right, -character.index))
    parts, right = [[line[0]]], line[0].right
    for character in line[1:]:
        gap = character.left - right
        if gap > _COLUMN * character.size:
            parts.append([])
        elif gap > _SPACE * character.size:
            parts[-1].append(_Character(-1, " ", (right, character.left, character.bottom, character.size)))
        parts[-1].append(character)
        right = max(right, character.right)
    return parts


def _reading_order(visual: list[_Character], *, mirrored: bool) -> list[_Character]:
    """Turn characters from left to right into the order in which they are read."""
    text = "".join(character.text for character in visual)
    base = is_right_to_left(text) or (mirrored and not any(character.isalpha() for character in text))
    runs = _runs(visual)
    if base:
        runs.reverse()
    ordered = [character for run, leftward in runs for character in (reversed(run) if leftward else run)]
    return _with_paired_brackets(_with_marks_behind_letters(ordered)) if RIGHT_TO_LEFT.search(text) else ordered


def _runs(visual: list[_Character]) -> list[tuple[list[_Character], bool]]:
    """Return runs of one direction: those of Latin words and numbers go to the right."""
    runs: list[tuple[list[_Character], bool]] = []
    index, count = 0, len(visual)
    while index < count:
        end = _end_of_rightward_run(visual, index)
        if end > index:
            runs.append((visual[index:end], False))
            index = end
        else:
            if runs and runs[-1][1]:
                runs[-1][0].append(visual[index])
            else:
                runs.append(([visual[index]], True))
            index += 1
    return runs


def _end_of_rightward_run(visual: Sequence[_Character], start: int) -> int:
    """Return the end of the run of Latin letters and digits at `start`, or `start`.

    Spaces and signs belong to it between Latin words; between digits, only signs such as a decimal point.
    """
    if not _is_rightward(visual[start].text):
        return start
    end, has_letter, index = start + 1, visual[start].text.isalpha(), start + 1
    while index < len(visual):
        text = visual[index].text
        if _is_rightward(text):
            between = visual[end:index]
            has_letter |= text.isalpha()
            if not has_letter and any(character.text not in _INSIDE_NUMBERS for character in between):
                break
            end = index + 1
        elif RIGHT_TO_LEFT.search(text):
            break
        index += 1
    return end


def _is_rightward(text: str) -> bool:
    return unicodedata.bidirectional(text[:1] or " ") in ("L", "EN", "AN")


def _with_marks_behind_letters(characters: list[_Character]) -> list[_Character]:
    """Put each vowel sign behind the letter that it's drawn at; from the left it can come before it."""
    letters = [character for character in characters if not unicodedata.combining(character.text[:1] or " ")]
    if len(letters) == len(characters) or not letters:
        return characters
    marks: dict[int, list[_Character]] = {}
    position = 0
    for character in characters:
        if not unicodedata.combining(character.text[:1] or " "):
            position += 1
            continue
        near = letters[max(0, position - 2) : position + 2]
        middle = character.left + character.right
        nearest = min(near, key=lambda letter: abs(letter.left + letter.right - middle))
        marks.setdefault(id(nearest), []).append(character)
    return [
        part for letter in letters for part in (letter, *sorted(marks.get(id(letter), []), key=lambda mark: mark.index))
    ]


def _with_paired_brackets(characters: list[_Character]) -> list[_Character]:
    """Make the first bracket of each pair the opening one: in a line from the right, its shape is the other one's."""
    depth: dict[str, int] = {}
    for character in characters:
        if (mirror := _MIRROR.get(character.text)) is None:
            continue
        opening = character.text if character.text in _PAIRS else mirror
        is_open = depth.get(opening, 0) > 0
        character.text = _PAIRS[opening] if is_open else opening
        depth[opening] = 0 if is_open else 1
    return characters


def _segment(characters: Sequence[_Character], *, mirrored: bool) -> Segment:
    text = "".join(character.text for character in characters)
    indexes = [character.index for character in characters for _ in character.text]
    left, right = min(c.left for c in characters), max(c.right for c in characters)
    if mirrored:
        left, right = -right, -left
    sizes = sorted(character.size for character in characters)
    return Segment(text, indexes, left, right, characters[0].bottom, sizes[len(sizes) // 2], 0)
