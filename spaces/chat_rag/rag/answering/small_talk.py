"""Small talk: a greeting, thanks, a farewell or "what can you do?" gets a short reply, and no document is searched.

The words are in small_talk.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# How many documents a reply names, and the most characters of a message that can be small talk.
NAMED_DOCUMENTS, MAX_CHARACTERS = 3, 80
KINDS = ("greeting", "thanks", "farewell", "ability")
_WORDS: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_SENTENCE_END = re.compile(r"[.,!?;:！？。，、]+")
_MARKS = re.compile(r"[\s.…~()¡¿👋🙏👍😀🙂]+")


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """A message that asks no question to documents: its kind (one of `KINDS`) and its language."""

    kind: str
    language: str


def find_small_talk(text: str) -> SmallTalk | None:
    """Return what small talk a message is, or None: "Hello, what were net sales?" is a question."""
    if len(text) > MAX_CHARACTERS:
        return None
    parts = (_MARKS.sub(" ", part).strip() for part in _SENTENCE_END.split(text.replace("’", "'")))
    matches = [_match(part) for part in parts if part]
    if not matches or None in matches:
        return None
    # "Hello! What can you do?" asks what can be done.
    return next((match for match in matches if match and match.kind == "ability"), matches[0])


def small_talk_reply(talk: SmallTalk, documents: Sequence[str]) -> str:
    """Return the reply in the language of the message; it says what can be asked about which documents."""
    words = _WORDS[talk.language]["replies"]
    names = ", ".join(documents[:NAMED_DOCUMENTS]) or words["none"]
    if len(documents) > NAMED_DOCUMENTS:
        names = words["others"].format(names=names, count=len(documents) - NAMED_DOCUMENTS)
    reply: str = words[talk.kind].format(documents=names)
    return f"{reply}\n\n{words['hint']}" if talk.kind in ("greeting", "ability") else reply


def _match(text: str) -> SmallTalk | None:
    return next((talk for talk, pattern in _PATTERNS.items() if pattern.fullmatch(text)), None)


_PATTERNS = {
    SmallTalk(kind, language): re.compile(f"(?:{'|'.join(words[kind])})(?: (?:there|all|again))?", re.IGNORECASE)
    for language, words in _WORDS.items()
    for kind in KINDS
}
