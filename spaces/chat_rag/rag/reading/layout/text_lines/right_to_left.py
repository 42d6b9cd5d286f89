"""Lines of Arabic and Hebrew: PDFium returns parts of them in visual order, here they are in reading order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from rag.reading.layout.text_lines import pdfium
from rag.reading.layout.text_lines.segments import Segment
from rag.reading.layout.text_lines.words import Words

RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_TOUCHING = 0.2  # points
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_SPACE = 0.16  # of the line's height: letters of a word are closer
_SPACE_BESIDE_OTHERS = 0.22  # if the page has spaces of its own
_COLUMN = 0.9
_WIDEST_GROUP_SPACE = 0.35  # between the thousands of a number
_LONGEST_NUMBER = 40  # characters before a group
_SAME_LINE = 0.35
_PAIRS = {"(": ")", "[": "]", "{": "}", "«": "»", "<": ">"}
_MIRROR = _PAIRS | {right: left for left, right in _PAIRS.items()}
_GROUPS = re.compile(r"(?<![\d ])\d{1,3}(?: \d{3})*+$")
_BESIDE_NUMBERS = frozenset("%٪‰°$€£₪#+")
_INSIDE_NUMBERS = frozenset(".,:/-–+%٪٫٬'’$€£₪#")


class _Character:
    __slots__ = ("bottom", "index", "left", "marks", "right", "size", "text", "word")

    def __init__(self, index: int, text: str, place: Sequence[float], word: int = -1) -> None:
        self.index, self.text, self.marks, self.word = index, text, "", word
        self.left, self.right, self.bottom, self.size = place

    def add_mark(self, mark: _Character) -> None:
        """Add a vowel sign; PDFium divides the place of a glyph between its letter and its signs."""
        self.marks += mark.text
        if mark.left < self.right + _TOUCHING and mark.right > self.left - _TOUCHING:
            self.left, self.right = min(self.left, mark.left), max(self.right, mark.right)


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
        for part in _parts(_with_marks(line)):
            characters = _reading_order(part, mirrored=mirrored)
            segments.append(_segment(characters, mirrored=mirrored))
    segments.sort(key=lambda segment: min(index for index in segment.indexes if index >= 0))
    for order, segment in enumerate(segments):
        segment.order = order
    return segments


def _characters(text_page: Any, words: Words) -> list[_Character]:
    """Return the characters of the words; the heights are those of their words."""
    page = pdfium.address(text_page.raw)
    spans = zip(words.starts.tolist(), words.ends.tolist(), words.size.tolist(), strict=True)
    sized = [(index, size, word) for word, (start, end, size) in enumerate(spans) for index in range(start, end)]
    indexes = [index for index, _, _ in sized]
    boxes, origins = pdfium.loose_boxes(page, indexes).tolist(), pdfium.origins(page, indexes).tolist()
    characters = [
        _Character(index, _plain(words.text[index]), (box[0], box[2], y - size / 5, size), word)
        for (index, size, word), box, (_, y) in zip(sized, boxes, origins, strict=True)
    ]
    return characters + _spaces(page, words)


def _plain(character: str) -> str:
    """Return a letter for the form that it has in a word; a vowel sign alone is one with a space before it."""
    return unicodedata.normalize("NFKC", character).strip() or character


def _spaces(page: int, words: Words) -> list[_Character]:
    """Return the spaces that the page itself has; those that PDFium adds have no width."""
    spans = zip(words.ends.tolist(), words.starts[1:].tolist(), words.size.tolist(), strict=False)
    sized = [(index, size) for end, start, size in spans if start - end <= 3 for index in range(end, start)]
    indexes = [index for index, _ in sized]
    boxes, origins = pdfium.loose_boxes(page, indexes).tolist(), pdfium.origins(page, indexes).tolist()
    return [
        _Character(index, " ", (box[0], box[2], y - size / 5, size))
        for (index, size), box, (_, y) in zip(sized, boxes, origins, strict=True)
        if box[2] - box[0] > 0.05 * size
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


def _with_marks(line: list[_Character]) -> list[_Character]:
    """Return the letters of a line; each has the vowel signs that are drawn at it."""
    marks = [character for character in line if unicodedata.combining(character.text[:1] or " ")]
    letters = [character for character in line if not unicodedata.combining(character.text[:1] or " ")]
    if letters:
        middles = [letter.left + letter.right for letter in letters]
        for mark in marks:
            middle = mark.left + mark.right
            distances = [abs(other - middle) for other in middles]
            letters[distances.index(min(distances))].add_mark(mark)
    return letters or line


def _parts(line: list[_Character]) -> list[list[_Character]]:
    """Return the characters of a line from left to right, in parts with a wide gap between them."""
    line.sort(key=lambda character: (character.left + character.right, -character.index))
    parts, last = [[line[0]]], line[0]
    for character in line[1:]:
        if character.left - last.right > _COLUMN * character.size:
            parts.append([])
        parts[-1].append(character)
        last = max(last, character, key=lambda one: one.right)
    return list(map(_with_spaces, parts))


def _with_spaces(part: list[_Character]) -> list[_Character]:
    """Return the characters of a part with a space in each gap that is wide enough for one."""
    spaced, last = [part[0]], part[0]
    has_spaces = any(character.text == " " for character in part)
    for character in part[1:]:
        # Letters that aren't connected can be as far apart as words.
        are_letters = _ARABIC.match(character.text) and _ARABIC.match(last.text)
        is_sure = has_spaces or character.word == last.word >= 0  # PDFium has found no space between them either
        gap = (character.left - last.right) / character.size
        if gap > (_SPACE_BESIDE_OTHERS if is_sure and are_letters else _SPACE):
            spaced.append(_Character(-1, " ", (last.right, character.left, character.bottom, character.size)))
        spaced.append(character)
        last = max(last, character, key=lambda one: one.right)
    return spaced


def _reading_order(visual: list[_Character], *, mirrored: bool) -> list[_Character]:
    """Turn characters from left to right into the order in which they are read."""
    text = "".join(character.text for character in visual)
    base = is_right_to_left(text) or (mirrored and not any(character.isalpha() for character in text))
    runs = _runs(visual)
    if base:
        runs.reverse()
    ordered = [character for run, leftward in runs for character in (reversed(run) if leftward else run)]
    return _with_paired_brackets(ordered) if RIGHT_TO_LEFT.search(text) else ordered


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
        is_sign = visual[start].text in _BESIDE_NUMBERS and start + 1 < len(visual)
        return _end_of_rightward_run(visual, start + 1) if is_sign and visual[start + 1].text.isdigit() else start
    end, has_letter, index = start + 1, visual[start].text.isalpha(), start + 1
    while index < len(visual):
        text = visual[index].text
        if _is_rightward(text):
            between = visual[end:index]
            has_letter |= text.isalpha()
            is_number = all(character.text in _INSIDE_NUMBERS for character in between)
            if not (has_letter or is_number or _is_group(visual, start, end, index)):
                break
            end = index + 1
        elif RIGHT_TO_LEFT.search(text):
            break
        index += 1
    if visual[end - 1].text.isdigit() and end < len(visual) and visual[end].text in _BESIDE_NUMBERS:
        end += 1
    return end


def _is_group(visual: Sequence[_Character], start: int, end: int, index: int) -> bool:
    """Return whether the three digits at `index` go on with the number before them, as in 3 001."""
    space = visual[end]
    if index != end + 1 or space.text != " " or space.right - space.left > _WIDEST_GROUP_SPACE * space.size:
        return False
    number = visual[max(start, end - _LONGEST_NUMBER) : end]
    before, after = ("".join(one.text for one in part) for part in (number, visual[index : index + 4]))
    return bool(_GROUPS.search(before)) and after[:3].isdigit() and not after[3:].isdigit()


def _is_rightward(text: str) -> bool:
    return unicodedata.bidirectional(text[:1] or " ") in ("L", "EN", "AN")


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
    text = "".join(character.text + character.marks for character in characters)
    indexes = [character.index for character in characters for _ in character.text + character.marks]
    left, right = min(c.left for c in characters), max(c.right for c in characters)
    if mirrored:
        left, right = -right, -left
    sizes = sorted(character.size for character in characters)
    return Segment(text, indexes, left, right, characters[0].bottom, sizes[len(sizes) // 2], 0)
