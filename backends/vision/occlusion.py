"""Which parts of a picture decided: how much less likely a label is when one is covered (Zeiler and Fergus, 2014)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

    from backends.vision.preprocessing import Box

GRID = 8  # cells on each side of what the model sees
COVER = 2  # cells on each side of a patch, which is moved by one cell: 49 runs of the network
MAX_SIDE = 640  # pixels of the map
COLOUR = (234, 88, 12)
OPACITY = 0.7
OUTSIDE = (15, 23, 42, 150)  # what the model doesn't see


def covered(entry: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield an input once for each place of the patch, which has the average value of all channels."""
    fill = entry.mean(axis=(1, 2), keepdims=True)
    for rows, columns in _places(*entry.shape[1:]):
        copy = entry.copy()
        copy[:, rows, columns] = fill
        yield copy


def importance(probability: float, under_patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return by how much a label's probability falls in each cell: the average of the patches that cover it.

    `under_patches` are its probabilities in the order of `covered`.
    """
    import numpy as np

    total, count = np.zeros((2, GRID, GRID), np.float32)
    for (row, column), value in zip(_corners(), under_patches, strict=True):
        cells = slice(row, row + COVER), slice(column, column + COVER)
        total[cells] += max(0.0, probability - float(value))
        count[cells] += 1
    return np.asarray(total / count, np.float32)


def small_copy(picture: PillowImage) -> PillowImage:
    """Return a picture in the size of its map."""
    scale = min(1.0, MAX_SIDE / max(picture.size))
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))


def draw(picture: PillowImage, seen: Box, cells: NDArray[np.float32]) -> bytes:
    """Return a PNG of the picture with the cells that decided in orange; what the model doesn't see is dark.

    `seen` are its edges as shares of the width and the height.
    """
    import numpy as np
    from PIL import Image

    left, right = (round(seen[edge] * picture.width) for edge in (0, 2))
    top, bottom = (round(seen[edge] * picture.height) for edge in (1, 3))
    share = cells / cells.max() if cells.max() > 0 else cells
    alpha = Image.fromarray((share * 255 * OPACITY).astype(np.uint8))
    alpha = alpha.resize((max(1, right - left), max(1, bottom - top)), Image.Resampling.BICUBIC)
    heat = Image.new("RGBA", alpha.size, (*COLOUR, 0))
    heat.putalpha(alpha)
    layer = Image.new("RGBA", picture.size, OUTSIDE)
    layer.paste(heat, (left, top))
    buffer = io.BytesIO()
    Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def _corners() -> Iterator[tuple[int, int]]:
    places = range(GRID - COVER + 1)
    return ((row, column) for row in places for column in places)


def _places(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    for row, column in _corners():
        yield _pixels(row, height), _pixels(column, width)


def _pixels(cell: int, length: int) -> slice:
    return slice(round(cell * length / GRID), round((cell + COVER) * length / GRID))
