"""Decides whether a source denies what a sentence says: by negations, opposites, numbers in words and who does what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rag.answering.verification.sentences.sentence_words import Part, SentenceWords
from rag.answering.verification.sentences.wording import Wording

# A part of a source with this share of the words is what a part of a sentence is about.
_MOST = 0.6
_SWAPPED = 3


def contradicts(claim: SentenceWords, source: SentenceWords, known: Wording) -> bool:
    """Return whether a source doesn't say the same although it has the words of a sentence."""
    if (claim.only and not source.only) or (claim.not_only and source.only):
        return True
    available = source.sides
    if any(side[0] in known.strict and side not in available for side in claim.sides):
        return True
    parts = [part for part in claim.parts if part.content]
    if any(_denies(part, source) or _names_another(part, claim, source) for part in parts):
        return True
    return _swaps(claim, source, known) or _turns(claim, source, known) or _turns(source, claim, known)


def _denies(part: Part, source: SentenceWords) -> bool:
    """Return whether the parts of the source that are about the same say the opposite."""
    covering = _covering(part, source.parts) or source.parts
    best, other = covering[0], _joined(covering)
    # "No" in one cell of a row is about its column alone, however many words the others have.
    if not source.in_cells and len(part.content & best.content) >= _MOST * len(part.content):
        other = best
    return (part.negated != other.negated) != _is_opposite(part, best)


def _names_another(part: Part, claim: SentenceWords, source: SentenceWords) -> bool:
    """Return whether a name stands where the source has another one, between the same words."""
    best = (_covering(part, source.parts) or source.parts)[0]
    places = {word: at for at, word in enumerate(best.order)}
    names, last = set[str](), -1
    for word in (*part.order, ""):
        at = places.get(word, len(best.order))
        if word and word not in places:
            names |= {word} & claim.names
        elif at > last:
            if names and (set(best.order[last + 1 : at]) & source.names) - part.content:
                return True
            names, last = set(), at
    return False


def _covering(part: Part, others: Sequence[Part]) -> list[Part]:
    """Return the parts of a source that have the words of a part, as few as possible."""
    missing, chosen = part.content, list[Part]()
    while missing:
        best = max(others, key=lambda other: _overlap(missing, other))
        if not missing & best.content:
            break
        chosen.append(best)
        missing -= best.content
    return chosen


def _overlap(words: frozenset[str], part: Part) -> tuple[int, float]:
    """Return how many of the words a part has, and how few others."""
    count = len(words & part.content)
    return count, count / (len(part.content) or 1)


def _joined(parts: Sequence[Part]) -> Part:
    content, sides = (
        frozenset().union(*each) for each in zip(*((part.content, part.sides) for part in parts), strict=True)
    )
    return Part(
        tuple(word for part in parts for word in part.order), content, any(part.negated for part in parts), sides
    )


def _is_opposite(part: Part, other: Part) -> bool:
    """Return whether the other part has another side of a group instead of the part's."""
    groups = {group for group, _ in part.sides - other.sides}
    shared = {group for group, _ in part.sides & other.sides}
    return bool((groups - shared) & {group for group, _ in other.sides - part.sides})


def _swaps(claim: SentenceWords, source: SentenceWords, known: Wording) -> bool:
    """Return whether two words have changed places around others: "A won against B" and "B won against A"."""
    if claim.passive != source.passive or source.in_cells:
        return False
    common = {word for word in claim.content & source.content if not _is_value(word, known)}
    in_claim, in_source = ([word for word in each.order if word in common] for each in (claim, source))
    counts = Counter(in_claim), Counter(in_source)
    once = {word for word in common if counts[0][word] == counts[1][word] == 1}
    ranks = {word: rank for rank, word in enumerate(word for word in in_source if word in once)}
    order = [ranks[word] for word in in_claim if word in once]
    moved = [at for at, rank in enumerate(order) if rank != at] or [0]
    # Runs of words that stand together in both: three of them in the reverse order, behind and before the same words.
    between = order[moved[0] : moved[-1] + 1]
    runs = [rank for at, rank in enumerate(between) if not at or rank != between[at - 1] + 1]
    return len(runs) == _SWAPPED and runs == sorted(runs, reverse=True)


def _turns(passive: SentenceWords, active: SentenceWords, known: Wording) -> bool:
    """Return whether the one who has something done to it does it in the other sentence: "A was bought by B"."""
    for verb in passive.passive_verbs - active.passive_verbs:
        if passive.order.count(verb) == active.order.count(verb) == 1:
            common = passive.content & active.content - {verb}
            before, after = _around(verb, passive, common)
            doer, done = _around(verb, active, common)
            if before & doer and after & done and not (before & done or after & doer):
                return _has_object(verb, active, common, known)
    return False


def _around(verb: str, words: SentenceWords, common: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words of a sentence before and behind its verb."""
    at = words.order.index(verb)
    return common.intersection(words.order[:at]), common.intersection(words.order[at + 1 :])


def _has_object(verb: str, words: SentenceWords, common: frozenset[str], known: Wording) -> bool:
    """Return whether no preposition stands between a verb and a common word, as in "closed at noon"."""
    for word in words.order[words.order.index(verb) + 1 :]:
        if word in common:
            return True
        if word not in words.content and word not in known.articles:
            return False
    return False


def _is_value(word: str, known: Wording) -> bool:
    """Return whether a word is a number or a time, which stand anywhere in a sentence."""
    return word.isdigit() or any(group in known.strict for group, _ in known.sides.get(word, ()))
