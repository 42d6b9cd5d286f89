"""The program of RapidOCR's process: `python -m rag.reading.ocr.rapid_program`.

It reads pictures from its standard input, each as two numbers of 4 bytes (width and height) and its grey pixels, and
answers each with a line of JSON: the text, score and corners of its lines, the quarters by which it was turned to the
left, and its size then. `last` means that the process is about to use up its processor time.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from rag.reading.ocr.rapid import SIZE

_CPU_SHARE = 0.25  # of the processor time that the process may use; then another one takes over
_DETECTION_SIDE = 1280  # pixels; the lines are found on a smaller picture than they are read on
_SURE = 0.9  # a page with a lower score may be upside down
_BLOCK = 8  # pixels; the noise of a scanner is 15, and 2 in the mean of such a block
_CONTRAST = 8
_MARGIN = 40  # pixels of paper that stay around the text
# Text, score, and four corners: upper left, upper right, lower right, lower left.
Line = tuple[str, float, Any]


def main() -> None:
    """Answer until the reader ends."""
    import numpy as np

    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints isn't a reply
    engine = _load()
    while header := sys.stdin.buffer.read(SIZE.size):
        width, height = SIZE.unpack(header)
        page = np.frombuffer(sys.stdin.buffer.read(width * height), np.uint8).reshape(height, width)
        reply = _read(engine, page)
        reply["last"] = time.process_time() > _cpu_seconds() * _CPU_SHARE
        replies.write(json.dumps(reply).encode() + b"\n")
        replies.flush()


def _load() -> Any:
    import cv2
    import rapidocr

    cv2.setNumThreads(1)
    models = Path(rapidocr.__file__).parent / "models"
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "error",
            # It decides for each line whether it is upside down, and is wrong on clean pages: 4 of 89 lines.
            "Global.use_cls": False,
            # With their paths, the models are neither looked up nor downloaded.
            "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
            "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
            "Det.limit_type": "max",
            "Det.limit_side_len": _DETECTION_SIDE,
            "Rec.rec_batch_num": 1,  # more at once need more memory and aren't faster
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _read(engine: Any, page: Any) -> dict[str, Any]:
    """Return the lines of a page, which is turned to the left until it is upright."""
    import numpy as np

    lines, turns = _lines(engine, page), 0
    if sum(map(_is_upended, lines)) > len(lines) / 2:
        lines, turns = _lines(engine, np.rot90(page)), 1
    if lines and _score(lines) < _SURE:
        turned = _lines(engine, np.rot90(page, turns + 2))
        if _score(turned) > _score(lines):
            lines, turns = turned, turns + 2
    height, width = page.shape
    return {"lines": lines, "turns": turns, "size": (height, width) if turns % 2 else (width, height)}


def _lines(engine: Any, page: Any) -> list[Line]:
    """Return the lines on the part of a page that isn't blank: the models overlook a word on an empty page."""
    import numpy as np

    left, top, right, bottom = _ink(page)
    if left == right:
        return []
    result = engine(np.ascontiguousarray(page[top:bottom, left:right]))
    if result.txts is None:
        return []
    scores = (round(float(score), 3) for score in result.scores)
    corners = (result.boxes + np.array([left, top])).round(1).tolist()
    return list(zip(result.txts, scores, corners, strict=True))


def _ink(page: Any) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the part of a page that differs from its paper."""
    import cv2
    import numpy as np

    height, width = page.shape
    size = max(1, width // _BLOCK), max(1, height // _BLOCK)
    blocks = cv2.resize(page, size, interpolation=cv2.INTER_AREA).astype(int)
    rows, columns = np.nonzero(abs(blocks - np.median(blocks)) > _CONTRAST)
    if not len(rows):
        return 0, 0, 0, 0
    across, down = width / size[0], height / size[1]
    left, top = int(columns.min() * across), int(rows.min() * down)
    right, bottom = int((columns.max() + 1) * across), int((rows.max() + 1) * down)
    return max(0, left - _MARGIN), max(0, top - _MARGIN), min(width, right + _MARGIN), min(height, bottom + _MARGIN)


def _is_upended(line: Line) -> bool:
    (left, top), _, (right, bottom), _ = line[2]
    return bool(abs(bottom - top) > 1.5 * abs(right - left))


def _score(lines: list[Line]) -> float:
    characters = sum(len(text) for text, _, _ in lines)
    return sum(len(text) * score for text, score, _ in lines) / max(characters, 1)


def _cpu_seconds() -> float:
    """Return the processor time that this process may use."""
    with contextlib.suppress(ImportError):  # Windows
        import resource

        seconds, _ = resource.getrlimit(resource.RLIMIT_CPU)
        if seconds != resource.RLIM_INFINITY:
            return seconds
    return float("inf")


if __name__ == "__main__":
    main()
