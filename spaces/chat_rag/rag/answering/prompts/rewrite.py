"""Rewrites a follow-up question into a search query that makes sense without the conversation."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import zip_longest
from weakref import WeakKeyDictionary

from backends import Backend, BackendError, ChatRequest, Delta, Message
from backends.streams import closing
from rag.answering.abstention.abstain import is_about_whole_documents
from rag.answering.citations.markers import MARKER_PATTERN, up_to_last_marker
from rag.answering.prompts.prompt import escape_special_tokens, recent_messages
from rag.documents import Passage
from rag.search.languages import STOP_WORDS
from rag.threads import SEARCH

# The time limit of a rewrite. Only a backend with first tokens in a third of it is used.
REWRITE_SECONDS, FIRST_TOKEN_SECONDS = 1.5, 0.5
# A question with more words names its subject, even if it has pronouns.
MAX_FOLLOW_UP_WORDS = 5
MAX_NAMES, LAST_WORDS, MAX_ANSWER_NAMES = 4, 3, 2
_MAX_TURNS = 4  # how far back to follow a chain of follow-ups
_MAX_CHARACTERS = 300
_WORD = re.compile(r"\w+")
# Words that ask and compare without naming anything.
_EMPTY_WORDS = STOP_WORDS | {"but", "else", "just", "many", "more", "much", "not", "now", "so", "still", "than", "too"}
_DOCUMENT = r"(?! (?:article|document|file|page|paper|pdf|report|study|text)s?\b)"
_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|the same|(?:this|these|those)" + _DOCUMENT + "|"
    r"(?:in|of|at|during|for|by|since|after|before|about|with|from|is|was|does|did|do|are|were|has|have) that|"
    r"the (?:former|latter|others?)|the (?:first|second|third|last|other) ones?)\b",
    re.IGNORECASE,
)
_CONTINUATION = re.compile(
    r"\W*+(?:and|but|or|so|also|then|what about|how about|what of|why not|what else|who else|where else|how so|"
    r"how come|since when|anything else|any others?|tell me more|go on)\b",
    re.IGNORECASE,
)
# A question about the documents, whatever was asked before, unless it points to something in the conversation.
_OVERVIEW = re.compile(r"\b(?:summar\w*+|sum up|overview|outline|gist)\b|\babout\W*+$", re.IGNORECASE)
_POINTER = re.compile(r"\b(?:it|its|that|they|them|their|he|him|his|she|her|one|ones)\b", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
# `++`: an answer is read once, however long a text without full stops it has.
_SENTENCE = re.compile(rf"[^.!?\n]++(?:[.!?]?{MARKER_PATTERN})?")
_NAME = re.compile(r"(?<=[a-z,;:] )[*_]{0,2}([A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*)")
_INSTRUCTION = (
    "Rewrite the user's last question so that it is understood without the conversation: put what its pronouns stand "
    "for in their place. Reply with the question only."
)
_latencies: WeakKeyDictionary[Backend, float] = WeakKeyDictionary()


async def build_query(question: str, history: Sequence[Message], backend: Backend) -> str:
    """Return the search query for `question`: rewritten by the backend if it is fast, otherwise by rule."""
    # In a thread, because a conversation from a link can have a million characters.
    query = await SEARCH.run(expand_by_rule, question, history)
    if not is_fast(backend) or not history or not (query != question or _PRONOUN.search(question)):
        return query
    with suppress(TimeoutError, BackendError):
        async with asyncio.timeout(REWRITE_SECONDS):
            rewrite = await _request_rewrite(question, history, backend)
        if await SEARCH.run(is_valid_rewrite, rewrite, question, history):
            return rewrite
    return query


def expand_by_rule(question: str, history: Sequence[Message]) -> str:
    """Append the subject of the previous question in brackets if `question` is a follow-up; otherwise return it."""
    questions = [index for index, message in enumerate(history) if message.role == "user"][-_MAX_TURNS:]
    if not questions or not is_follow_up(question):
        return question
    previous = questions[-1]
    previous_query = expand_by_rule(history[previous].text, history[:previous][-2 * _MAX_TURNS :])
    answer = " ".join(message.text for message in history[previous + 1 :])
    words = _new_words(_subject(previous_query, question), question)
    if not words or not capitalized_words(previous_query):  # a subject without a name may have one in the answer
        subject = set(words)
        names = [name for name in _new_words(cited_names(answer), question) if name not in subject]
        words += names[:MAX_ANSWER_NAMES]
    return f"{question} ({' '.join(words)})" if words else question


def interleave(results: Sequence[Sequence[Passage]]) -> list[Passage]:
    """Merge the passages of several searches by rank and skip those that are mostly covered by earlier ones.

    A follow-up is searched in two forms, as it is and with its subject. Over 18 follow-ups the first three passages
    covered 0.75 and 0.68 of the answer with one form, 0.83 with both; with documents about other subjects 0.64, 0.73
    and 0.85.
    """
    passages: list[Passage] = []
    for candidate in (passage for rank in zip_longest(*results) for passage in rank if passage):
        length = candidate.end - candidate.start
        if not any(2 * _overlap(candidate, passage) > length for passage in passages):
            passages.append(candidate)
    return passages


def is_follow_up(question: str) -> bool:
    """Return whether a question needs its conversation: it continues, points back, or names almost nothing."""
    words = _content_words(question)
    if len(words) > MAX_FOLLOW_UP_WORDS or not question.strip() or _asks_for_overview(question):
        return False
    if _CONTINUATION.match(question) or not words:
        return True
    if pronoun := _PRONOUN.search(question):
        # After two content words the pronoun refers to something in the question.
        return len(_content_words(question[: pronoun.start()])) < 2
    return len(words) == 1 and words[0].isdigit()  # "in 2019?"; a single word such as "goodwill?" is a full query


def capitalized_words(text: str) -> list[str]:
    """Return the distinct capitalized words of a text, except its first word."""
    text = text.lstrip()
    return [word for word in _content_words(text) if word[0].isupper() and not text.startswith(word)]


def cited_names(answer: str) -> list[str]:
    """Return the distinct words of the names in those sentences of an answer that have a citation, in order."""
    sentences = map(up_to_last_marker, _SENTENCE.findall(answer))
    names = [name for sentence in sentences for name in _NAME.findall(sentence)]
    return list(dict.fromkeys(word for name in names for word in _WORD.findall(name)))


def is_valid_rewrite(rewrite: str, question: str, history: Sequence[Message]) -> bool:
    """Return whether a backend's rewrite is one short question that keeps the figures and adds few new words."""
    if "?" in question and not rewrite.endswith("?"):  # small models answer instead
        return False
    if not rewrite or "\n" in rewrite or len(rewrite) > max(_MAX_CHARACTERS, 2 * len(question)):
        return False
    texts = (question, *(message.text for message in history))
    conversation_words = {word.lower() for text in texts for word in _WORD.findall(text)}
    content_words = [word.lower() for word in _content_words(rewrite)]
    figures = {word.lower() for word in _content_words(question) if word[0].isdigit()}
    if not figures <= {word.lower() for word in _WORD.findall(rewrite)}:
        return False
    familiar = sum(word in conversation_words for word in content_words)
    return bool(content_words) and familiar >= 0.7 * len(content_words)


def record_latency(backend: Backend, first_token_seconds: float | None) -> None:
    """Update the average time to first token of a backend; each new value counts half."""
    if first_token_seconds is not None:
        with suppress(TypeError):  # a backend that can't be a dictionary key has no average
            average = _latencies.get(backend, first_token_seconds)
            _latencies[backend] = (average + first_token_seconds) / 2


def is_fast(backend: Backend) -> bool:
    """Return whether a rewrite by this backend is cheap; a local model would compete with the search for the CPU."""
    with suppress(TypeError):
        latency = _latencies.get(backend, REWRITE_SECONDS)
        return not backend.local and latency <= FIRST_TOKEN_SECONDS
    return False


def _asks_for_overview(question: str) -> bool:
    is_overview = _OVERVIEW.search(question) and not _POINTER.search(question)
    return bool(is_overview) and is_about_whole_documents(question)


async def _request_rewrite(question: str, history: Sequence[Message], backend: Backend) -> str:
    turns = recent_messages(history[-2 * _MAX_TURNS :])
    transcript = "\n".join(f"{message.role.title()}: {message.text[:600]}" for message in turns)
    content = escape_special_tokens(f"{transcript}\n\nLast question: {question}")
    messages = Message("system", _INSTRUCTION), Message("user", content)
    text, stream = "", backend.stream(ChatRequest(messages, max_tokens=80, temperature=0.0))
    async with closing(stream):
        async for event in stream:
            if isinstance(event, Delta) and event.kind == "answer":
                text += event.text
    return text.strip().strip('"“”').strip()


def _overlap(passage: Passage, other: Passage) -> int:
    """Return the number of characters that two passages share; negative if there is a gap between them."""
    if passage.document_id != other.document_id:
        return 0
    return min(passage.end, other.end) - max(passage.start, other.start)


def _subject(previous_question: str, question: str) -> list[str]:
    """Return the words that name the subject of a question: its names, or its last words, where English puts it.

    Few words, so that the follow-up's own words keep their weight; all words if the follow-up has none.
    """
    words = _content_words(previous_question)
    if _YEAR.search(question):  # "and in 2019?" asks for a different year
        words = [word for word in words if not _YEAR.fullmatch(word)]
    if not _content_words(question):
        return words
    return capitalized_words(previous_question)[:MAX_NAMES] or words[-LAST_WORDS:]


def _new_words(words: Sequence[str], question: str) -> list[str]:
    """Return those of `words` that `question` doesn't have."""
    question_words = {word.lower() for word in _WORD.findall(question)}
    return [word for word in words if word.lower() not in question_words]


def _content_words(text: str) -> list[str]:
    """Return the distinct words that name something, as written."""
    words = dict.fromkeys(_WORD.findall(text))
    return [word for word in words if word.lower() not in _EMPTY_WORDS and (len(word) > 1 or word.isdigit())]
