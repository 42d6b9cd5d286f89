"""Decides whether documents answer a question, from the retrieved passages alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rag.documents import Passage
from rag.search.languages import detect_language, word_lists
from rag.search.words import content_words, keywords, stems

# The check reads the same number of passages for everyone, however many a visitor sends to the model.
CHECKED_PASSAGES = 5
# Measured with benchmarks/answers/abstain.py: the weight of the cosine, and the lowest score that counts as evidence.
# At 0.45 the check refuses 4 of 472 questions that their documents answer (6 with vectors in 8 bits), and 85 % of the
# questions that are asked of other documents.
SIMILARITY_WEIGHT, THRESHOLD = 0.6, 0.45
# In scripts other than Latin, the default embedding model knows characters rather than words, so that its cosine says
# less. With this weight, 1 % of 1,190 Chinese questions are refused (benchmarks/search/languages.py), and 50 % of those
# that are asked of other documents.
OTHER_SCRIPTS_WEIGHT = 0.4
_GENERIC_WORDS = Path(__file__).with_name("generic_words.toml")
# Words of questions about texts in general. They don't say what the question is about, so no passage needs them.
_GENERIC_WORD = re.compile(
    r"summar\w*|overview\w*|outlin\w*|abstract|gist|topics?|subjects?|themes?|main|mainly|key|points?|takeaways?|contents?"
    r"|documents?|files?|texts?|pdfs?|papers?|reports?|reported|articles?|pages?|passages?|stud(?:y|ies)|upload\w*|contain\w*"
    r"|whole|entire|everything|all|give|given|tell|told|say|says|said|read|list\w*|short|brief\w*|please|important"
    r"|describ\w*|explain\w*|mention\w*|discuss\w*|provid\w*|present|presented|states?|stated|accord\w*|mean\w*"
    r"|specific\w*|particular|certain|different|details?|detailed|types?|kinds?|some|any|such|other|more|most|many|much"
    r"|also|not|no|if|than|during|under|between|over|after|before"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well the best passages match a question.

    `similarity` is the best cosine, at least 0. `coverage` is the share of the question's content words that the
    passages contain.
    """

    similarity: float
    coverage: float
    similarity_weight: float = SIMILARITY_WEIGHT

    @property
    def score(self) -> float:
        """Both values as one number, from 0 to about 1."""
        return self.similarity_weight * self.similarity + (1 - self.similarity_weight) * self.coverage


class AbstentionKind(StrEnum):
    """Why the documents can't answer a question."""

    NO_PASSAGES = "no_passages"
    WEAK_EVIDENCE = "weak_evidence"
    NOT_MENTIONED = "not_mentioned"  # `names`: no document has them
    OTHER_YEARS = "other_years"  # `years`: no document is about them; the documents are about `covered_years`
    OTHER_LANGUAGE = "other_language"  # the question isn't in `languages`, which are those of the documents


@dataclass(frozen=True, slots=True)
class Abstention:
    """The decision not to answer from the documents, and its reason."""

    kind: AbstentionKind
    evidence: Evidence
    names: tuple[str, ...] = ()
    years: tuple[str, ...] = ()
    covered_years: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


def missing_evidence(question: str, passages: Sequence[Passage]) -> Abstention | None:
    """Return why `passages`, best first, can't answer `question`, or None if they may."""
    if passages and is_about_whole_documents(question):
        return None
    evidence = measure_evidence(question, passages)
    if evidence.score >= THRESHOLD:
        return None
    return Abstention(AbstentionKind.WEAK_EVIDENCE if passages else AbstentionKind.NO_PASSAGES, evidence)


def measure_evidence(question: str, passages: Sequence[Passage]) -> Evidence:
    """Return the evidence for `question` in the first `CHECKED_PASSAGES` of `passages`, best first."""
    passages = passages[:CHECKED_PASSAGES]
    similarity = max((passage.dense for passage in passages if passage.dense is not None), default=0.0)
    texts = [f"{passage.document}\n{passage.heading}\n{passage.text}" for passage in passages]
    weight = SIMILARITY_WEIGHT if is_latin(question) else OTHER_SCRIPTS_WEIGHT
    return Evidence(max(similarity, 0.0), word_coverage(question, texts), weight)


def word_coverage(question: str, texts: Sequence[str]) -> float:
    """Return the share of the question's content words, compared by stem, that any of the texts contains."""
    language = detect_language("\n".join(texts))
    words = set(stems(_specific_words(question) or keywords(question), language))
    return len(words & set(stems(texts, language))) / len(words) if words else 0.0


def is_about_whole_documents(question: str) -> bool:
    """Return whether a question is about the documents as a whole, such as "Summarize this report".

    No passage resembles such a question, so its evidence says nothing.
    """
    return not _specific_words(question)


def is_latin(question: str) -> bool:
    """Return whether most letters are Latin."""
    letters = [character for character in question if character.isalpha()]
    return 2 * sum(character < "\u0250" for character in letters) >= len(letters)


def _specific_words(question: str) -> list[str]:
    language = detect_language(question)
    words = content_words(question, language, ignored=_generic_words(language))
    return [word for word in words if not _GENERIC_WORD.fullmatch(word)]


def _generic_words(language: str) -> frozenset[str]:
    return word_lists(_GENERIC_WORDS).get(language, frozenset())
