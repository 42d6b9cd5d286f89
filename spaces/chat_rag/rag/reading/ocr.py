"""Text recognition for scanned pages with the program tesseract, where it is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from typing import Any

from rag.errors import DocumentError

INSTALL_COMMAND = "apt-get install tesseract-ocr"
REMEDY = "Run it through text recognition (for example: ocrmypdf in.pdf out.pdf) and upload the result."
LANGUAGES = "eng"
PAGE_SECONDS = 60.0
_DOTS_PER_POINT = 300 / 72  # what tesseract was trained for
_MOST_DOTS = 20_000_000  # an A3 page at 300 dots an inch; a page may claim to be a wall
_NAMES = re.compile(r"[A-Za-z0-9_]+(\+[A-Za-z0-9_]+)*")
_one_page = threading.Lock()  # a page keeps a processor busy for seconds, and visitors want some too


def is_available() -> bool:
    """Whether scanned pages can be read here."""
    return shutil.which("tesseract") is not None


def page_image(page: Any) -> bytes:
    """A PDFium page as a grey image (PGM) at 300 dots an inch, or fewer where it is very large.

    The caller holds PDFium's lock.
    """
    width, height = page.get_size()
    scale = min(_DOTS_PER_POINT, (_MOST_DOTS / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        rows = bitmap.to_numpy()
        return b"P5 %d %d 255\n" % (bitmap.width, bitmap.height) + rows[:, : bitmap.width].tobytes()
    finally:
        bitmap.close()


def recognise(image: bytes, name: str, page: int, *, seconds: float = PAGE_SECONDS) -> str:
    """The text in an image, in the languages of SPACEPORT_OCR_LANGUAGES ("eng" or, for two, "eng+deu").

    `DocumentError` says that the page took too long, or that a language is not installed.
    """
    languages = _languages()
    # One thread: tesseract's own four are slower than one where fewer processors are free.
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
    command = ["tesseract", "stdin", "stdout", "-l", languages, "--dpi", "300"]
    try:
        with _one_page:
            # No shell; what is read is an image of our own making.
            done = subprocess.run(command, input=image, capture_output=True, timeout=seconds, env=environment)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise DocumentError(
            f"“{name}” is scanned, and its page {page} took longer than {seconds:g} s to recognise.",
            REMEDY,
        ) from error
    said = done.stderr.decode(errors="replace")
    # Of several languages it goes on without the one that is missing, and with a good status.
    if done.returncode or "Failed loading language" in said:
        raise _failed(name, page, languages, said)
    return done.stdout.decode(errors="replace").replace("\f", "").strip()


def _languages() -> str:
    languages = os.environ.get("SPACEPORT_OCR_LANGUAGES") or LANGUAGES
    if not _NAMES.fullmatch(languages):
        raise DocumentError(
            f"SPACEPORT_OCR_LANGUAGES is {languages!r}, which names no languages.", "Write it like eng or eng+deu."
        )
    return languages


def _failed(name: str, page: int, languages: str, said: str) -> DocumentError:
    if "Failed loading language" in said:
        packages = " ".join(f"tesseract-ocr-{language.replace('_', '-')}" for language in languages.split("+"))
        return DocumentError(
            f"“{name}” is scanned, and the languages {languages} are not all installed here.",
            f"Install them (apt-get install {packages}), or set SPACEPORT_OCR_LANGUAGES to others.",
        )
    return DocumentError(
        f"“{name}” is scanned, and its page {page} cannot be recognised.",
        REMEDY,
    )
