"""The vectors of a text's tokens, which show that words of two texts mean the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """The vector of a text, and one for each of its tokens without the special ones; each has the length 1.

    Those of the tokens are in half precision, since they are kept.
    """

    vector: NDArray[np.float32]
    tokens: NDArray[np.float16]


def unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float16]:
    """Return vectors with the length 1, in half precision."""
    import numpy as np

    scaled: NDArray[np.float16] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    return scaled
