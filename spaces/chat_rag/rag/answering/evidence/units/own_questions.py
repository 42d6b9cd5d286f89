"""Questions that a document asks and answers itself, as an FAQ or an interview does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.documents import Span

_MARKS = " \t\n*_\"”’')"
_QUESTION = re.compile(r"[^.!?？\n]{1,300}[?？][*_\"”’)]{0,4}\s+(?=\S)")
_ENDS = re.compile(r"[^\W\d_]{2}[^\n]{0,300}[.!?…][*_\"”’)]{0,4}\s")  # of another sentence in the same line
_MAX_DISTANCE = 20  # characters between a question and its answer: a line break, marks, the name of who answers
_MAX_CHARACTERS = 400  # of a question and its answer


def is_question(text: str) -> bool:
    """Return whether a sentence is a question, also in bold or in quotation marks."""
    return text.rstrip(_MARKS).endswith(("?", "？"))


def answer_start(text: str) -> int:
    """Return where the answer begins in a question with its answer; 0 in another sentence."""
    question = _QUESTION.match(text)
    return question.end() if question else 0


def join_answers(text: str, sentences: Sequence[Span]) -> Iterator[Span]:
    """Yield the spans of sentences; that of a question has its answer, too.

    The answer to a question in a line of its own is the paragraph after it, to another one the next sentence.
    """
    at = 0
    while at < len(sentences):
        start, end = sentences[at]
        at += 1
        if is_question(text[start:end]):
            last = at
            while _goes_on(text, start, end, sentences[last:]) and (last == at or _is_alone(text, sentences[at - 1])):
                end = sentences[last][1]
                last += 1
            at = last
        yield start, end


def _goes_on(text: str, start: int, end: int, following: Sequence[Span]) -> bool:
    """Return whether the answer to a question goes on with the next sentence; `end` is its end so far."""
    if not following or is_question(text[slice(*following[0])]) or following[0][1] - start > _MAX_CHARACTERS:
        return False
    between = text[end : following[0][0]]
    is_first = is_question(text[start:end])
    reaches = "\n\n" not in between or (is_first and _begins_line(text, start))
    return len(between) <= _MAX_DISTANCE and reaches and "\n#" not in between


def _begins_line(text: str, start: int) -> bool:
    """Return whether a sentence begins its line; one that ends a paragraph isn't answered by the next paragraph."""
    line = text[text.rfind("\n", 0, start) + 1 : start]
    return not _ENDS.search(line)


def _is_alone(text: str, sentence: Span) -> bool:
    """Return whether a sentence ends its line."""
    return text[sentence[1] : sentence[1] + 20].lstrip("*_ ").startswith("\n")
