"""Words that are drawn twice at one place, as some programs do for bold letters and shadows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.reading.layout.text_lines.words import Words

if TYPE_CHECKING:
    from rag.reading.layout.text_lines.words import Indexes

_SAME_PLACE = 0.1  # of the height


def without_repeated(words: Words) -> Words:
    """Return the words without those that repeat an earlier one at its place."""
    import numpy as np

    repeated = np.zeros(len(words), bool)
    height = float(np.median(words.size)) if len(words) else 0.0
    # Words of one line are neighbours in the order of their left edges; the second order has other limits of lines.
    for shift in (0.0, 0.5) if height > 0 else ():
        order = np.lexsort((words.left, np.rint(words.bottom / height + shift)))
        for first, second in _same_places(words, order):
            texts = [words.text[words.starts[word] : words.ends[word]] for word in (first, second)]
            if texts[0] == texts[1]:
                repeated[max(first, second)] = True
    return words.select(~repeated) if repeated.any() else words


def _same_places(words: Words, order: Indexes) -> list[tuple[int, int]]:
    """Return the pairs of neighbours in an order that have one place and as many letters."""
    first, second = order[:-1], order[1:]
    nearest = _SAME_PLACE * words.size[first]
    same = (words.ends - words.starts)[first] == (words.ends - words.starts)[second]
    for edges in (words.left, words.right, words.bottom):
        same &= abs(edges[first] - edges[second]) < nearest
    return list(zip(first[same].tolist(), second[same].tolist(), strict=True))
