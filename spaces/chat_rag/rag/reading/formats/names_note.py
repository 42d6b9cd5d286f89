"""Notes that name what isn't read: the first names, shortened; a file can have very many and long ones."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from rag.documents import Note, NoteKind

_MOST_NAMES, _MOST_CHARACTERS = 50, 200


def names_note(kind: NoteKind, names: Iterable[str], count: int | None = None) -> Note:
    """Return a note that names the first of some things, each once, and has the number of all, or `count`."""
    distinct = dict.fromkeys(names)
    shown = tuple(name[:_MOST_CHARACTERS] for name in islice(distinct, _MOST_NAMES))
    more = ("…",) if len(distinct) > _MOST_NAMES else ()
    return Note(kind, len(distinct) if count is None else count, (*shown, *more))
