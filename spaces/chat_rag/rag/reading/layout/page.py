"""Puts a PDF page's segments together to lines and tables in reading order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.reading.layout.columns import reading_order
from rag.reading.layout.dot_leaders import join_leaders
from rag.reading.layout.drawn_bars import read_bars
from rag.reading.layout.tables.cells import Grid
from rag.reading.layout.tables.grid import make_grid
from rag.reading.layout.tables.regions import table_regions
from rag.reading.layout.text_lines.justified import join_justified
from rag.reading.layout.text_lines.lines import Line, join_lines, make_lines
from rag.reading.layout.text_lines.segments import Segment
from rag.reading.layout.text_lines.words import Words

_CAPTION_LINES = 3
_CAPTION_GAP = 3.0  # the most between a caption and its table, in units of the height of a line
_CAPTION_CHARACTERS = 120


@dataclass(slots=True)
class PageLayout:
    """The lines and tables of a page in reading order, its comments, and its edges that are on other pages too."""

    blocks: list[Line | Grid]
    head: list[Line] = field(default_factory=list)
    foot: list[Line] = field(default_factory=list)
    comments: list[Line] = field(default_factory=list)


def arrange(baselines: Sequence[list[Segment]], words: Words | None) -> list[Line | Grid]:
    """Return the lines and tables of a page in reading order; `baselines` are its segments by line."""
    blocks: list[Line | Grid] = []
    groups = reading_order([segment for line in baselines for segment in line])
    for group in groups:
        lines, done = join_lines(baselines) if len(groups) == 1 else make_lines(group), 0
        lines = join_justified(join_leaders(read_bars(lines, words)))
        for first, end in table_regions(lines):
            if table := make_grid(lines, done, first, end, words):
                grid, top = table
                grid.caption = _caption(lines[done:top], lines[top])
                blocks += [*lines[done:top], grid]
                done = end
        blocks += lines[done:]
    return blocks


def _caption(above: Sequence[Line], first: Line) -> list[Line]:
    """Return the title right above a table: short lines, or the sentence that ends in a colon."""
    caption: list[Line] = []
    below = first
    for line in reversed(above[-_CAPTION_LINES:]):
        text = line.text.strip()
        is_near = line.bottom - below.bottom < _CAPTION_GAP * max(line.size, below.size)
        is_sentence = text.endswith(":") or (caption and caption[0].text.strip().endswith(":"))
        if (
            not is_near
            or (text.endswith(".") and not is_sentence)
            or (len(text) > _CAPTION_CHARACTERS and not is_sentence)
        ):
            break
        caption.insert(0, line)
        below = line
    return caption
