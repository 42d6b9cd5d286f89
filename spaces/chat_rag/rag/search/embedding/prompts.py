"""The words that an embedding model expects before a question and before a passage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True, slots=True)
class Prompts:
    """Text to put before each question and each passage; empty for most models."""

    question: str = ""
    passage: str = ""


# Families that were trained with prompts but whose files often don't say so, by a pattern for the end of their name.
_FAMILIES = {
    re.compile(r"\be5-(?:small|base|large)(?:-v2)?\b"): Prompts("query: ", "passage: "),
    re.compile(r"\bbge-(?:small|base|large)-en(?:-v1\.5)?\b"): Prompts(
        "Represent this sentence for searching relevant passages: "
    ),
    re.compile(r"\bnomic-embed-text\b"): Prompts("search_query: ", "search_document: "),
    re.compile(r"\bmxbai-embed-large\b"): Prompts("Represent this sentence for searching relevant passages: "),
}


def prompts_of(name: str, declared: Mapping[str, str]) -> Prompts:
    """Return the prompts that a model declares in its files, or those of its family.

    `name` is a Hub id or a folder; `declared` has the names that sentence-transformers uses.
    """
    question = declared.get("query", "")
    passage = declared.get("document") or declared.get("passage") or ""
    if question or passage:
        return Prompts(question, passage)
    base_name = PurePath(name).name.lower()
    return next((prompts for pattern, prompts in _FAMILIES.items() if pattern.search(base_name)), Prompts())
