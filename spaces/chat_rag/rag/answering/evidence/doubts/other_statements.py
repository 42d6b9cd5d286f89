"""Decides whether a sentence has the words of a question, but says something else with them than what is asked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from rag.answering.evidence.question_analysis.kinds import FIGURES, Kind
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.definitions import may_define
from rag.answering.evidence.units.split import Unit
from rag.answering.verification.sentences.english.actions import Action, Stems, agent, find_actions, meanings, noun_at
from rag.answering.verification.sentences.english.causes import CAUSE_WORDS
from rag.answering.verification.sentences.english.verbs import BE, HELPERS, Words
from rag.answering.verification.sentences.sentence_words import read_words
from rag.answering.verification.sentences.wording import Side, wording
from rag.search.languages import ENGLISH

# What can give a reason, perhaps in the sentence before or after: a cause, a purpose, or what else there would be.
_CAUSE = re.compile(
    rf"\b(?:{CAUSE_WORDS}|to(?= (?!(?:the|an?|its?|his|her|their|this|that)\b)\w)|allow\w*|help\w*|prevent\w*|ensur\w*"
    r"|avoid\w*|need\w*|enabl\w*|requir\w*|protect\w*|believ\w*|think|thought|want\w*|fear\w*|would|could|too)\b",
    re.IGNORECASE,
)
# The kinds of answers that are of what the question says; a rule can be the opposite of what it is asked for.
_EXACT = FIGURES | {Kind.PERSON, Kind.PLACE}
_KEPT = 64
# They only ask, or join: "How many came?", "spent on food".
_NO_SIDE = re.compile(r"\bhow \w+|\b(?:on|off)\b", re.IGNORECASE)
_PAST = frozenset(["did", "was", "were"])


def says_otherwise(question: Question, unit: Unit) -> bool:
    """Return whether an English sentence has other roles or an opposite, is of a plan, or gives no reason or term."""
    if unit.cell or not question.is_english:
        return False
    if question.kind is Kind.REASON:
        return not _CAUSE.search(f"{unit.before} {unit.text} {unit.after}")
    if question.defined:
        return not may_define(question, unit)
    if question.kind in _EXACT and _has_opposite(question.text, unit.text):
        return True
    names = question.name_stems
    if not (names or question.kind in FIGURES):
        return False
    actions = unit.once(find_actions, unit.text)
    for asked in _asked(question.text, {action.verb for action in actions}):
        same = [action for action in actions if action.verb == asked.verb]
        if all(_is_turned(asked, action, names) for action in same):
            return True
        # "When did it open?" isn't answered by "It is expected to open in May".
        if question.kind in FIGURES and asked.is_done and all(action.is_planned for action in same):
            return True
    return False


def _has_opposite(question: str, text: str) -> bool:
    """Return whether a question has a word that has one opposite, and a text that one only: "appointed", "resigned"."""
    opposites = {(group, 1 - side): (group, side) for group, side in _asked_sides(question)}
    said = read_words(text, ENGLISH).sides if opposites else frozenset()
    return any(opposite in said and side not in said for opposite, side in opposites.items())


@lru_cache(maxsize=_KEPT)
def _asked_sides(question: str) -> frozenset[Side]:
    """Return the sides of a question in groups of two, of which it doesn't name both."""
    asked = read_words(_NO_SIDE.sub(" ", question), ENGLISH).sides
    larger = {group for sides in wording(ENGLISH).sides.values() for group, side in sides if side > 1}
    return frozenset((group, side) for group, side in asked if group not in larger and (group, 1 - side) not in asked)


def _asked(text: str, verbs: Collection[str]) -> Iterator[Action]:
    """Yield what a question says of these verbs: who does it or whom it's done to, if it doesn't ask for that."""
    words = Words(text)
    places = [at for at, word in enumerate(words.all) if at and word.stem in verbs and not word.is_name]
    for at in places[:1]:
        helpers = [place for place in range(at) if words.all[place].text in BE | HELPERS]
        if not helpers:
            if words.all[0].text in ("who", "which", "what") and (words.all[at].is_past or at == 1):
                yield _action(words, at, frozenset(), noun_at(words.all, at + 1))
        elif len(helpers) == 1 and words.all[helpers[0]].text in _PAST:
            subject = meanings(words.all[helpers[0] + 1 : at])
            if words.all[helpers[0]].text == "did":
                yield _action(words, at, subject, noun_at(words.all, at + 1), is_done=True)
            elif words.all[at].is_past:
                doer = agent(words, at)  # without one, "the woman Otto married" looks the same
                yield _action(words, at, doer, subject if doer else doer, is_done=True)


def _action(words: Words, at: int, doer: Stems, done: Stems, *, is_done: bool = False) -> Action:
    none = frozenset[str]()
    return Action(words.all[at].stem, doer, done, none, none, is_done, False, False, False)


def _is_turned(asked: Action, action: Action, names: Stems) -> bool:
    """Return whether the one who is asked about has the other role."""
    doer, done = asked.doer & names, asked.done & names
    return bool(
        (doer and doer <= action.done and action.doer and not doer & action.doer)
        or (done and done <= action.doer and action.done and not done & action.done)
    )
