"""A follow-up question gets the words that it leans on, before it is searched."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import zip_longest
from weakref import WeakKeyDictionary

from backends import Backend, BackendError, ChatRequest, Delta, Message
from backends.streams import closing
from rag.answering.prompt import harmless, recent
from rag.documents import Passage
from rag.search.bm25 import STOP_WORDS

# A rewrite is waited for this long, and asked for only where first tokens come in a third of it.
REWRITE_SECONDS, FIRST_TOKEN_SECONDS = 1.5, 0.5
# A longer question names what it is about, whatever pronouns it holds.
MOST_WORDS = 5
MOST_NAMES, LAST_WORDS, ADDED_NAMES = 4, 3, 2
_TURNS = 4  # a chain of follow-ups is followed back this far
_CHARACTERS = 300
_WORD = re.compile(r"\w+")
# Words that ask and compare without naming anything.
_EMPTY = STOP_WORDS | {"but", "else", "just", "many", "more", "much", "not", "now", "so", "still", "than", "too"}
_DOCUMENT = r"(?! (?:article|document|file|page|paper|pdf|report|study|text)s?\b)"
_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|the same|(?:this|these|those)" + _DOCUMENT + "|"
    r"(?:in|of|at|during|for|by|since|after|before|about|with|from|is|was|does|did|do|are|were|has|have) that|"
    r"the (?:former|latter|others?)|the (?:first|second|third|last|other) ones?)\b",
    re.IGNORECASE,
)
_CONTINUES = re.compile(
    r"\W*(?:and|but|or|so|also|then|what about|how about|what of|why not|what else|who else|where else|how so|how come|"
    r"since when|anything else|any others?|tell me more|go on)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_CITED = re.compile(r"[^.!?\n]+[.!?]?\s?\[\d{1,2}\]")
_NAME = re.compile(r"(?<=[a-z,;:] )[*_]{0,2}([A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*)")
_REQUEST = (
    "Rewrite the user's last question so that it is understood without the conversation: put what its pronouns stand "
    "for in their place. Reply with the question only."
)
_paces: WeakKeyDictionary[Backend, float] = WeakKeyDictionary()


async def standalone(question: str, history: Sequence[Message], backend: Backend) -> str:
    """What to search for `question`: rewritten by a backend that is fast, otherwise by the rule."""
    ruled = by_rule(question, history)
    if not is_fast(backend) or not history or not (ruled != question or _PRONOUN.search(question)):
        return ruled
    with suppress(TimeoutError, BackendError):
        async with asyncio.timeout(REWRITE_SECONDS):
            said = await _asked(question, history, backend)
        if is_sound(said, question, history):
            return said
    return ruled


def by_rule(question: str, history: Sequence[Message]) -> str:
    """`question`, with the subject of the question before it in brackets if it leans on that; otherwise as it is."""
    asked = [index for index, message in enumerate(history) if message.role == "user"][-_TURNS:]
    if not asked or not leans(question):
        return question
    before = by_rule(history[asked[-1]].content, history[: asked[-1]][-2 * _TURNS :])
    answer = " ".join(message.content for message in history[asked[-1] + 1 :])
    added = _new(_subject(before, question), question)
    if not added or not names_in(before):  # what has no name in the question may have one in the answer
        added += [name for name in _new(cited_names(answer), question) if name not in added][:ADDED_NAMES]
    return f"{question} ({' '.join(added)})" if added else question


def take_turns(searches: Sequence[Sequence[Passage]]) -> list[Passage]:
    """The passages of several searches, the best of each first, without those that are here for the most part already.

    A follow-up is searched as it stands and with its subject: over 18 of them the first three passages covered 0.75 and
    0.68 of the answer alone, 0.83 in turns, and 0.64, 0.73 and 0.85 where documents about other things were there too.
    """
    kept: list[Passage] = []
    for found in (passage for row in zip_longest(*searches) for passage in row if passage):
        if not any(2 * _shared(found, other) > found.end - found.start for other in kept):
            kept.append(found)
    return kept


def _shared(one: Passage, other: Passage) -> int:
    """How many characters two passages have in common; negative where they lie apart."""
    if one.document_id != other.document_id:
        return 0
    return min(one.end, other.end) - max(one.start, other.start)


def _subject(before: str, question: str) -> list[str]:
    """The words that say what a question was about: its names, or else its last words, which English puts it in.

    Few, because a follow-up's own words must not drown; all of them where it has none.
    """
    words = _meaning(before)
    if _YEAR.search(question):  # “and in 2019?” asks for another year than before
        words = [word for word in words if not _YEAR.fullmatch(word)]
    if not _meaning(question):
        return words
    return names_in(before)[:MOST_NAMES] or words[-LAST_WORDS:]


def _new(words: Sequence[str], question: str) -> list[str]:
    known = {word.lower() for word in _WORD.findall(question)}
    return [word for word in words if word.lower() not in known]


def leans(question: str) -> bool:
    """Whether a question cannot be understood by itself: it continues, points back, or names next to nothing."""
    words = _meaning(question)
    if len(words) > MOST_WORDS or not question.strip():
        return False
    if _CONTINUES.match(question) or not words:
        return True
    if found := _PRONOUN.search(question):
        return len(_meaning(question[: found.start()])) < 2  # otherwise it points at what it has named itself
    return len(words) == 1 and words[0].isdigit()  # “in 2019?”; a lone word such as “goodwill?” is searched as it is


def names_in(text: str) -> list[str]:
    """The words with a capital that do not begin the text, each once."""
    return [word for word in _meaning(text) if word[0].isupper() and not text.lstrip().startswith(word)]


def cited_names(answer: str) -> list[str]:
    """The names in those sentences of an answer that carry a citation, each word once, in their order."""
    found = [name for part in _CITED.findall(answer) for name in _NAME.findall(part)]
    return list(dict.fromkeys(word for name in found for word in _WORD.findall(name)))


def is_sound(said: str, question: str, history: Sequence[Message]) -> bool:
    """Whether a backend's rewrite is one short question that keeps the figures and names nothing new."""
    if "?" in question and not said.endswith("?"):  # small models answer instead
        return False
    if not said or "\n" in said or len(said) > max(_CHARACTERS, 2 * len(question)):
        return False
    kept = {word.lower() for word in _WORD.findall(said)}
    told = {
        word.lower() for text in (question, *(message.content for message in history)) for word in _WORD.findall(text)
    }
    named = [word.lower() for word in _meaning(said)]
    figures = {word.lower() for word in _meaning(question) if word[0].isdigit()}
    return figures <= kept and bool(named) and sum(word in told for word in named) >= 0.7 * len(named)


def note(backend: Backend, first_token_seconds: float | None) -> None:
    """Keep how soon a backend has answered, as a figure that moves half the way to each new one."""
    if first_token_seconds is not None:
        with suppress(TypeError):  # a backend that cannot be a key has no pace
            known = _paces.get(backend, first_token_seconds)
            _paces[backend] = (known + first_token_seconds) / 2


def is_fast(backend: Backend) -> bool:
    """Whether a rewrite by this backend costs little; a model on this machine would compete with the search."""
    with suppress(TypeError):
        return not getattr(backend, "local", False) and _paces.get(backend, REWRITE_SECONDS) <= FIRST_TOKEN_SECONDS
    return False


async def _asked(question: str, history: Sequence[Message], backend: Backend) -> str:
    said = "\n".join(f"{message.role.title()}: {message.content[:600]}" for message in recent(history[-2 * _TURNS :]))
    content = harmless(f"{said}\n\nLast question: {question}")
    request = ChatRequest((Message("system", _REQUEST), Message("user", content)), max_tokens=80, temperature=0.0)
    text, stream = "", backend.stream(request)
    async with closing(stream):
        async for event in stream:
            if isinstance(event, Delta) and event.kind == "answer":
                text += event.text
    return text.strip().strip('"“”').strip()


def _meaning(text: str) -> list[str]:
    """The words that name something, as they are written, each once."""
    words = dict.fromkeys(_WORD.findall(text))
    return [word for word in words if word.lower() not in _EMPTY and (len(word) > 1 or word.isdigit())]
