"""Sentences that say what the documents don't say."""

from __future__ import annotations

import re

_NOT = (
    r"(?:\b(?:no|not|cannot|unable|neither|nowhere|nothing|keine?[mnrs]?|nicht|nichts|nirgends|ningun[ao]?|ningún|nada|pas|aucune?"
    r"|rien)\b|n['’]t\b|没有|未|不)"
)
_SAYS = (
    r"(?:mention|contain|provid|specif|stat(?:e|es|ed)\b|includ|inform|answer|found|find|say|said|give|given|address|discuss"
    r"|determin|refer|describ|detail|disclos|erwähn|enthalten|enthält|angegeben|angaben|hervor|beantwort|finde|gefunden"
    r"|steht|stehen|nenn|genannt|beschr|sagen|contien|especific|indic|inclu|dice|encontr|mencion|proporcion|trouv|précis"
    r"|donne|dit\b|disent|fourni|提到|提及|说明|包含|提供|找到|信息)"
)
# What says nothing: the documents, or the one who answers.
_DOCUMENTS = re.compile(
    r"\b(?:documents?|passages?|texts?|sources?|context|excerpts?|reports?|articles?|information|answer|I|we|dokument\w*|quellen?"
    r"|textes?|auszug|auszüge\w*|angaben|informationen|ich|wir|documentos?|textos?|fuentes?|pasajes?|información|contexto"
    r"|informations?|extraits?|contexte|je|nous)\b|文档|文件|资料|段落|文中|文本",
    re.IGNORECASE,
)
_SAYING = re.compile(rf"{_SAYS}\w*", re.IGNORECASE)
_MISSING = re.compile(rf"{_NOT}.{{0,60}}?{_SAYS}|{_SAYS}.{{0,60}}?{_NOT}", re.IGNORECASE)
# The first letters of a verb that its forms have in common, and those of the forms that begin differently.
_VERB = 4
_SAME_VERB = {
    "foun": "find",
    "gefu": "find",
    "said": "say",
    "says": "say",
    "sayi": "say",
    "gena": "nenn",
    "anga": "ange",
    "dise": "dit",
}
# "Its height is not specified" needs no documents.
_UNSPECIFIED = re.compile(
    r"(?:\bnot|n['’]t)\s+(?:\w+ly\s+)?(?:mentioned|specified|stated|given|provided|disclosed|described|found)\b"
    r"|\bnicht\s+(?:erwähnt|genannt|angegeben|beschrieben|gefunden)\b|\bno\s+se\s+(?:menciona|especifica|indica|proporciona)\w*"
    r"|\bpas\s+(?:mentionn|précis|indiqu|fourni)\w*",
    re.IGNORECASE,
)


def says_nothing(sentence: str) -> bool:
    """Return whether a sentence says that the documents don't say something."""
    missing = _MISSING.search(sentence) and _DOCUMENTS.search(sentence)
    return bool(missing or _UNSPECIFIED.search(sentence))


def denies_the_same(sentence: str, source: str) -> bool:
    """Return whether a source denies, with a verb of such a sentence, that something is said."""
    return bool(_MISSING.search(source) and _verbs(sentence) & _verbs(source))


def missing_words(sentence: str) -> str:
    """Return what such a sentence says to be missing."""
    return _DOCUMENTS.sub(" ", _SAYING.sub(" ", sentence))


def _verbs(text: str) -> set[str]:
    """Return the first letters of the verbs that say something, the same ones for all forms of a verb."""
    beginnings = (verb[:_VERB].lower() for verb in _SAYING.findall(text))
    return {_SAME_VERB.get(beginning, beginning) for beginning in beginnings}
