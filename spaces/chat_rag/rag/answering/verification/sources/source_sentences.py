"""The sentences of some passages, and those that have most of the words of another sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from math import log

from rag.answering.verification.sentences.pieces import find_pieces
from rag.answering.verification.sentences.sentence_words import SentenceWords, read_words
from rag.answering.verification.sentences.wording import wording
from rag.documents import Passage
from rag.search.languages import ENGLISH, detect_language, stop_words
from rag.search.words import split_tokens, stem_tokens

# The weight of a word that no sentence has, as a share of the weight of one that a single sentence has.
UNKNOWN_WEIGHT = 0.7
# So many sentences before one with a pronoun may name what it stands for, and so many first words of a claim may be it.
SENTENCES_BEFORE, LEAST_OWN, TOPIC_WORDS, ELSEWHERE = 3, 0.4, 3, 0.1
# A text in letters of ASCII with fewer function words of a language is in English.
FEWEST_FUNCTION_WORDS = 3


@dataclass(frozen=True, slots=True)
class SourceSentence:
    """A sentence of a passage, in characters of its text, and the words of what it is about.

    `topic` has the words of the heading, of the document's name and of the sentences that a pronoun may stand for,
    `label` those of the first cell of a row.
    """

    passage: Passage
    start: int
    end: int
    language: str
    words: SentenceWords
    topic: frozenset[str]
    label: frozenset[str]


@dataclass(frozen=True, slots=True)
class Source:
    """One sentence, or two neighbours, with the share of a claim's words; `claim` is read in its language."""

    share: float
    rank: float
    claim: SentenceWords
    words: SentenceWords
    sentences: tuple[SourceSentence, ...]

    @property
    def place(self) -> tuple[int, int, int]:
        """The number of the passage, and the characters of its text."""
        return self.sentences[0].passage.number, self.sentences[0].start, self.sentences[-1].end


class SourceSentences:
    """Finds the sentences of some passages that have the words of another sentence."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages

    @cached_property
    def all(self) -> list[SourceSentence]:
        """The sentences, in the order of the passages."""
        return [sentence for passage in self._passages for sentence in _sentences(passage)]

    @cached_property
    def _weights(self) -> dict[str, float]:
        """How much a word says: less if many sentences have it."""
        counts = Counter(word for sentence in self.all for word in sentence.words.content)
        return {word: log(1 + len(self.all) / count) for word, count in counts.items()}

    def read(self) -> None:
        """Read the passages, which takes longer than to find something."""
        self._weights  # noqa: B018  # the first access reads them

    def find(self, text: str, minimum: float) -> list[Source]:
        """Return the sources with at least this share of the words of a sentence, the best first."""
        claims = cache(lambda language: Claim(text, language, self._weights, len(self.all)))
        found, before = list[Source](), None
        for sentence in self.all:
            claim = claims(sentence.language)
            if claim.content.isdisjoint(sentence.words.content):  # most sentences of the passages
                before = None
                continue
            matched = claim.matched(sentence)
            found += claim.sources(minimum, matched, (sentence,))
            if before and _are_joined(*before, sentence, matched):
                found += claim.sources(minimum, before[1] | matched, (before[0], sentence))
            before = sentence, matched
        return sorted(found, key=lambda each: (-round(each.rank, 3), len(each.sentences)))


def _are_joined(
    first: SourceSentence, first_words: frozenset[str], second: SourceSentence, second_words: frozenset[str]
) -> bool:
    """Return whether two neighbours say something together: each has words of its own, and a row also its label."""
    if first.passage is not second.passage or not first_words - second_words or not second_words - first_words:
        return False
    return first.label | second.label <= first_words | second_words


class Claim:
    """The words of a sentence that is looked up, and their weights."""

    def __init__(self, text: str, language: str, weights: Mapping[str, float], count: int) -> None:
        known = wording(language)
        text = known.framing.sub(" ", text)
        self.words = read_words(text, language)
        unknown = UNKNOWN_WEIGHT * log(1 + count)
        self.content = self.words.content - _frame_stems(text, language, known.frame)
        self._weights = {word: weights.get(word, unknown) for word in self.content}
        self._total = sum(self._weights.values())
        self._topic = frozenset([word for word in self.words.order if word in self.content][:TOPIC_WORDS])

    def matched(self, sentence: SourceSentence) -> frozenset[str]:
        """Return the words that the sentence has, or that name its topic."""
        own = sentence.words.content & self._weights.keys()
        return own | (self._topic & sentence.topic) if self.share(own) >= LEAST_OWN else own

    def sources(
        self, minimum: float, matched: frozenset[str], sentences: tuple[SourceSentence, ...]
    ) -> Iterator[Source]:
        """Yield the source, if it has enough of the words; one that has them all itself ranks higher."""
        share = self.share(matched)
        if share and share >= minimum:
            words = sentences[0].words if len(sentences) == 1 else sentences[0].words + sentences[1].words
            yield Source(share, share - (0 if matched <= words.content else ELSEWHERE), self.words, words, sentences)

    def share(self, words: frozenset[str]) -> float:
        """Return the share of the words, by weight."""
        return sum(self._weights[word] for word in words) / self._total if self._total else 0.0


def _language(text: str) -> str:
    """Return the language of a text; a word or two, such as "pro" in a table, don't make it one without a wording."""
    language = detect_language(text)
    if wording(language).negations or any(letter.isalpha() and not letter.isascii() for letter in text):
        return language
    found = {word for word in stop_words(language).intersection(split_tokens([text])) if len(word) > 1}
    return language if len(found) >= FEWEST_FUNCTION_WORDS else ENGLISH


def _frame_stems(text: str, language: str, frame: frozenset[str]) -> frozenset[str]:
    """Return the stems of a sentence that only words of its frame have: "stated" has that of a state."""
    tokens = frozenset(split_tokens([text]))
    framing, others = (stem_tokens([*words], language) for words in (tokens & frame, tokens - frame))
    return frozenset(framing) - frozenset(others)


def _sentences(passage: Passage) -> Iterator[SourceSentence]:
    language = _language(passage.text)
    heading = read_words(f"{passage.heading} {passage.document}", language).content
    above = list[frozenset[str]]()
    for piece in find_pieces(passage.text):
        words = replace(read_words(piece.text, language), in_cells=piece.is_row)
        topic = heading.union(*above[-SENTENCES_BEFORE:]) if words.refers else heading
        label = _label(piece.label, language) if piece.label else frozenset[str]()
        yield SourceSentence(passage, piece.start, piece.end, language, words, topic, label)
        above.append(words.content)


def _label(text: str, language: str) -> frozenset[str]:
    """Return the stems of the words of a label that mean something; of all if none does."""
    tokens = split_tokens([text])
    return frozenset(stem_tokens([token for token in tokens if token not in stop_words(language)] or tokens, language))
