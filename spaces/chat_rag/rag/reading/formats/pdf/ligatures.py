"""Ligatures of which the font says only the first letter: "Ef ect" is "Effect" if the document has that word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

# The gap is as wide as the second letter, so PDFium reads a space there. A third letter would change the length.
_BROKEN = re.compile(r"f ([a-z]+)")
SECOND_LETTERS = "fil"
_WORD = re.compile(r"\w+")


def repair_ligatures(texts: Sequence[str]) -> list[str]:
    """Return the texts with such a space replaced by the letter that makes a word of the document; lengths stay."""
    ends = Counter(match[1] for text in texts for match in _BROKEN.finditer(text))
    if not ends:
        return list(texts)
    counts = Counter(word for text in texts for word in _WORD.findall(text.lower()))
    # What is a word anywhere else isn't the end of one: "of all".
    suspects = {end for end, count in ends.items() if counts[end] == count}
    return [_repaired(text, _letters(text, suspects, counts)) for text in texts] if suspects else list(texts)


def _letters(text: str, suspects: set[str], counts: Counter[str]) -> Iterator[tuple[int, str]]:
    """Yield the place of each lost letter, and the letter."""
    for match in _BROKEN.finditer(text):
        if match[1] in suspects:
            beginning = _word_before(text, match.start() + 1).lower()
            letter = next((each for each in SECOND_LETTERS if counts[f"{beginning}{each}{match[1]}"]), None)
            if letter:
                yield match.start() + 1, letter


def _word_before(text: str, end: int) -> str:
    start = end
    while start and end - start < 60 and text[start - 1].isalnum():
        start -= 1
    return text[start:end]


def _repaired(text: str, letters: Iterable[tuple[int, str]]) -> str:
    parts, position = list[str](), 0
    for place, letter in letters:
        parts += [text[position:place], letter]
        position = place + 1
    return "".join([*parts, text[position:]])
