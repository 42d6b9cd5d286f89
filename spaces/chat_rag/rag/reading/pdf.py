"""Reads the text of a PDF page by page."""

from __future__ import annotations

import re
import threading
from typing import Any

from rag.documents import Content, Limits, ShareReport
from rag.errors import DocumentError
from rag.reading.ocr.errors import REMEDY
from rag.reading.ocr.images import GreyImage
from rag.reading.ocr.recognizer import Recognizer, install_remedy
from rag.reading.ocr.scans import Scans, join_pages
from rag.reading.pdf_rows import join_rows

PDFIUM_LOCK = threading.Lock()  # PDFium isn't thread-safe, not even across documents
LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_HYPHEN = "\ufffe"
# `\b` and `++`: a word is read once, not once from each of its characters.
_HYPHENATED = re.compile(rf"\b(\w++){_HYPHEN}(\w++)")
_WORD = re.compile(r"\w+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u00ad]")


def read_pdf(data: bytes, name: str, limits: Limits, report: ShareReport) -> Content:
    """Return the text of all pages, in the file's own reading order, and the span of each page.

    Pages without text go through text recognition if an engine is installed. `report` is called after each page.
    """
    with Recognizer(name) as recognizer:
        scans = Scans(recognizer, name, limits)
        texts = _resolve_hyphens(_page_texts(data, name, limits, report, scans))
    if not any(texts):
        raise scans.error or _no_text(name, recognizer)
    return join_pages(texts, scans)


def _page_texts(data: bytes, name: str, limits: Limits, report: ShareReport, scans: Scans) -> list[str]:
    """Return PDFium's text of each page, or the recognized one of a page that is only an image."""
    document = _open(data, name)
    try:
        count = _page_count(document, name, limits)
        texts: list[str] = []
        characters = 0
        for index in range(count):
            text, image = _page_text(document, index, scans)
            text = _clean(text) if image is None else scans.read(image, index + 1)
            texts.append(text)
            characters += len(text)
            if characters > limits.characters:
                raise DocumentError(
                    f"“{name}” has more than {limits.characters:,} characters, the limit for one file.",
                    "Split it into smaller files.",
                )
            report((index + 1) / count)
        return texts
    finally:
        with PDFIUM_LOCK:
            document.close()


def _open(data: bytes, name: str) -> Any:
    import pypdfium2
    from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

    try:
        with PDFIUM_LOCK:
            return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY):
            raise DocumentError(
                f"“{name}” is encrypted and needs a password.",
                "Save a copy without the password and upload that file.",
            ) from error
        raise _damaged(name) from error


def _page_count(document: Any, name: str, limits: Limits) -> int:
    with PDFIUM_LOCK:
        count = len(document)
    if count == 0:
        raise _damaged(name)
    if count > limits.pages:
        raise DocumentError(
            f"“{name}” has {count:,} pages; the limit is {limits.pages:,}.", "Split it into smaller files."
        )
    return count


def _page_text(document: Any, index: int, scans: Scans) -> tuple[str, GreyImage | None]:
    """Return a page's text, and its image if it has no text but something to recognize."""
    # The lock is held for one page only, so that a long file doesn't delay a short one.
    with PDFIUM_LOCK:
        page = document[index]
        try:
            textpage = page.get_textpage()
            text = join_rows(textpage, textpage.get_text_range())
            return text, None if text.strip() else scans.draw(page, index + 1)
        finally:
            page.close()  # this closes its text page too


def _no_text(name: str, recognizer: Recognizer) -> DocumentError:
    if recognizer.is_available:
        return DocumentError(
            f"“{name}” has no text, and text recognition found none on its pages.",
            "Check its pages. For languages that its engine doesn't know, see SPACEPORT_OCR in the documentation.",
        )
    return DocumentError(
        f"“{name}” has no text: its pages are probably images, so it needs OCR.", f"{REMEDY} Or {install_remedy()}"
    )


def _damaged(name: str) -> DocumentError:
    return DocumentError(f"“{name}” seems damaged: its pages can't be found.", "Download or export it again.")


def _clean(text: str) -> str:
    """Normalise line ends, ligatures, and PDFium's two marks for a hyphen at a line end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x02", _HYPHEN)
    return _CONTROLS.sub("", text).translate(LIGATURES).strip()


def _resolve_hyphens(texts: list[str]) -> list[str]:
    """Keep a hyphen at a line end if it joins two words (write-off); remove it if it breaks one (exam-ple)."""
    if not any(_HYPHEN in text for text in texts):
        return texts
    words = {word for text in texts for word in _WORD.findall(_HYPHENATED.sub(" ", text).lower())}

    def join(match: re.Match[str]) -> str:
        left, right = match[1], match[2]
        # A broken word occurs unbroken elsewhere in the document, or its second half never occurs as a word.
        is_broken = (left + right).lower() in words or right.lower() not in words
        return left + right if is_broken else f"{left}-{right}"

    return [_HYPHENATED.sub(join, text).replace(_HYPHEN, "-") if _HYPHEN in text else text for text in texts]
