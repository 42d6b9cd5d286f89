"""Runs RapidOCR, whose package contains its models, in a process of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import struct
import subprocess
import sys
import threading
from functools import cache
from typing import Any

from rag.reading.ocr.errors import PageFailed, PageTooSlow
from rag.reading.ocr.images import GreyImage
from rag.reading.ocr.recognized_text import Piece, Reading

INSTALL_COMMAND = "pip install 'spaceport[ocr]'"
SIZE = struct.Struct(">II")  # width and height, which come before the pixels
_PROGRAM = "rag.reading.ocr.rapid_program"
_PACKAGES = ("rapidocr", "onnxruntime")
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    # Large blocks go back to the system. Otherwise the process needs 1,000 MB for a page instead of 730.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "4000000",
    "MALLOC_TRIM_THRESHOLD_": "16000000",
}


@cache  # looking for a package takes as long as reading a page
def _has_packages() -> bool:
    return all(importlib.util.find_spec(package) for package in _PACKAGES)


class RapidOcr:
    """The process with the models, which starts with the first picture."""

    dpi, max_side = 200.0, 2000  # RapidOCR makes larger pictures smaller
    unsure = 0.92  # a page with a lower score has letters that the models don't know, or is hardly legible

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def is_installed() -> bool:
        return _has_packages()

    def recognize(self, image: GreyImage, name: str, page: int, seconds: float) -> Reading:
        """Return the lines of a picture. Raises `PageTooSlow` or `PageFailed`."""
        process = self._process = self._process or _start()
        assert process.stdin and process.stdout  # noqa: S101  # pipes
        late = threading.Event()
        timer = threading.Timer(seconds, _stop, [process, late])
        timer.start()
        try:
            process.stdin.write(SIZE.pack(image.width, image.height) + image.pixels)
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:  # it ended
            answer = b""
        finally:
            timer.cancel()
        reply = json.loads(answer) if answer.endswith(b"\n") else None
        if reply is None or reply["last"]:
            self.close()
        if reply is None:
            raise PageTooSlow(name, page, seconds) if late.is_set() else PageFailed(name, page)
        width, height = reply["size"]
        return Reading([_piece(*line) for line in reply["lines"]], width, height, reply["turns"])

    def close(self) -> None:
        """End the process."""
        if process := self._process:
            self._process = None
            process.kill()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # a picture that nobody reads any more
                    assert pipe  # noqa: S101
                    pipe.close()
            process.wait()


def _start() -> subprocess.Popen[bytes]:
    environment = os.environ | _ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", "-m", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )


def _stop(process: subprocess.Popen[Any], late: threading.Event) -> None:
    late.set()
    process.kill()


def _piece(text: str, score: float, corners: list[list[float]]) -> Piece:
    """Return a line from its corners: upper left, upper right, lower right, lower left."""
    columns, rows = [x for x, _ in corners], [y for _, y in corners]
    (left, upper_left), (right, upper_right), *_ = corners
    slope = (upper_right - upper_left) / (right - left) if right > left else 0.0
    return Piece(text, min(columns), min(rows), max(columns), max(rows), score, slope)
