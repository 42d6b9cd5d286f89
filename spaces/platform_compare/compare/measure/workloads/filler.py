"""Filler text of a chosen length, for generated prompts."""

from __future__ import annotations

import random

# Every model counts until the length limit, so answers have equal lengths.
TASK = "Count upwards from one in words, one number after another, and do not stop."
TASK_TOKENS = 30  # of the task, which comes twice, and the words around the filler

# Common words that are one token each in most vocabularies, so that a number of words is about as many tokens.
FILLER = """
time year people way day man thing woman life child world school state family student group country problem
hand part place case week company system program question work government number night point home water room
mother area money story fact month lot right study book eye job word business issue side kind head house
service friend father power hour game line end member law car city community name president team minute idea
body information
"""
WORDS = FILLER.split()


def counting_prompt(tokens: int, source: random.Random) -> str:
    """Return a prompt of about so many tokens, whose answer ends at its length limit."""
    text = filler(max(0, tokens - TASK_TOKENS), source)
    return f"{TASK} Pay no attention to these words: {text}. {TASK}" if text else TASK


def filler(tokens: int, source: random.Random) -> str:
    """Return common words, each about one token."""
    return " ".join(source.choices(WORDS, k=tokens))
