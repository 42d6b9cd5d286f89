"""Splits the text of a passage into sentences, list items and rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.answering.evidence.units.kind_patterns import FULL_DATE
from rag.answering.verification.support import sentence_spans

# A full stop after these ends no sentence; "U.S." and initials are known to `sentence_spans`.
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"“])(?:Jr|Sr|Prof|Rev|Gen|Gov|Sen|Rep|Hon|Capt|Lt|Col|Sgt|Mt|Ft|Vol|pp|ca|cf|al|etc|e\.g|i\.e|Ph\.D|Bros|Dept|"
    r"Univ|Assn|Ave|Nos|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|resp|incl|excl|est|Figs|Eq|Ref|Art|Sec|Messrs|Mmes|lit"
    r"|z\.B|bzw|Nr|Bd|Hrsg|Sra|Dra|Ud|Mio|Mrd|Rs|Fr)\.$"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_HEADING = re.compile(r"\s*+(?:#{1,6}\s|=(?: =)*+ [^=\n]{1,200} =)")
# "## Release 1.4 (15 Apr 2022)" says when something was, which nothing below it needs to repeat.
_MARKS, _DATE = re.compile(r"\s*+#{1,6}\s++"), re.compile(FULL_DATE)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
Span = tuple[int, int]


def split_sentences(text: str) -> Iterator[Span]:
    """Yield the spans of the text's sentences, list items and rows, without headings and lines without a word."""
    for start, end in _joined(text):
        part = text[start:end]
        # "## What is it? How do I start it?" is one heading.
        is_heading = _HEADING.match(text[text.rfind("\n", 0, start) + 1 : end])
        if is_heading and (title := _dated_title(part)):
            yield end - len(title), end
        elif (_WORD.search(part) or _CJK.search(part)) and not is_heading:
            yield start, end


def _dated_title(heading: str) -> str:
    """Return the title of a heading in Markdown that has a date beside words, otherwise ""."""
    marks = _MARKS.match(heading)
    title = heading[marks.end() :] if marks else ""
    return title if _DATE.search(title) and _WORD.search(_DATE.sub(" ", title)) else ""


def _joined(text: str) -> Iterator[Span]:
    """Yield the sentences, those that an abbreviation cut in two as one."""
    start, end = 0, 0
    for next_start, next_end in sentence_spans(text):
        if end and "\n" not in text[end:next_start] and _ABBREVIATION.search(text[max(start, end - 12) : end]):
            end = next_end
            continue
        if end:
            yield start, end
        start, end = next_start, next_end
    if end:
        yield start, end
