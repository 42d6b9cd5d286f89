"""Reads the segments of a PDF page that a reader sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rag.reading.layout.annotations import annotation_segments, comment_segments, read_annotations
from rag.reading.layout.page import PageLayout, arrange
from rag.reading.layout.repeated_words import without_repeated
from rag.reading.layout.running_heads import EdgeLine
from rag.reading.layout.tables.vertical_headers import vertical_headers
from rag.reading.layout.text_lines.lines import Line, group_by_baseline, make_lines
from rag.reading.layout.text_lines.raised_text import attach_scripts
from rag.reading.layout.text_lines.right_to_left import RIGHT_TO_LEFT, is_right_to_left, logical_segments
from rag.reading.layout.text_lines.segments import Segment, drawn_segments, make_segments
from rag.reading.layout.text_lines.words import Words, read_words
from rag.reading.layout.visibility.hidden_words import visible_words

_STRAIGHT = 0.1  # radians: text at another angle, such as a watermark, comes after the rest


@dataclass(slots=True)
class ReadPage:
    """A page's segments as they were drawn, how many words nobody can see, and the names of the files on it."""

    segments: list[Segment]
    words: Words | None
    turned: list[Segment]
    hidden_words: int
    lines: list[list[Segment]]  # its segments by their baselines
    comments: list[Segment] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)


def read_page(page: Any) -> ReadPage:
    """Return the segments of a pypdfium2 page. The caller holds PDFium's lock."""
    text_page = page.get_textpage()
    words = read_words(text_page)
    annotations, hidden = read_annotations(page), 0
    if len(words):
        words, hidden = visible_words(page, text_page, words, [each.place for each in annotations if each.may_cover])
        words = without_repeated(words)
    is_turned = words.angle > _STRAIGHT
    has_turned = bool(is_turned.any())
    segments, kept = _segments(text_page, words.select(~is_turned) if has_turned else words)
    segments = segments + annotation_segments(annotations, segments)
    comments = comment_segments(annotations, words)
    files = [annotation.file for annotation in annotations if annotation.file]
    lines = group_by_baseline(segments)
    if not has_turned:
        return ReadPage(segments, kept, [], hidden, lines, comments, files)
    turned = words.select(is_turned)
    headers, used = vertical_headers(turned, lines)
    if headers:
        segments = [*headers, *segments]
        turned, lines = turned.select(~used), group_by_baseline(segments)
    others = drawn_segments(turned) if len(turned) else []
    return ReadPage(segments, kept, others, hidden, lines, comments, files)


def _segments(text_page: Any, words: Words) -> tuple[list[Segment], Words | None]:
    """Return the segments, and the words if their places are those of the segments."""
    if not RIGHT_TO_LEFT.search(words.text):
        return attach_scripts(make_segments(words), words), words
    text = "".join(words.text[start:end] for start, end in _spans(words))
    if is_right_to_left(text):
        return logical_segments(text_page, words, mirrored=True), None
    leftward = _in_leftward_lines(words)
    rightward = words.select(~leftward)
    segments = attach_scripts(make_segments(rightward), rightward)
    segments += logical_segments(text_page, words.select(leftward), mirrored=False)
    ordered = [replace(segment, words=None, order=max(segment.indexes)) for segment in segments]
    return sorted(ordered, key=lambda segment: segment.order), None


def _spans(words: Words) -> list[tuple[int, int]]:
    return list(zip(words.starts.tolist(), words.ends.tolist(), strict=True))


def _in_leftward_lines(words: Words) -> Any:
    """Return for each word whether its line has Arabic or Hebrew."""
    import numpy as np

    leftward = np.array([bool(RIGHT_TO_LEFT.search(words.text, *span)) for span in _spans(words)], bool)
    bottoms = np.unique(np.round(words.bottom[leftward], 1))
    distance = np.abs(words.bottom[:, None] - bottoms[None, :]).min(axis=1, initial=np.inf)
    return distance < words.size / 3


def lay_out(page: ReadPage, head: Sequence[EdgeLine] = (), foot: Sequence[EdgeLine] = ()) -> PageLayout:
    """Return the page's lines and tables; `head` and `foot` are its lines that are on other pages too."""
    outside = {id(segment) for line in (*head, *foot) for segment in line.segments}
    lines = [line for line in page.lines if id(line[0]) not in outside]
    return PageLayout(
        [*arrange(lines, page.words), *(Line([segment]) for segment in page.turned)],
        [line for edge in head for line in make_lines(edge.segments)],
        [line for edge in foot for line in make_lines(edge.segments)],
        [Line([segment]) for segment in page.comments],
    )
