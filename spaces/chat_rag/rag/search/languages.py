"""Which language a text is in, by its script and its function words."""

from __future__ import annotations

import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ENGLISH, GERMAN, SPANISH, FRENCH = "english", "german", "spanish", "french"
CHINESE, JAPANESE, KOREAN, THAI = "chinese", "japanese", "korean", "thai"
# In these, a character says more than a letter does.
DENSE_LANGUAGES = frozenset({CHINESE, JAPANESE, KOREAN})
_STOP_WORDS = Path(__file__).with_name("stop_words.toml")
_WORD = re.compile(r"[^\W\d_]+")
# The scripts without spaces between words, and Hangul: see `rag.search.words`.
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_THAI = re.compile(r"[\u0e00-\u0e7f]")
# The language of a text without any function word, by its script; every other script has no stemmer.
_BY_SCRIPT = {
    re.compile(r"[\u0400-\u04ff]"): "russian",
    re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]"): "greek",
    re.compile(r"[\u0530-\u058f]"): "armenian",
    re.compile(r"[\u0600-\u06ff]"): "arabic",
    re.compile(r"[\u0900-\u097f]"): "hindi",
    re.compile(r"[\u0b80-\u0bff]"): "tamil",
}
# A sentence in Chinese has as many characters as one in English has words.
_DENSITY = 4
# Of the characters with kana; Chinese texts quote a Japanese name now and then.
_KANA_SHARE = 0.05
_LATIN = re.compile(r"[a-z\u00df-\u024f]")
# Of all words; reports with many tables have 0.09 and more, lists without sentences 0.045 and less.
_FEWEST_FUNCTION_WORDS = 0.06
# Characters of a long text that are looked at, in each of three places.
_SAMPLE = 3_000


def detect_language(text: str) -> str:
    """Return the name of a text's language, for a stemmer and for stop words; English if nothing tells."""
    text = _sample(text).lower()
    letters = sum(map(str.isalpha, text))
    if unspaced := _unspaced_language(text, letters):
        return unspaced
    words = Counter(_WORD.findall(text))
    # A single letter can be a unit, an initial or a part of "y.o.y.": it counts if nothing else does.
    for scores in (_scores(words, 2), _scores(words, 1)):
        if scores:
            return max(scores, key=lambda language: (round(scores[language], 6), language == ENGLISH))
    return next(
        (language for script, language in _BY_SCRIPT.items() if len(script.findall(text)) > letters / 2), ENGLISH
    )


def language_of_sentences(text: str) -> str:
    """Return the language of a text; "" for one in Latin letters with hardly any function word, such as a table.

    The "NA" and "no" of a table are words of some language.
    """
    language, text = detect_language(text), _sample(text).lower()
    letters, words = sum(map(str.isalpha, text)), Counter(_WORD.findall(text))
    if len(_LATIN.findall(text)) < letters / 2:
        return language
    share = max(_scores(words, 2).values(), default=0.0) / max(1, words.total())
    return language if share >= _FEWEST_FUNCTION_WORDS else ""


def _scores(words: Mapping[str, int], fewest_letters: int) -> dict[str, float]:
    """Return how many function words of each language there are; one of several languages is shared among them."""
    scores: defaultdict[str, float] = defaultdict(float)
    for word, count in words.items():
        languages = _languages_by_word().get(word, ()) if len(word) >= fewest_letters else ()
        for language in languages:
            scores[language] += count / len(languages)
    return scores


def stop_words(language: str) -> frozenset[str]:
    """Return the function words of a language; an unknown one has none."""
    return word_lists(_STOP_WORDS).get(language, frozenset())


@cache
def word_lists(path: Path) -> dict[str, frozenset[str]]:
    """Return the words of each language in a file."""
    lists = tomllib.loads(path.read_text(encoding="utf-8"))
    return {language: frozenset(words.split()) for language, words in lists.items()}


def _unspaced_language(text: str, letters: int) -> str:
    """Return the language if much of a text is in a script without spaces, else ""."""
    counts = {script: len(script.findall(text)) for script in (_HAN, _KANA, _HANGUL, _THAI)}
    script = max(counts, key=lambda each: counts[each])
    total = sum(counts.values())
    if not total or _DENSITY * total < letters - total:
        return ""
    if script in (_HAN, _KANA):
        return JAPANESE if counts[_KANA] > _KANA_SHARE * total else CHINESE
    return KOREAN if script is _HANGUL else THAI


def _sample(text: str) -> str:
    """Return the beginning, the middle and the end of a long text."""
    if len(text) <= 3 * _SAMPLE:
        return text
    middle = len(text) // 2
    return "\n".join((text[:_SAMPLE], text[middle : middle + _SAMPLE], text[-_SAMPLE:]))


@cache
def _languages_by_word() -> dict[str, tuple[str, ...]]:
    """Return the languages that have a word as a function word."""
    languages: dict[str, tuple[str, ...]] = {}
    for language, words in word_lists(_STOP_WORDS).items():
        for word in words:
            languages[word] = (*languages.get(word, ()), language)
    return languages


STOP_WORDS = stop_words(ENGLISH)
