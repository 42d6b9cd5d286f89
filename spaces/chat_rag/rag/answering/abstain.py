"""Whether the documents answer a question at all, told from what the search found and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chat_page.strings import ENGLISH
from rag.documents import Passage
from rag.search.bm25 import STOP_WORDS, keywords, stems

# What the reader is told.
REFUSAL, WITHOUT = ENGLISH.refusal, ENGLISH.answer_without
# As many passages are judged for everybody, however many of them a visitor sends to the model.
JUDGED = 5
# Measured with benchmarks/abstain.py: the share of the weight that lies on the cosine, and the least sum. At 0.45 4 of
# 472 questions are refused that their documents answer (6 with vectors in 8 bits), and 85 % of those that were put to
# other documents.
DENSE_WEIGHT, THRESHOLD = 0.6, 0.45
# Words of asking about texts. They tell nothing of what is asked for, and no passage needs to hold them.
_FRAME = re.compile(
    r"summar\w*|overview\w*|outlin\w*|abstract|gist|topics?|subjects?|themes?|main|mainly|key|points?|takeaways?|contents?"
    r"|documents?|files?|texts?|pdfs?|papers?|reports?|reported|articles?|pages?|passages?|stud(?:y|ies)|upload\w*|contain\w*"
    r"|whole|entire|everything|all|give|given|tell|told|say|says|said|read|list\w*|short|brief\w*|please|important"
    r"|describ\w*|explain\w*|mention\w*|discuss\w*|provid\w*|present|presented|states?|stated|accord\w*|mean\w*"
    r"|specific\w*|particular|certain|different|details?|detailed|types?|kinds?|some|any|such|other|more|most|many|much"
    r"|also|not|no|if|than|during|under|between|over|after|before"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well the best passages fit a question: their best cosine, and the share of its words that they hold."""

    dense: float
    cover: float

    @property
    def score(self) -> float:
        """Both as one number, from about 0 to 1."""
        return DENSE_WEIGHT * self.dense + (1 - DENSE_WEIGHT) * self.cover

    @property
    def reason(self) -> str:
        """Why it is too little, for the reader."""
        held = f"the nearest passages hold {self.cover:.0%} of the question's words"
        return f"{held} and resemble it by {self.dense:.2f}; together {self.score:.2f} of the {THRESHOLD:.2f} asked for"


def evidence(question: str, passages: Sequence[Passage]) -> Evidence:
    """What the best of `passages`, best first, show for `question`."""
    judged = passages[:JUDGED]
    dense = max((passage.dense for passage in judged if passage.dense is not None), default=0.0)
    texts = [f"{passage.document}\n{passage.heading}\n{passage.text}" for passage in judged]
    return Evidence(max(dense, 0.0), cover(question, texts))


def cover(question: str, texts: Sequence[str]) -> float:
    """The share of the question's words of meaning that stand in any of the texts, whatever their ending."""
    words = set(stems(_subject(question) or keywords(question)))
    return len(words & set(stems(texts))) / len(words) if words else 0.0


def lacking(question: str, passages: Sequence[Passage]) -> Evidence | None:
    """The evidence where it is too little for an answer to `question`; None if the documents may answer it."""
    if passages and (asks_for_the_whole(question) or not is_latin(question)):
        return None
    found = evidence(question, passages)
    return None if found.score >= THRESHOLD else found


def asks_for_the_whole(question: str) -> bool:
    """Whether it is asked of the documents as such, as in “Summarise this report”: no passage resembles that."""
    return not _subject(question)


def is_latin(question: str) -> bool:
    """Whether most letters are Latin: in other scripts neither the words nor the cosine were measured."""
    letters = [character for character in question if character.isalpha()]
    return 2 * sum(character < "\u0250" for character in letters) >= len(letters)


def _subject(question: str) -> list[str]:
    return [word for word in keywords(question) if word not in STOP_WORDS and not _FRAME.fullmatch(word)]
