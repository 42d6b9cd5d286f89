"""Superscripts: exponents and marks of notes are kept apart from the figures before them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.reading.layout.segments import Segment, inserted_text, join_segments

_SMALLER = 0.85  # a script's height as a share of the text's, at most
_UNITS = frozenset(["m", "cm", "mm", "km", "dm", "nm", "µm", "μm", "in", "ft", "yd", "mi", "s", "h"])
_ORDINALS = frozenset(["st", "nd", "rd", "th", "er", "re", "e", "ème", "o", "a", "os", "as", "TM", "SM", "®", "™"])
_TAIL = re.compile(r"[^\W_]+$")
_MARK = re.compile(r"[\[(]?([0-9a-z*†‡§]{1,2}(?:[,;] ?[0-9a-z*†‡§]{1,2}){0,8})[)\]]?", re.IGNORECASE)
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SIGNED = re.compile(r"[-−–+]\d+")


def attach_scripts(segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments with each script in the text before it; they are in the order in which they were drawn."""
    attached: list[Segment] = []
    for segment in segments:
        previous = attached[-1] if attached else None
        if previous and _is_script(previous, segment):
            attached[-1] = _attach(previous, segment)
        elif previous and _is_leading_mark(previous, segment):
            attached[-1] = join_segments(previous, segment, "" if segment.text[:1].isspace() else " ")
            attached[-1].size, attached[-1].bottom = segment.size, segment.bottom
        else:
            attached.append(segment)
    return attached


def _is_script(text: Segment, script: Segment) -> bool:
    """Return whether the second segment is a smaller one right behind the first, and higher or lower."""
    if script.size > _SMALLER * text.size or len(script.text) > 12:
        return False
    distance = script.left - text.right
    if not -0.1 * text.size < distance < 0.25 * text.size:
        return False
    return text.bottom - 0.4 * text.size < script.bottom < text.top - 0.2 * text.size


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
    return join_segments(text, script, between)


def _raise(text: Segment, script: Segment, mark: str) -> Segment:
    base = _TAIL.search(text.text)
    word = base[0] if base else ""
    if mark in _ORDINALS and word and mark.isalpha() and not (word.isdigit() and len(mark) == 1):
        return join_segments(text, script, "")
    if word in _UNITS and mark in ("2", "3"):
        return join_segments(text, _changed(script, mark.translate(_SUPERSCRIPTS)), "")
    is_variable = len(word) == 1 and word.isalpha()
    if word == "10" or is_variable or _SIGNED.fullmatch(mark):
        return join_segments(text, script, "^")
    if (note := _MARK.fullmatch(mark)) and any(character.isalnum() for character in mark) and text.text[-1:].strip():
        if mark[0] in "([" and not word.isdigit():
            return join_segments(text, script, " ")
        return inserted_text(")", join_segments(text, _inner(script, note[1]), " (note "))
    return join_segments(text, script, " " if text.text[-1:].isdigit() and mark[:1].isdigit() else "")


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
