"""The words of a sentence in their order, and what each of its parts says and denies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rag.answering.verification.sentences.english.bounds import without_bounds
from rag.answering.verification.sentences.names import find_names
from rag.answering.verification.sentences.wording import Side, Wording, wording
from rag.search.languages import CHINESE, ENGLISH, stop_words
from rag.search.words import split_tokens, stem_tokens

_TOKEN = re.compile(r"[^\W_]+|[;()–—]|[,:](?=\s)")
_NOT = re.compile(r"n ?['’]t\b")
# "No. 7", and "bus no 7", but neither "there are no 7 gates" nor "no 12-year-olds".
_NUMBER_SIGN = re.compile(
    r"\bno\.\s*(?=\d)|"
    + "".join(rf"(?<!\b{verb} )" for verb in ("is", "are", "was", "were", "has", "have", "had"))
    + r"\bno\s(?=\d+\b(?!-))"
)
# "Red rather than blue" denies the blue.
_INSTEAD = re.compile(
    r"\b(?:rather than|instead of|anstatt|anstelle|statt|en lugar de|en vez de|au lieu de|plutôt que)\b"
)
_INSTEAD_OF = {"german": " , nicht ", "spanish": " , no ", "french": " , pas "}
# Each part is compared with each of another sentence.
_MOST_PARTS = 24
# The group of numbers in digits among the sides.
NUMBERS = -1
# So many words before "by" an auxiliary may make a passive: "was later gladly acquired by".
_AUXILIARY_BEFORE = 4
# A part with fewer words belongs to the next one, unless it denies something.
_MIN_PART = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a sentence: the stems of its words, whether it has a negation, and its sides of opposites.

    `order` has the words of `content` as they stand there. `excepts` says that the sentence isn't about it.
    """

    order: tuple[str, ...]
    content: frozenset[str]
    negated: bool
    sides: frozenset[Side]
    excepts: bool = False


@dataclass(frozen=True, slots=True)
class SentenceWords:
    """The stems of a sentence: all in their order, those with a meaning, and those of its parts.

    `names` has the stems of names. `refers` says that a pronoun stands for what was named before, `passive` that a word
    such as "by" may name who does something; `passive_verbs` has the stems of what is done by someone. The order of
    words `in_cells` says nothing. `not_only` and `unless` say that it has these words.
    """

    order: tuple[str, ...]
    content: frozenset[str]
    parts: tuple[Part, ...]
    names: frozenset[str]
    only: bool
    refers: bool
    passive: bool
    passive_verbs: frozenset[str]
    in_cells: bool = False
    not_only: bool = False
    unless: bool = False

    def __add__(self, other: SentenceWords) -> SentenceWords:
        return SentenceWords(
            self.order + other.order,
            self.content | other.content,
            self.parts + other.parts,
            self.names | other.names,
            self.only or other.only,
            self.refers or other.refers,
            self.passive or other.passive,
            self.passive_verbs | other.passive_verbs,
            self.in_cells or other.in_cells,
            self.not_only or other.not_only,
            self.unless or other.unless,
        )

    @property
    def sides(self) -> frozenset[Side]:
        return frozenset[Side]().union(*(part.sides for part in self.parts))


def read_words(text: str, language: str) -> SentenceWords:
    """Read the words of a sentence."""
    known = wording(language)
    lowered = _lowered(text)
    tokens = _tokens(lowered, language, known)
    ignored = stop_words(language) | stop_words(ENGLISH) | known.splits | known.negations
    order, content, parts = list[str](), set[str](), list[Part]()
    for words in _parts(tokens, known):
        raw = split_tokens(words)
        stems = stem_tokens(raw, language)
        meant = [
            stem
            for word, stem in zip(raw, stems, strict=True)
            if word not in ignored and (len(word) > 1 or not word.isascii())
        ]
        order += stems
        content.update(meant)
        sides = frozenset(side for stem in set(stems) for side in _sides(stem, known))
        negated, excepts = _is_negated(words, known, language), words[0] in known.exceptions
        parts.append(Part(tuple(meant), frozenset(meant), negated, sides, excepts))
    found = set(tokens)
    return SentenceWords(
        tuple(order),
        frozenset(content),
        tuple(parts),
        frozenset(stem_tokens(split_tokens(name.word for name in find_names(text)), language)),
        bool(found & known.only),
        bool(found & known.pronouns),
        bool(found & known.agents),
        frozenset(stem_tokens(split_tokens(_passive_verbs(tokens, known)), language)),
        unless=bool(found & known.unless),
        not_only=not known.only.isdisjoint(" ".join(known.ignored.findall(lowered)).split()),
    )


def _passive_verbs(tokens: Sequence[str], known: Wording) -> Iterator[str]:
    """Yield the words between an auxiliary and a word such as "by"."""
    for at, token in enumerate(tokens):
        if token in known.agents and known.auxiliaries.intersection(tokens[max(0, at - _AUXILIARY_BEFORE) : at]):
            yield tokens[at - 1]


def _lowered(text: str) -> str:
    """Return a sentence in lower case on one line, with "not" as a word of its own."""
    lowered = _NOT.sub(" not", " ".join(text.lower().split())).replace("cannot", "can not")
    return without_bounds(_NUMBER_SIGN.sub(" ", lowered))


def _tokens(lowered: str, language: str, known: Wording) -> list[str]:
    """Return the words and the marks of a sentence, without the phrases that deny nothing."""
    return _TOKEN.findall(_INSTEAD.sub(_INSTEAD_OF.get(language, " , not "), known.ignored.sub(" ", lowered)))


def _sides(stem: str, known: Wording) -> tuple[Side, ...]:
    """Return the sides of a word; different numbers exclude each other as well, and "9" is also "nine"."""
    number = stem.isascii() and stem.isdigit() and len(stem) < 9
    return (((NUMBERS, int(stem)),) if number else ()) + known.sides.get(stem, ())


def _parts(tokens: Sequence[str], known: Wording) -> Iterator[list[str]]:
    """Yield the words of each part of a sentence."""
    part: list[str] = []
    left = _MOST_PARTS
    for token, following in zip_longest(tokens, tokens[1:], fillvalue=""):
        mark, comma = not token[0].isalnum(), token.startswith(",")
        # A comma alone may stand around a few words within a part: "The gate, however, is closed".
        ends = token in known.splits or (mark and (not comma or following in known.negations | known.splits))
        if ends and left and (len(part) >= _MIN_PART or known.negations & set(part)):
            yield part
            part, left = [], left - 1
        if not mark:
            part.append(token)
    if part:
        yield part


def _is_negated(words: Sequence[str], known: Wording, language: str) -> bool:
    if language != CHINESE:
        return any(word in known.negations | known.unless for word in words)
    text = "".join(words)
    for other in known.not_negations:
        text = text.replace(other, "")
    return any(negation in text for negation in known.negations)
