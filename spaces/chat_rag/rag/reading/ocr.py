"""Text recognition for scanned pages with the program tesseract, if it is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Any

from rag.errors import DocumentError

INSTALL_COMMAND = "apt-get install tesseract-ocr"
REMEDY = "Run it through text recognition (for example: ocrmypdf in.pdf out.pdf) and upload the result."
LANGUAGES = "eng"
PAGE_SECONDS = 60.0
_PIXELS_PER_POINT = 300 / 72  # tesseract was trained on 300 dpi
_MAX_PIXELS = 20_000_000  # an A3 page at 300 dpi; a page can declare any size
_LANGUAGE_NAMES = re.compile(r"[A-Za-z0-9_]+(\+[A-Za-z0-9_]+)*")
_MISSING_LANGUAGE = "Failed loading language"


def is_available() -> bool:
    """Return whether tesseract is installed."""
    return shutil.which("tesseract") is not None


def page_image(page: Any) -> bytes:
    """Return a PDFium page as a grey image (PGM) at 300 dpi, or less if the page is very large.

    The caller holds PDFium's lock.
    """
    width, height = page.get_size()
    scale = min(_PIXELS_PER_POINT, (_MAX_PIXELS / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        rows = bitmap.to_numpy()
        return b"P5 %d %d 255\n" % (bitmap.width, bitmap.height) + bytes(rows[:, : bitmap.width].tobytes())
    finally:
        bitmap.close()


def recognise(image: bytes, name: str, page: int, *, seconds: float = PAGE_SECONDS) -> str:
    """Return the text in an image, in the languages of SPACEPORT_OCR_LANGUAGES ("eng" or, for two, "eng+deu").

    Raises `DocumentError` if the page takes longer than `seconds` or a language isn't installed.
    """
    languages = _languages()
    # One thread: where few processors are free, tesseract's default of four is slower.
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
    # A page occupies a processor for seconds, and other visitors need processors too.
    priority = ["nice"] if shutil.which("nice") else []
    command = [*priority, "tesseract", "stdin", "stdout", "-l", languages, "--dpi", "300"]
    try:
        # No shell, and the input is an image that this module rendered.
        process = subprocess.run(command, input=image, capture_output=True, timeout=seconds, env=environment)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise DocumentError(
            f"“{name}” is scanned, and the text recognition of page {page} took longer than {seconds:g} s.", REMEDY
        ) from error
    log = process.stderr.decode(errors="replace")
    # If one of several languages is missing, tesseract uses the others and exits with status 0.
    if process.returncode or _MISSING_LANGUAGE in log:
        raise _recognition_error(name, page, languages, log)
    return process.stdout.decode(errors="replace").replace("\f", "").strip()


def _languages() -> str:
    languages = os.environ.get("SPACEPORT_OCR_LANGUAGES") or LANGUAGES
    if not _LANGUAGE_NAMES.fullmatch(languages):
        raise DocumentError(
            f"SPACEPORT_OCR_LANGUAGES is {languages!r}, which isn't a list of languages.",
            "Set it to a value such as eng or eng+deu.",
        )
    return languages


def _recognition_error(name: str, page: int, languages: str, log: str) -> DocumentError:
    if _MISSING_LANGUAGE in log:
        packages = " ".join(f"tesseract-ocr-{language.replace('_', '-')}" for language in languages.split("+"))
        return DocumentError(
            f"“{name}” is scanned, and not all of the languages {languages} are installed.",
            f"Install them (apt-get install {packages}), or set SPACEPORT_OCR_LANGUAGES to others.",
        )
    return DocumentError(f"“{name}” is scanned, and the text of page {page} can't be recognised.", REMEDY)
