"""Who does what to whom in an English sentence, as far as its verbs and the order of its words tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.answering.verification.sentences.english.verbs import (
    BE,
    HELPERS,
    NECESSARY,
    POSSIBLE,
    PREPOSITIONS,
    PRONOUNS,
    Word,
    Words,
)

_RELATIVE = frozenset(["that", "which", "who", "whom"])
_JOINTS = frozenset(["and", "or"])
_NOBODY = frozenset[str]()
# A sentence is compared with a few sources, and they with its neighbours.
_KEPT = 256
Stems = frozenset[str]


@dataclass(frozen=True, slots=True)
class Action:
    """A verb of a sentence with the stems of the words for who does it and whom it is done to; none if unknown.

    `before` has the stems of the sentence's words before the verb, `known` those of all. `is_done` says that it has
    happened, `is_planned` that it will or may, `is_denied` that it won't or hasn't.
    """

    verb: str
    doer: Stems
    done: Stems
    before: Stems
    known: Stems
    is_done: bool
    is_planned: bool
    is_possible: bool
    is_necessary: bool
    is_denied: bool = False


@lru_cache(maxsize=_KEPT)
def find_actions(text: str) -> tuple[Action, ...]:
    """Return the actions of a sentence, or of several."""
    words, last = Words(text), _NOBODY
    known, actions = meanings(words.all), list[Action]()
    for place, at in enumerate(words.verbs):
        start = words.verbs[place - 1] + 1 if place else 0
        subject, item = _subject(words, start, at, last)
        doer, done = (
            (agent(words, at), subject) if words.is_passive(at) else (subject, item or noun_at(words.all, at + 1))
        )
        helpers = {helper.text for helper in words.helpers(at)}
        actions.append(
            Action(
                words.all[at].stem,
                doer,
                done,
                before=meanings(words.all[:at]),
                known=known,
                is_done=words.is_done(at),
                is_planned=words.is_planned(at),
                is_possible=bool(helpers & POSSIBLE),
                is_necessary=bool(helpers & NECESSARY),
                is_denied=words.is_denied(at),
            )
        )
        last = subject
    return tuple(actions)


def _subject(words: Words, start: int, at: int, last: Stems) -> tuple[Stems, Stems]:
    """Return the stems of a verb's subject, and of its object if that stands before a relative pronoun.

    `last` is the subject of the verb before: "They bought the farm and sold it".
    """
    end = at
    while end > start and (words.all[end - 1].text in BE | HELPERS or words.all[end - 1].is_adverb):
        end -= 1
        if words.all[end].text == "to":
            return _NOBODY, _NOBODY  # "plans to sell", "asked Acme to sell"
    if 0 < start < end and words.all[end - 1].text == ",":
        return _NOBODY, _NOBODY  # "Acme, which sold Delta, bought Beta"
    first = _clause_start(words.all, start, end)
    span = words.all[first:end]
    link = words.all[first - 1].text if first > start else ""
    if any(word.text in PRONOUNS for word in span):
        return _NOBODY, _NOBODY
    if link in _RELATIVE and first > 1 and _may_be_noun(words, first - 2):
        noun = meanings(words.all[_noun_start(words, first - 1) : first - 1])
        return (meanings(span), noun) if any(word.is_word for word in span) else (noun, _NOBODY)
    if span and span[-1].text in _JOINTS:
        return last, _NOBODY
    return meanings(_main_noun(span, goes_on=0 < start == first)) or (last if link else _NOBODY), _NOBODY


def _clause_start(words: Sequence[Word], start: int, end: int) -> int:
    """Return where the clause begins that ends at a place."""
    return next((at for at in range(end, start, -1) if words[at - 1].ends_clause), start)


def _noun_start(words: Words, end: int) -> int:
    """Return where the noun begins that ends at a place: after the verb of its clause."""
    start = _clause_start(words.all, 0, end)
    is_verb = (at for at in range(end - 1, start - 1, -1) if words.all[at].text in BE | HELPERS or words.is_verb(at))
    return next((at + 1 for at in is_verb), start)


def _may_be_noun(words: Words, at: int) -> bool:
    """Return whether a relative pronoun can stand for the word before it, unlike in "the plan is that it opens"."""
    return not (words.all[at].text in BE | HELPERS or words.is_verb(at))


def _main_noun(span: Sequence[Word], *, goes_on: bool) -> Sequence[Word]:
    """Return a subject without what stands before its comma: a time or a place, or the object of the verb before."""
    joints = [at for at, word in enumerate(span) if word.text == "," or (goes_on and word.text in _JOINTS)]
    starts, ends = [0, *(at + 1 for at in joints)], [*joints, len(span)]
    parts = [span[start:end] for start, end in zip(starts, ends, strict=True) if start < end]
    nouns = [part for part in parts if part[0].text not in PREPOSITIONS]
    if goes_on:
        return nouns[-1] if nouns else span
    return [word for part in nouns for word in part] or span


def noun_at(words: Sequence[Word], start: int) -> Stems:
    """Return the stems of the noun that begins at a place, and of a name for the same: "her neighbour, Mr Finch"."""
    end = start
    while end < len(words) and (not words[end].ends_noun or _is_name_after_comma(words, end)):
        end += 1
    return meanings(words[start:end])


def _is_name_after_comma(words: Sequence[Word], at: int) -> bool:
    return words[at].text == "," and at + 1 < len(words) and words[at + 1].is_name


def agent(words: Words, at: int) -> Stems:
    """Return the stems of the noun after the next "by" of a clause."""
    for place in range(at + 1, len(words.all)):
        word = words.all[place]
        if word.text == "by":
            return noun_at(words.all, place + 1)
        if word.ends_clause or word.text in _JOINTS:
            break
    return _NOBODY


def meanings(words: Sequence[Word]) -> Stems:
    return frozenset(word.stem for word in words if word.has_meaning and not word.text[0].isdigit())
