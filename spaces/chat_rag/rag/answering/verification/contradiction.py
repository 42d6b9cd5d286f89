"""Decides whether a source denies what a sentence says: by negations, opposites, numbers in words and who does what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rag.answering.verification.sentences.sentence_words import NUMBERS, Part, SentenceWords
from rag.answering.verification.sentences.wording import Wording

# A part of a source with this share of the words is what a part of a sentence is about.
_MOST = 0.6
_SWAPPED = 3


def contradicts(claim: SentenceWords, source: SentenceWords, known: Wording) -> bool:
    """Return whether a source doesn't say the same although it has the words of a sentence."""
    if (claim.only and not source.only) or (claim.not_only and source.only and not source.not_only):
        return True
    available = source.sides
    if any(side[0] in known.strict and side not in available for side in claim.sides):
        return True
    parts = [part for part in claim.parts if part.content]
    denied = sum(_denies(part, source, known) for part in parts)
    # "There is a fee unless you are a member" says that there is none if you are.
    is_turned = denied == len(parts) and claim.unless != source.unless
    if (denied and not is_turned) or any(_names_another(part, claim, source) for part in parts):
        return True
    return _swaps(claim, source, known) or _turns(claim, source, known) or _turns(source, claim, known)


def _denies(part: Part, source: SentenceWords, known: Wording) -> bool:
    """Return whether the parts of the source that are about the same say the opposite."""
    covering = _covering(part, source.parts) or source.parts
    best, other = covering[0], _joined(covering)
    # "No" in one cell of a row is about its column alone, however many words the others have.
    if not source.in_cells and len(part.content & best.content) >= _MOST * len(part.content):
        other = best
    is_exception = not part.excepts and any(each.excepts and each.content <= part.content for each in source.parts)
    differs = (part.negated != other.negated) != _is_opposite(part, best, source)
    differs = differs or _has_only_opposite(part, covering, source)
    later = [each for each in covering[1:] if source.parts.index(each) > source.parts.index(best)]
    return differs != is_exception or any(_is_said_of_opposite(part, best, each, known) for each in later)


def _has_only_opposite(part: Part, covering: Sequence[Part], source: SentenceWords) -> bool:
    """Return whether a source has another side of a group, and the part's nowhere: "after", but no "before"."""
    missing = {group for group, _ in part.sides - source.sides if group != NUMBERS}
    return any(missing & {group for group, _ in other.sides - part.sides} for other in covering[1:])


def _is_said_of_opposite(part: Part, best: Part, other: Part, known: Wording) -> bool:
    """Return whether another part has a word after an opposite: "allowed in the park, but forbidden in the house"."""
    sides = {side for word in part.content for side in known.sides.get(word, ())}
    is_after = False
    for word in other.order:
        if is_after and word in part.content and word not in best.content:
            return True
        own = known.sides.get(word, ())
        is_after = is_after or any(
            group == theirs and number != side and (group, side) not in own
            for group, number in own
            for theirs, side in sides
        )
    return False


def _names_another(part: Part, claim: SentenceWords, source: SentenceWords) -> bool:
    """Return whether a name, or a word of another part, stands between two words where the source has another one.

    In "water for A and power for B", what is for A is between two words of one part.
    """
    best = (_covering(part, source.parts) or source.parts)[0]
    places = {word: at for at, word in enumerate(best.order)}
    elsewhere = frozenset().union(*(each.content for each in source.parts if each is not best))
    between, last, in_order = set[str](), -1, True
    for word in (*part.order, ""):
        at = places.get(word, len(best.order))
        if word and word not in places:
            between.add(word)
        elif at > last:
            others = set(best.order[last + 1 : at]) - part.content
            is_inside = in_order and last >= 0 and bool(word)
            if (between & claim.names and others & source.names) or (is_inside and others and between & elsewhere):
                return True
            between, last = set(), at
        else:
            in_order = False
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


def _is_opposite(part: Part, other: Part, source: SentenceWords) -> bool:
    """Return whether the other part has another side of a group instead of the part's.

    A number can stand in a further part with another of the words: "due to open in 2020, but opened in 2023".
    """
    also = (each for each in source.parts if any(not word.isdigit() for word in part.content & each.content))
    numbers = {side for each in also for side in each.sides if side[0] == NUMBERS}
    groups = {group for group, _ in part.sides - other.sides - numbers}
    shared = {group for group, _ in part.sides & other.sides}
    return bool((groups - shared) & {group for group, _ in other.sides - part.sides})


def _swaps(claim: SentenceWords, source: SentenceWords, known: Wording) -> bool:
    """Return whether two words have changed places around others: "A won against B" and "B won against A"."""
    if claim.passive != source.passive or bool(claim.passive_verbs) != bool(source.passive_verbs):
        return False
    if source.in_cells or _has_converse(claim, source, known):
        return False
    common = {word for word in claim.content & source.content if not _is_value(word, known)}
    in_claim, in_source = ([word for word in each.order if word in common] for each in (claim, source))
    counts = Counter(in_claim), Counter(in_source)
    once = {word for word in common if counts[0][word] == counts[1][word] == 1}
    ranks = {word: rank for rank, word in enumerate(word for word in in_source if word in once)}
    order = [ranks[word] for word in in_claim if word in once]
    moved = [at for at, rank in enumerate(order) if rank != at] or [0]
    # Runs of words that stand together in both: three of them in the reverse order, after and before the same words.
    between = order[moved[0] : moved[-1] + 1]
    runs = [rank for at, rank in enumerate(between) if not at or rank != between[at - 1] + 1]
    return len(runs) == _SWAPPED and runs == sorted(runs, reverse=True)


def _has_converse(claim: SentenceWords, source: SentenceWords, known: Wording) -> bool:
    """Return whether one says "bought" where the other says "sold"."""
    return any(known.converses.get(word, frozenset()) & source.content for word in claim.content)


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
    """Return the words of a sentence before and after its verb."""
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
