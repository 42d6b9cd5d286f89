"""Marks an answer by a gold answer that is yes or no."""

from __future__ import annotations

import re

from rag.scoring.marks import Mark
from rag.scoring.texts.words import normal

_YES = r"yes|yeah|yep|correct|true|ja|oui|si|sí|是的?|对|有"
_NO = r"no|nope|false|nein|non|不|不是|否|没有"
_ALONE = re.compile(rf"(?:{_YES}|{_NO})\W*")
# "No doubt, yes."
_NO_DOUBT = re.compile(r"^\W*(?:no|without (?:a |any )?) ?(?:doubt|question)\b(?: about it)?\W*")
_AT_BEGINNING = re.compile(
    rf"^\W*(?:(?P<yes>{_YES})|(?P<no>{_NO}))(?!\w| or\b|/)|^\W*(?P<east>是的|是|对|不是|没有|否)"
)
# "Short answer: yes" and, of JSON, "paid dividend: yes".
_AFTER_COLON = re.compile(rf"^[^.:;,]{{1,60}}:\W*(?:(?P<yes>{_YES})|(?P<no>{_NO}))(?!\w)")
# "Based on the filing, yes."
_AFTER_COMMA = re.compile(r"^[^.:;,]{1,60},\W{0,3}(?:(?P<yes>yes|ja|oui|sí)|(?P<no>no|nein|non))(?=\W*$|[.,;:!])")
# "…, so the answer is yes"; of JSON, "reason: it paid; answer: yes".
_ANSWER = r"\b(?:answer|antwort|respuesta|réponse)(?::| (?:is|ist|es|est|would be|lautet))\W{0,4}"
_ANSWER_IS = re.compile(rf"{_ANSWER}(?:(?P<yes>{_YES})|(?P<no>{_NO}))(?=\W*$|[\"'.,;:!])")


def is_yes_or_no(gold: str) -> bool:
    """Return whether a gold answer is yes or no alone."""
    return bool(_ALONE.fullmatch(normal(gold)))


def mark_yes_or_no(gold: str, answer: str) -> Mark:
    """Return whether an answer begins with the same of yes and no, or says that the answer is."""
    said, right = says_yes(answer), says_yes(gold)
    if said is None:
        return Mark(False, "the answer says neither yes nor no at its beginning")
    return Mark(said == right, f"it says {'yes' if said else 'no'}")


def says_yes(answer: str) -> bool | None:
    """Return whether an answer says yes; None if it says neither yes nor no."""
    text = _NO_DOUBT.sub("", normal(answer))
    match = _AT_BEGINNING.match(text)
    if match and match["east"]:
        return match["east"] in ("是的", "是", "对")
    match = match or _ANSWER_IS.search(text) or _AFTER_COLON.match(text) or _AFTER_COMMA.match(text)
    return None if match is None else match["yes"] is not None
