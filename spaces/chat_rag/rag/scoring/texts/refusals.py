"""Recognizes that an answer refuses: it says that the documents, or the model, don't answer the question.

The words, in English, German, Spanish, French and Chinese, are in refusals.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from rag.answering.abstention.strings import REFUSAL
from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.verification.sentences.clauses import role_words
from rag.answering.verification.sentences.figures import find_figures
from rag.scoring.texts.words import normal
from rag.scoring.texts.yes_no import says_yes

_TOPIC, _NEAR = r".{0,80}?", r"[^,;:]{0,60}?"
_GOING_ON = "going_on"
_LEAD_IN = re.compile(
    r"^\W*(?:according to|(?:based|relying) on|as (?:stated|reported) in|(?:as )?per)\b[^,]{1,80},\s*"
)
_SOURCE = re.compile(
    r"\b(?:passages?|documents?|texts?|sources?|context|excerpts?|quotations?|filings?|reports?|10-[qk])\b"
)
_NUMBERED = re.compile(
    r"\b(?:passages?|documents?|sources?|pages?|items?|notes?|sections?|tables?|excerpts?) \W?\d{1,4}\b"
)
_QUALIFIES = re.compile(r"\b(?:includ|cover)$")  # "income of 12, which does not include leases"
_IS_COVERED = re.compile(
    r"^\W*(?:this|that|it|the (?:topic|subject|question))(?: (?:is|was) not|'s not| (?:is|was)n't) covered\b"
    r"(?! (?:by|under|until|after|before|if))"
)
# A later sentence refuses the question only if it is about it: it has this share of its words.
_MIN_SHARE = 0.5
# "I can't help" of a model that was trained to decline, before its reasons.
_APOLOGY = re.compile(r"^\W*(?:i'm |i am |we're )?(?:sorry|apologi[sz]e|unfortunately|leider|lamento|désolé|抱歉)\b")
# What a refusal goes on with: "but they mention …".
_ABOUT_SOURCES = re.compile(
    r"\W*(?:they|it|these|those|only|there"
    r"|(?:the )?(?:passages?|documents?|texts?|context|closest|nearest|only|sources?))\b"
)


def is_refusal(question: str, statements: Sequence[str]) -> bool:
    """Return whether an answer refuses.

    It does if its first statement says so and none goes on to an answer, or if a later one says so of the question and
    those before it have no figure.
    """
    texts = [part for statement in statements for part in _parts(_LEAD_IN.sub("", normal(statement)))]
    if any(normal(REFUSAL) in text for text in texts):
        return True
    at = next((at for at, text in enumerate(texts) if refuses(text, question)), None)
    if at is None or _answers_yes_or_no(question, texts[0], texts[at]):
        return False
    if any(_goes_on(text) for text in _parts_after(texts, at)):
        return False
    claims = [text for text in texts[:at] if len(text.split()) > 3 and not _APOLOGY.match(text)]
    if not claims:
        return True
    return not any(find_figures(text) for text in claims) and _is_about(question, texts[at], claims)


def refuses(text: str, question: str = "") -> bool:
    """Return whether a sentence, normalized, says that the documents or the model don't answer.

    It doesn't if it gives a figure before. "This isn't covered" is an answer where the question asks what is covered.
    """
    if _IS_COVERED.search(text):
        return "cover" not in normal(question)
    matches = (match for pattern in _patterns()[0] if (match := pattern.search(text)))
    return any(
        not _has_figure(text[: match.end() if _QUALIFIES.search(match[0]) else match.start()]) for match in matches
    )


def _has_figure(text: str) -> bool:
    return bool(find_figures(_NUMBERED.sub("", text)))


def _answers_yes_or_no(question: str, first: str, refusal: str) -> bool:
    """Return whether an answer begins with yes or no, and doesn't go on about the documents instead."""
    if Question(_LEAD_IN.sub("", normal(question))).kind is not Kind.YES_NO:
        return False
    said = says_yes(first)
    return bool(said) or (said is False and bool(not _SOURCE.search(refusal) or _SOURCE.search(normal(question))))


def _parts(text: str) -> list[str]:
    """Return a sentence in two at its first semicolon, if it begins with a claim of its own."""
    head, _, tail = text.partition(";")
    return [head, tail] if tail and not _ABOUT_SOURCES.match(head) and not refuses(head) else [text]


def _goes_on(text: str) -> bool:
    return any(pattern.search(text) for pattern in _patterns()[1])


def _parts_after(texts: Sequence[str], at: int) -> list[str]:
    """Return what follows a refusal: in its own sentence after "but", and the sentences after it."""
    own = re.split(r"\b(?:but|however|aber|pero|mais)\b|但|;", texts[at], maxsplit=1)
    parts = [f"= {part}" for part in own[1:] if find_figures(part) and not _ABOUT_SOURCES.match(part)]
    return [*parts, *own[1:], *(text for text in texts[at + 1 :] if not refuses(text))]


def _is_about(question: str, refusal: str, claims: Sequence[str]) -> bool:
    """Return whether a refusal has most of the question's words, and more of them than what stands before it."""
    words = role_words(question)
    shares = [len(words & role_words(text)) / max(1, len(words)) for text in (refusal, " ".join(claims))]
    return shares[0] >= _MIN_SHARE and shares[0] >= shares[1]


@cache
def _patterns() -> tuple[list[re.Pattern[str]], list[re.Pattern[str]]]:
    """Return the patterns of refusals, and those of sentences that answer after one."""
    words: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    refusing = [
        re.compile(_filled(pattern, language["source"]))
        for name, language in words.items()
        if name != _GOING_ON
        for pattern in language["patterns"]
    ]
    return refusing, [re.compile(pattern) for pattern in words[_GOING_ON]["patterns"]]


def _filled(pattern: str, source: str) -> str:
    return pattern.replace("{source}", source).replace("{topic}", _TOPIC).replace("{near}", _NEAR)
