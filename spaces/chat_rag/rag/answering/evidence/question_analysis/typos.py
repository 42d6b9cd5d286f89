"""Reads a misspelt word of a question as the word of the passages that it is most like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from rag.answering.evidence.question_analysis.periods import PERIOD_STEMS
from rag.answering.evidence.question_analysis.questions import Question
from rag.documents import Passage
from rag.search.bm25 import STOP_WORDS, stems

_WORD = re.compile(r"[^\W\d_]+")
_MIN_LETTERS = 5
# "Bedigo" is like "Bendigo" by 0.92, "herns" like "herons" by 0.91; "Intuit" is like "intuitive" by 0.8.
_LIKENESS = 0.84


def read_question(text: str, passages: Sequence[Passage]) -> Question:
    """Return the question, each word that no passage has as the one that it is most like, if it is very like."""
    words = {word for passage in passages for word in _WORD.findall(f"{passage.heading} {passage.text}")}
    # A report of "Three Months" has no word "quarter", but many that are like it.
    known = set(stems([" ".join(words)])) | PERIOD_STEMS
    spellings = {word.lower(): word for word in sorted(words)}

    def correct(match: re.Match[str]) -> str:
        word = match[0].lower()
        if len(word) < _MIN_LETTERS or word in STOP_WORDS or set(stems([word])) <= known:
            return match[0]
        like = [each for each in spellings if each[0] == word[0] and abs(len(each) - len(word)) <= 2]
        matches = get_close_matches(word, like, 1, _LIKENESS)
        return spellings[matches[0]] if matches else match[0]

    return Question(_WORD.sub(correct, text))
