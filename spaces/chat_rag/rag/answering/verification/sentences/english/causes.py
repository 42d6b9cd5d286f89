"""What an English sentence calls the cause of what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from rag.search.languages import ENGLISH, stop_words
from rag.search.words import split_tokens, stem_tokens

# The cause stands after the first of these and before the others.
_AFTER = (
    r"because(?:\sof)?|(?:due|owing|attributable|thanks)\sto|as\sa\sresult\sof|since(?!\s(?:\d|then|its|the\sstart))"
)
_AFTER_VERB = r"caused\sby|driven\sby|result(?:s|ed|ing)?\sfrom|explained\sby"
_BEFORE = (
    r"caus(?:e|es|ing)|caused(?!\sby)|lead(?:s|ing)?\sto|led\sto|result(?:s|ed|ing)?\sin|therefore|thus|hence|so\sthat"
    r"|as\sa\sresult(?!\sof)|forc(?:e|es|ing)|(?<!\bwas\s)(?<!\bwere\s)(?<!\bbeen\s)(?<!\bbe\s)forced(?!\sby)"
)
_LINK = re.compile(rf"\b(?:(?P<behind>{_AFTER}|{_AFTER_VERB})|(?P<before>{_BEFORE}))\b", re.IGNORECASE)
_IS_EXPLICIT = re.compile(r"\b(?:because|(?:due|owing)\sto|caused?|as\sa\sresult)\b", re.IGNORECASE)
# Words of sentences that give a cause, as a part of a pattern.
CAUSE_WORDS = (
    r"because|due|owing|caus\w*|result\w*|lead\w*|led|driv\w*|since|as|so|therefore|thus|hence|reason\w*|reflect\w*"
    r"|attribut\w*|thanks|given|why|expla\w*|make\w*|made|forc\w*|contribut\w*|effects?"
)
_MAY_BE_CAUSE = re.compile(rf"\b(?:{CAUSE_WORDS}|after|following|amid|with|for|to)\b", re.IGNORECASE)
# Each is compared with each of another sentence.
_MOST_LINKS = 8
Cause = tuple[frozenset[str], frozenset[str]]


def has_other_cause(sentence: str, source: str) -> bool:
    """Return whether a sentence takes an effect of its source for the cause, or gives a cause where that has none."""
    theirs = [*_causes(source)]
    if not theirs:
        return bool(_IS_EXPLICIT.search(sentence)) and not _MAY_BE_CAUSE.search(source)
    return any(all(_are_turned(own, each) for each in theirs) for own in _causes(sentence))


def _are_turned(own: Cause, their: Cause) -> bool:
    (cause, effect), (their_cause, their_effect) = own, their
    same = len(cause & their_cause) + len(effect & their_effect)
    return len(cause & their_effect) + len(effect & their_cause) > same


def _causes(text: str) -> Iterator[Cause]:
    """Yield the stems of each cause of a text, and those of its effect."""
    for link in islice(_LINK.finditer(text), _MOST_LINKS):
        before, after = text[: link.start()], text[link.end() :]
        begins = not before.strip() or (before.rstrip().endswith((".", ";", ",")) and "," in after)
        if begins and link["behind"]:
            after, comma, before = after.partition(",")
            if not comma:  # "Because of ice the harbour is closed"
                continue
        first, second = _stems(before), _stems(after)
        yield (second, first) if link["behind"] else (first, second)


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem_tokens([word for word in split_tokens([text]) if word not in stop_words(ENGLISH)], ENGLISH))
