"""Decides whether a sentence names another one than its source for who does something, or whom it is done to."""

from __future__ import annotations

from collections.abc import Collection

from rag.answering.verification.sentences.english.actions import Action, find_actions
from rag.answering.verification.sentences.wording import wording
from rag.search.bm25 import stems
from rag.search.languages import ENGLISH

# "Cove bought the company" can be about one that is named before.
_STANDS_FOR_NAME = frozenset(stems(["company firm business group club team bank city town country school rival"]))


def has_other_roles(sentence: str, source: str) -> bool:
    """Return whether a source has an action of an English sentence only with another doer or object."""
    sources = find_actions(source)
    return any(_is_another(action, sources) for action in find_actions(sentence) if not action.is_denied)


def _is_another(action: Action, sources: Collection[Action]) -> bool:
    same = [each for each in sources if each.verb == action.verb]
    if not same:
        converses = wording(ENGLISH).converses.get(action.verb, frozenset())
        return any(action.doer & each.doer for each in sources if each.verb in converses)
    return all(_conflict(action, each) for each in same)


def _conflict(action: Action, source: Action) -> bool:
    """Return whether who does something, or whom it's done to, is another one that the source names as well.

    "They gave books to schools" says the same as "They gave schools books": an object can stand after both.
    """
    doer, done = action.doer & source.known, action.done & source.before
    if (action.is_done and source.is_planned) or (action.is_necessary and source.is_possible):
        return True
    # "The team began talks" says that talks began.
    is_of_itself = (not action.done and doer & source.done) or (not source.done and source.doer & action.done)
    is_other_doer = bool(doer and source.doer and not is_of_itself) and action.doer.isdisjoint(source.doer)
    is_other_object = bool(done and source.done - _STANDS_FOR_NAME) and action.done.isdisjoint(source.done)
    are_swapped = bool((action.doer - source.doer) & source.done and (action.done - source.done) & source.doer)
    return is_other_doer or is_other_object or are_swapped
