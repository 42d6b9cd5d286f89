"""Runs the program tesseract on a picture."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from rag.errors import DocumentError
from rag.reading.ocr.errors import PageFailed, PageTooSlow
from rag.reading.ocr.images import GreyImage
from rag.reading.ocr.recognized_text import Piece, Reading

INSTALL_COMMAND = "apt-get install tesseract-ocr"
LANGUAGES = "eng"
LANGUAGES_SETTING = "SPACEPORT_OCR_LANGUAGES"
_LANGUAGE_NAMES = re.compile(r"[A-Za-z0-9_]+(\+[A-Za-z0-9_]+)*")
_MISSING_LANGUAGE = "Failed loading language"
_CELL_GAP = 1.5  # words that are further apart, in units of their height, are two cells
_WORD_LEVEL = "5"


class _Word(NamedTuple):
    line: tuple[str, ...]  # block, paragraph and line
    left: int
    top: int
    right: int
    bottom: int
    score: float
    text: str


class Tesseract:
    """The program that the PATH finds; it was trained on pictures with 300 dpi."""

    dpi, max_side = 300.0, 20_000
    unsure = 0.75  # a page with a lower score is hardly legible

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("tesseract") is not None

    def recognize(self, image: GreyImage, name: str, page: int, seconds: float) -> Reading:
        """Return the lines of a picture, in the languages of SPACEPORT_OCR_LANGUAGES ("eng" or, for two, "eng+deu").

        Raises `PageTooSlow`, `PageFailed`, or another `DocumentError` if a language isn't installed.
        """
        languages = _languages()
        # One thread: where few processors are free, tesseract's default of four is slower.
        environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
        # A page occupies a processor for seconds, and other visitors need processors too.
        priority = ["nice"] if shutil.which("nice") else []
        command = [*priority, "tesseract", "stdin", "stdout", "-l", languages, "--dpi", "300", "tsv"]
        try:
            # No shell, and the input is an image that this program made.
            process = subprocess.run(  # noqa: S603
                command, input=image.pgm, capture_output=True, timeout=seconds, env=environment
            )
        except subprocess.TimeoutExpired as error:
            raise PageTooSlow(name, page, seconds) from error
        log = process.stderr.decode(errors="replace")
        # If one of several languages is missing, tesseract uses the others and exits with status 0.
        if _MISSING_LANGUAGE in log:
            raise _missing_language(name, languages)
        if process.returncode:
            raise PageFailed(name, page)
        pieces = [piece for line in _lines(process.stdout.decode(errors="replace")) for piece in _cells(line)]
        return Reading(pieces, image.width, image.height)

    def close(self) -> None:
        """Do nothing: the program ends after each picture."""


def _lines(table: str) -> Iterator[list[_Word]]:
    """Yield the words of each line in tesseract's table of results."""
    words = []
    for row in table.splitlines()[1:]:
        fields = row.split("\t", 11)
        if fields[0] == _WORD_LEVEL and fields[-1].strip():
            left, top, width, height = map(int, fields[6:10])
            score = max(float(fields[10]), 0.0) / 100
            words.append(_Word(tuple(fields[2:5]), left, top, left + width, top + height, score, fields[11]))
    for _, line in groupby(words, key=lambda word: word.line):
        yield list(line)


def _cells(words: list[_Word]) -> Iterator[Piece]:
    """Yield a line, or the cells of a table in it."""
    height = max(word.bottom - word.top for word in words)
    first, last = words[0], words[-1]
    rise = (last.top + last.bottom - first.top - first.bottom) / 2
    slope = rise / max(last.left - first.left, 1) if len(words) > 1 else 0.0
    cell: list[_Word] = []
    for word in words:
        if cell and word.left - cell[-1].right > _CELL_GAP * height:
            yield _piece(cell, slope)
            cell = []
        cell.append(word)
    yield _piece(cell, slope)


def _piece(words: list[_Word], slope: float) -> Piece:
    return Piece(
        " ".join(word.text for word in words),
        min(word.left for word in words),
        min(word.top for word in words),
        max(word.right for word in words),
        max(word.bottom for word in words),
        sum(word.score for word in words) / len(words),
        slope,
    )


def _languages() -> str:
    languages = os.environ.get(LANGUAGES_SETTING) or LANGUAGES
    if not _LANGUAGE_NAMES.fullmatch(languages):
        raise DocumentError(
            f"{LANGUAGES_SETTING} is {languages!r}, which isn't a list of languages.",
            "Set it to a value such as eng or eng+deu.",
        )
    return languages


def _missing_language(name: str, languages: str) -> DocumentError:
    packages = " ".join(f"tesseract-ocr-{language.replace('_', '-')}" for language in languages.split("+"))
    return DocumentError(
        f"“{name}” is scanned, and not all of the languages {languages} are installed.",
        f"Install them (apt-get install {packages}), or set {LANGUAGES_SETTING} to others.",
    )
