"""The words of a text as a search compares them: stemmed by language, and pairs where a script has no spaces."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from rag.search.languages import ENGLISH, KOREAN, detect_language, stop_words

# Thai, Lao, Burmese, Khmer, Japanese, Chinese and Korean. Korean has spaces, but particles stand at the end of words.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
# A character with the vowels and tones that are written around it in Thai, Lao, Burmese and Khmer.
_CHARACTER = re.compile(
    "[\u0e40-\u0e44\u0ec0-\u0ec4]?."
    "[\u0e30-\u0e3a\u0e45\u0e47-\u0e4e\u0eb0-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u17b6-\u17d3]*",
    re.DOTALL,
)
# Accents, and the vowels of Arabic and Hebrew, which most writers leave out; \u0640 makes an Arabic word longer.
_DIACRITICS = "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed"
_DIACRITIC = re.compile(f"[{_DIACRITICS}]")
# `\w` doesn't match the vowels between the letters of an Indian script.
_LETTER = rf"(?:(?![{_UNSPACED}])[^\W_]|[{_DIACRITICS}\u0900-\u0963\u0966-\u0dff])"
_TOKEN = re.compile(rf"[{_UNSPACED}]+|{_LETTER}+")
_WORD = re.compile(rf"[{_UNSPACED}]+|(?:{_LETTER}|_)+")
_ASCII_TOKEN = re.compile(r"[a-z0-9]+")  # what `_TOKEN` finds in ASCII, in a quarter of the time
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_SHORTEST_KOREAN_WORD = 2
_thread = threading.local()  # a Stemmer isn't thread-safe


def keywords(text: str) -> list[str]:
    """Return the words that carry meaning, in lower case, each once; all words if there are no others."""
    return content_words(text) or list(dict.fromkeys(_WORD.findall(text.lower())))


def content_words(text: str, language: str | None = None, *, ignored: frozenset[str] = frozenset()) -> list[str]:
    """Return the words that aren't function words or `ignored`, in lower case, each once.

    The language is the text's own if it has no name here. In a script without spaces, a word is what stands between two
    of the words that are left out.
    """
    language = language or detect_language(text)
    ignored |= stop_words(language)
    words = dict.fromkeys(_WORD.findall(text.lower()))
    return list(dict.fromkeys(part for word in words for part in _content(word, language, ignored)))


def stems(texts: Iterable[str], language: str = ENGLISH) -> list[str]:
    """Return the distinct terms of some words or texts of a language, as they are indexed."""
    return list(dict.fromkeys(stem_tokens(split_tokens(texts), language)))


def split_tokens(texts: Iterable[str]) -> list[str]:
    """Return the words of some texts in order, and pairs of characters where there are no spaces between words."""
    tokens: list[str] = []
    for text in texts:
        if text.isascii():
            tokens += _ASCII_TOKEN.findall(text.lower())
            continue
        for token in _TOKEN.findall(unicodedata.normalize("NFKC", text.lower())):
            tokens += _pairs(token) if _IS_UNSPACED.match(token) else (token,)
    return tokens


def stem_tokens(tokens: Sequence[str], language: str) -> list[str]:
    """Return the stem of each token; only English accents are removed before the stemmer, which knows the others'."""
    if language == ENGLISH:
        tokens = _all_without_diacritics(tokens)
    stemmer = _stemmer(language)
    if stemmer is None:
        return _all_without_diacritics(tokens)
    # Porter's stemmer shortens even "as" and "is"; short words stay as they are.
    stemmed = [stem if len(token) > 2 else token for token, stem in zip(tokens, stemmer.stemWords(tokens), strict=True)]
    return stemmed if language == ENGLISH else _all_without_diacritics(stemmed)


def _pairs(token: str) -> Iterator[str]:
    """Yield each pair of neighbouring characters, which serve as words; a single character is one, too."""
    characters = _CHARACTER.findall(token)
    if len(characters) == 1:
        yield token
    for first, second in pairwise(characters):
        yield first + second


def _content(word: str, language: str, ignored: frozenset[str]) -> Iterator[str]:
    """Yield the parts of a word that aren't left out."""
    if word in ignored:
        return
    if not _IS_UNSPACED.match(word):
        yield word
    elif language == KOREAN:
        yield from _without_particle(word, ignored)
    else:
        yield from _between(word, ignored)


def _without_particle(word: str, ignored: frozenset[str]) -> Iterator[str]:
    ends = range(max(_SHORTEST_KOREAN_WORD, len(word) - max(map(len, ignored), default=0)), len(word))
    stem = next((word[:end] for end in ends if word[end:] in ignored), word)
    if stem not in ignored:
        yield stem


def _between(run: str, ignored: frozenset[str]) -> Iterator[str]:
    """Yield what is left of a run of characters without its function words, of which the longest count first."""
    longest = max(map(len, ignored), default=0)
    start = position = 0
    while position < len(run):
        lengths = range(longest, 0, -1)
        length = next((each for each in lengths if run[position : position + each] in ignored), 0)
        if length:
            if position > start:
                yield run[start:position]
            start = position + length
        position += length or 1
    if position > start:
        yield run[start:position]


@cache
def _algorithms() -> frozenset[str]:
    from Stemmer import algorithms

    return frozenset(algorithms())


def _stemmer(language: str) -> Any:
    """Return this thread's stemmer of a language, or None if there is none."""
    stemmers = _thread.__dict__.setdefault("stemmers", {})
    if language not in stemmers:
        from Stemmer import Stemmer

        stemmers[language] = Stemmer(_algorithm(language)) if _algorithm(language) else None
    return stemmers[language]


def _algorithm(language: str) -> str:
    # Porter's first stemmer for English, which was measured. A text in Chinese quotes English, too.
    return language if language in _algorithms() and language != ENGLISH else "porter"


def _all_without_diacritics(tokens: Sequence[str]) -> list[str]:
    if all(map(str.isascii, tokens)):
        return list(tokens)
    return [token if token.isascii() else _without_diacritics(token) for token in tokens]


def _without_diacritics(text: str) -> str:
    return unicodedata.normalize("NFC", _DIACRITIC.sub("", unicodedata.normalize("NFD", text)))
