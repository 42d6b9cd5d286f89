"""Recognizes the text of pictures with the engine that SPACEPORT_OCR names."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any

from rag.errors import DocumentError
from rag.reading.ocr import rapid, tesseract
from rag.reading.ocr.images import GreyImage, draw_page
from rag.reading.ocr.page_pictures import Box, PagePicture, draw_picture
from rag.reading.ocr.rapid import RapidOcr
from rag.reading.ocr.recognized_page import RecognizedPage, recognized_page
from rag.reading.ocr.tesseract import Tesseract

SETTING = "SPACEPORT_OCR"
PAGE_SECONDS = 120.0  # RapidOCR needs 35 s of a processor for 60 lines of 280 characters, and may have half of one
Engine = RapidOcr | Tesseract
_ENGINES: dict[str, type[Engine]] = {"rapidocr": RapidOcr, "tesseract": Tesseract}
_NONE = "none"


class Recognizer:
    """The engine for the pictures of one file; it starts with the first one, and ends with the `with` block."""

    def __init__(self, name: str, *, seconds: float = PAGE_SECONDS) -> None:
        self.name, self._seconds = name, seconds
        engine = chosen_engine()
        self._engine = engine() if engine else None

    def __enter__(self) -> Recognizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._engine:
            self._engine.close()

    @property
    def is_available(self) -> bool:
        return self._engine is not None

    @property
    def max_side(self) -> int:
        """The most pixels that the engine needs on the longer side of a picture."""
        return self._engine.max_side if self._engine else 0

    @property
    def unsure(self) -> float:
        """The visitor should check a page with a lower score."""
        return self._engine.unsure if self._engine else 0

    def draw(self, page: Any) -> GreyImage:
        """Return a PDFium page as the engine needs it. The caller holds PDFium's lock."""
        assert self._engine  # noqa: S101
        return draw_page(page, self._engine.dpi, self._engine.max_side)

    def draw_part(self, page: Any, box: Box) -> PagePicture:
        """Return a picture on a PDFium page as the engine needs it. The caller holds PDFium's lock."""
        assert self._engine  # noqa: S101
        return draw_picture(page, box, self._engine.dpi, self._engine.max_side)

    def recognize(self, image: GreyImage, page: int) -> RecognizedPage:
        """Return the text of a picture; `page` is its number in the file, for errors.

        Raises `PageTooSlow`, `PageFailed`, or another `DocumentError` that says what is missing.
        """
        assert self._engine  # noqa: S101
        return recognized_page(self._engine.recognize(image, self.name, page, self._seconds))


def chosen_engine() -> type[Engine] | None:
    """Return the engine that SPACEPORT_OCR names, or the one that is installed; None if there is none.

    Without the setting it is RapidOCR, or tesseract if SPACEPORT_OCR_LANGUAGES names languages for it.
    """
    name = os.environ.get(SETTING, "").strip().lower()
    if name not in ("", _NONE, *_ENGINES):
        raise DocumentError(f"{SETTING} is {name!r}.", f"Set it to {', '.join(_ENGINES)} or {_NONE}.")
    if name:
        engines = [_ENGINES[name]] if name in _ENGINES else []
    else:
        engines = [Tesseract, RapidOcr] if os.environ.get(tesseract.LANGUAGES_SETTING) else [RapidOcr, Tesseract]
    return next((engine for engine in engines if engine.is_installed()), None)


def install_remedy() -> str:
    """Return how to get an engine on this machine."""
    return f"Install text recognition: {rapid.INSTALL_COMMAND}, or {tesseract.INSTALL_COMMAND}."
