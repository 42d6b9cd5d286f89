"""Checks of vectors and scores: a server may return fewer, in another order, of another length, or no numbers."""

from __future__ import annotations

import base64
import binascii
from array import array
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from backends.errors import InvalidAnswer
from backends.vectors.types import Vector

_REMEDY = "Look at the server's log; its model may not be made for this."


def check_vectors(values: Any, count: int) -> tuple[Vector, ...]:
    """Return the vectors of `count` texts; `InvalidAnswer` if they aren't as many, or not all of one length."""
    if not isinstance(values, list):
        raise invalid("no list of vectors")
    if len(values) != count:
        raise invalid(f"{len(values):,} vectors for {count:,} texts")
    vectors = tuple(map(_vector, values))
    check_lengths(vectors)
    return vectors


def check_lengths(vectors: Iterable[Vector]) -> None:
    """Raise `InvalidAnswer` if the vectors aren't all of one length."""
    lengths = {len(vector) for vector in vectors}
    if len(lengths) > 1:
        raise invalid(f"vectors of different lengths: {', '.join(map(str, sorted(lengths)))}")


def check_scores(values: Sequence[Any], count: int) -> list[float]:
    """Return the scores of `count` texts as numbers."""
    if len(values) != count:
        raise invalid(f"{len(values):,} scores for {count:,} texts")
    if not all(type(value) in (int, float) and isfinite(value) for value in values):
        raise invalid("a score that is not a number")
    return [float(value) for value in values]


def in_order(items: Any, count: int, what: str) -> list[Mapping[str, Any]]:
    """Return the items of an answer in the order of their `index`, which must name each of `count` texts once."""
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise invalid(f"no list of {what}")
    if len(items) != count:
        raise invalid(f"{len(items):,} {what} for {count:,} texts")
    by_index = {_index(item.get("index"), position): item for position, item in enumerate(items)}
    first = 1 if by_index.keys() == set(range(1, count + 1)) else 0  # some servers count from 1
    if by_index.keys() != set(range(first, first + count)):
        raise invalid(f"{what} that don't name each text once")
    return [by_index[index] for index in range(first, first + count)]


def _index(index: Any, position: int) -> int:
    """The index of an item as a number; without one, its position."""
    if isinstance(index, str) and index.isdecimal() and len(index) < 10:
        return int(index)
    if index is None:
        return position
    return int(index) if type(index) in (int, float) and index == index // 1 else -1


def invalid(what: str) -> InvalidAnswer:
    """The error for an answer that has something else than the vectors or scores of the texts."""
    return InvalidAnswer(f"The server returned {what}.", _REMEDY, text="")


def _vector(value: Any) -> Vector:
    vector: Vector = array("f")
    try:
        if isinstance(value, str):  # base64, although the request asked for numbers
            vector.frombytes(base64.b64decode("".join(value.split()), validate=True))
        else:
            vector.extend(value)
    except (TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise invalid("a vector that is not a list of numbers") from error
    if not vector or not all(map(isfinite, vector)):
        raise invalid("a vector that is empty or not finite")
    return vector
