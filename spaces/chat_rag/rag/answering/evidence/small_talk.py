"""Recognizes what people say to a page before and after they ask: greetings, thanks, questions about the page."""

from __future__ import annotations

import re

_WORDS = re.compile(r"\w+(?:['’]\w+)?")
_GREETINGS = frozenset(
    """
    hello hi hey hallo hola bonjour moin greetings howdy yo good morning afternoon evening night day thanks thank thx
    cheers you very much so a lot great cool nice ok okay perfect awesome bye goodbye ciao see later there everyone
    """.split()  # noqa: SIM905  # a list with one word per line would be a page long
)
_ABOUT_THE_PAGE = re.compile(
    r"(?:(?:and|so|hi|hello|hey),? )?"
    r"(?:what (?:can|could|do) (?:you|i|this (?:page|app|tool)) (?:do|ask|help)(?: .{0,30})?|(?:who|what|how) are you"
    r"|what(?:'s| is) your name|are you (?:a |an )?(?:bot|robot|human|ai|real)|how are you(?: .{0,20})?"
    r"|how (?:do(?:es)?|can) (?:you|i|this|it) (?:work|use (?:you|this|it))|can you help(?: me)?|help(?: me)?)",
    re.IGNORECASE,
)
_MAX_CHARACTERS = 80


def is_small_talk(text: str) -> bool:
    """Return whether a text asks nothing of the documents: "Hello", "What can you do?", "thanks a lot"."""
    text = text.strip()
    if not text or len(text) > _MAX_CHARACTERS:
        return False
    words = [word.lower() for word in _WORDS.findall(text)]
    return not words or set(words) <= _GREETINGS or bool(_ABOUT_THE_PAGE.fullmatch(text.rstrip(" ?!.")))
