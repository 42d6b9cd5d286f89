"""Superscripts: exponents and marks of notes are kept apart from the figures before them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from operator import attrgetter

from rag.reading.layout.text_lines.segments import Segment, inserted_text, join_segments
from rag.reading.layout.text_lines.words import Words

_SMALLER = 0.85  # a script's height as a share of the text's, at most
_SPACE = 0.12  # of the height: with a space on the page, what is further apart are two words
_LONGEST_WORD = 40
_LONGEST_SCRIPT = 12
_MOST_NEIGHBORS = 40  # that a script is compared with
_right_edge, _bottom_of = attrgetter("right"), attrgetter("bottom")
_UNITS = frozenset(["m", "cm", "mm", "km", "dm", "nm", "µm", "μm", "in", "ft", "yd", "mi", "s", "h"])
_ORDINALS = frozenset(["st", "nd", "rd", "th", "er", "re", "e", "ème", "o", "a", "os", "as", "TM", "SM", "®", "™"])
_MARK = re.compile(r"[\[(]?([0-9a-z*†‡§]{1,2}(?:[,;] ?[0-9a-z*†‡§]{1,2}){0,8})[)\]]?", re.IGNORECASE)
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_BRACKETS = ("(", ")", "[", "]")
_OPENING = ("(", "[", "{")
_SPACE_BEFORE_STOP = re.compile(r"\s{1,9}(?=[,.;:)])")  # the script's place
_SIGNED = re.compile(r"[-−–+]\d+")


def attach_scripts(segments: Sequence[Segment], words: Words) -> list[Segment]:
    """Return the segments with each script in the text before it; they are in the order in which they were drawn.

    `words` are those that the segments were made of.
    """
    attached: list[Segment] = []
    for segment in segments:
        previous = attached[-1] if attached else None
        if not previous or (_SMALLER * previous.size < segment.size and _SMALLER * segment.size < previous.size):
            attached.append(segment)  # nearly all are of one size
        elif _is_script(previous, segment):
            attached[-1] = _attach(previous, segment)
        elif _is_leading_mark(previous, segment):
            attached[-1] = join_segments(previous, segment, "" if segment.text[:1].isspace() else " ")
            attached[-1].size, attached[-1].bottom = segment.size, segment.bottom
        else:
            attached.append(segment)
    scripts = _scripts(attached)
    if not scripts:
        return attached
    inside = _attach_inside(attached, scripts, words)
    return _attach_distant(inside, _scripts(inside))


def _scripts(segments: Sequence[Segment]) -> list[Segment]:
    """Return the short segments that are smaller than most."""
    sizes = sorted(segment.size for segment in segments)
    largest = _SMALLER * sizes[len(sizes) // 2] if sizes else 0.0
    return [segment for segment in segments if segment.size <= largest and len(segment.text) <= _LONGEST_SCRIPT]


def _attach_inside(segments: list[Segment], scripts: Sequence[Segment], words: Words) -> list[Segment]:
    """Return the segments with the scripts in them that were drawn long after, in spaces between their words."""
    by_bottom = sorted(segments, key=_bottom_of)
    places: dict[int, list[tuple[int, Segment]]] = {}
    for script in scripts:
        first = bisect_left(by_bottom, script.bottom - 2 * script.size, key=_bottom_of)
        for text in by_bottom[first : first + _MOST_NEIGHBORS]:
            if (word := _word_before(text, script, words)) is not None:
                places.setdefault(id(text), []).append((word, script))
                break
    used = {id(script) for found in places.values() for _, script in found} - places.keys()
    return [
        _with_scripts(segment, places[id(segment)], words) if id(segment) in places else segment
        for segment in segments
        if id(segment) not in used
    ]


def _word_before(text: Segment, script: Segment, words: Words) -> int | None:
    """Return the word of a segment that a script stands after, with another word after the script."""
    if text.words is None or not text.left < script.left < script.right < text.right or not _is_raised(text, script):
        return None
    first, last = text.words
    word = first + int(words.left[first : last + 1].searchsorted(script.left)) - 1
    if word < first or word == last or not _is_after(float(words.right[word]), text.size, script):
        return None
    return word if words.left[word + 1] > script.right - 0.2 * script.size else None


def _with_scripts(text: Segment, scripts: Sequence[tuple[int, Segment]], words: Words) -> Segment:
    """Return a segment with scripts after the words with their indexes."""
    joined, done = None, text.indexes[0]
    for word, script in sorted(scripts, key=lambda each: (each[0], each[1].left)):
        end = int(words.ends[word])
        part = _part(text, done - text.indexes[0], end - text.indexes[0])
        joined = _attach(join_segments(joined, part, "") if joined else part, script)
        space = _SPACE_BEFORE_STOP.match(text.text, end - text.indexes[0])
        done = end + len(space[0] if space else "")
    rest = _part(text, done - text.indexes[0], len(text.text))
    joined = join_segments(joined, rest, "") if joined else rest
    joined.order, joined.count = text.order, text.count
    return joined


def _attach_distant(segments: list[Segment], scripts: Sequence[Segment]) -> list[Segment]:
    """Return the segments with the scripts attached that were drawn long after their text."""
    by_edge = sorted(segments, key=_right_edge)
    replaced: dict[int, Segment | None] = {}
    for script in scripts:
        first = bisect_left(by_edge, script.left - script.size / 2, key=_right_edge)
        for index in range(first, min(first + _MOST_NEIGHBORS, len(by_edge))):
            text = by_edge[index]
            if text is not script and replaced.get(id(text), text) and _is_script(text, script):
                joined = _attach(replaced.get(id(text)) or text, script)
                replaced[id(text)], replaced[id(script)] = joined, None
                break
    kept = (replaced.get(id(segment), segment) for segment in segments)
    return [segment for segment in kept if segment]


def _is_script(text: Segment, script: Segment) -> bool:
    """Return whether the second segment is a smaller one right after the first, and higher or lower."""
    return _is_raised(text, script) and _is_after(text.right, text.size, script)


def _is_raised(text: Segment, script: Segment) -> bool:
    """Return whether a segment is smaller than a text, and a little higher or lower."""
    if script.size > _SMALLER * text.size or len(script.text) > _LONGEST_SCRIPT:
        return False
    return text.bottom - 0.4 * text.size < script.bottom < text.top - 0.2 * text.size


def _is_after(right: float, size: float, script: Segment) -> bool:
    """Return whether a script is right after a text of some size that ends at `right`."""
    return -0.1 * size < script.left - right < 0.35 * size


def _is_leading_mark(mark: Segment, text: Segment) -> bool:
    """Return whether the first segment is a raised mark right before the second one, as at the start of a note."""
    if mark.size > _SMALLER * text.size or not _MARK.fullmatch(mark.text.strip()):
        return False
    is_near = -0.1 * text.size < text.left - mark.right < 0.5 * text.size
    return is_near and text.bottom < mark.bottom < text.top - 0.2 * text.size


def _attach(text: Segment, script: Segment) -> Segment:
    # Both have their bottom a fifth of their height below their baseline.
    rise = (script.bottom + script.size / 5 - text.bottom - text.size / 5) / text.size
    mark = script.text.strip()
    joined = _raise(text, script, mark) if rise > 0.1 else _lower(text, script)
    joined.size, joined.bottom, joined.order = text.size, text.bottom, text.order
    return joined


def _lower(text: Segment, script: Segment) -> Segment:
    """Return a text with its subscript: CO2, but 101_2."""
    between = "_" if text.text[-1:].isdigit() and script.text[:1].isdigit() else ""
    return join_segments(text, script, " " if _is_apart(text, script) else between)


def _is_apart(text: Segment, script: Segment) -> bool:
    """Return whether a smaller text is a word of its own: the page has a space before it, and not only in its text."""
    has_space = script.indexes[0] - text.indexes[-1] == 2  # a line break would be two characters
    return has_space and script.left - text.right > _SPACE * script.size and text.indexes[-1] >= 0


def _raise(text: Segment, script: Segment, mark: str) -> Segment:
    word = _last_word(text.text[-_LONGEST_WORD:])
    if mark in _ORDINALS and word and mark.isalpha() and not (word.isdigit() and len(mark) == 1):
        return join_segments(text, script, "")
    if word in _UNITS and mark in ("2", "3"):
        return join_segments(text, _changed(script, mark.translate(_SUPERSCRIPTS)), "")
    is_variable = 0 < len(word) <= 2 and word.isalpha() and mark.isdigit()
    if word == "10" or is_variable or _SIGNED.fullmatch(mark):
        return join_segments(text, script, "^")
    if mark[:1] in _BRACKETS and mark[-1:] in _BRACKETS and not word.isdigit():
        return join_segments(text, script, " ")
    if text.text.rstrip().endswith(_OPENING):  # no note: (n = 144) with a smaller letter
        return join_segments(text, script, "")
    if (note := _MARK.fullmatch(mark)) and any(character.isalnum() for character in mark) and text.text[-1:].strip():
        return inserted_text(")", join_segments(text, _inner(script, note[1]), " (note "))
    is_apart = (mark[:1].isalnum() and _is_apart(text, script)) or (text.text[-1:].isdigit() and mark[:1].isdigit())
    return join_segments(text, script, " " if is_apart else "")


def _last_word(text: str) -> str:
    """Return the letters and digits at the end of a text."""
    start = len(text)
    while start and text[start - 1].isalnum():
        start -= 1
    return text[start:]


def _inner(script: Segment, mark: str) -> Segment:
    """Return the script without the brackets and spaces around its mark."""
    start = script.text.index(mark)
    return _part(script, start, start + len(mark))


def _changed(script: Segment, mark: str) -> Segment:
    start = len(script.text) - len(script.text.lstrip())
    part = _part(script, start, start + len(mark))
    part.text = mark
    return part


def _part(segment: Segment, start: int, end: int) -> Segment:
    return Segment(
        segment.text[start:end],
        segment.indexes[start:end],
        segment.left,
        segment.right,
        segment.bottom,
        segment.size,
        segment.order,
    )
