"""The text of a PDF, page by page."""

from __future__ import annotations

import re
import threading

from rag.documents import Limits, Page
from rag.errors import DocumentError

_PDFIUM = threading.Lock()  # PDFium is not thread-safe, not even across documents
_BETWEEN_PAGES = "\n\n"
_HYPHEN = "\ufffe"
_HYPHENATED = re.compile(rf"(\w+){_HYPHEN}(\w+)")
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u00ad]")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})


def read_pdf(data: bytes, name: str, limits: Limits) -> tuple[str, tuple[Page, ...]]:
    """The text of all pages, in the file's own reading order, and the span of each page."""
    texts = _mend_hyphens([_clean(text) for text in _page_texts(data, name, limits)])
    if not any(texts):
        raise DocumentError(
            f"“{name}” holds no text: its pages are probably images, so it needs OCR.",
            "Run it through text recognition (for example: ocrmypdf in.pdf out.pdf) and upload the result.",
        )
    pages, start = [], 0
    for number, text in enumerate(texts, 1):
        pages.append(Page(number, start, start + len(text)))
        start += len(text) + len(_BETWEEN_PAGES)
    return _BETWEEN_PAGES.join(texts), tuple(pages)


def _page_texts(data: bytes, name: str, limits: Limits) -> list[str]:
    """What PDFium gives for each page; it keeps the cells of a table row on one line."""
    document = _open(data, name)
    try:
        count = _page_count(document, name, limits)
        texts, characters = [], 0
        for index in range(count):
            texts.append(_page_text(document, index))
            characters += len(texts[-1])
            if characters > limits.characters:
                raise DocumentError(
                    f"“{name}” holds more than {limits.characters:,} characters, the limit for one file.",
                    "Split it into smaller files.",
                )
        return texts
    finally:
        with _PDFIUM:
            document.close()


def _open(data: bytes, name: str):
    import pypdfium2
    from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

    try:
        with _PDFIUM:
            return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY):
            raise DocumentError(
                f"“{name}” is encrypted: a password is needed to read it.",
                "Save a copy without the password and upload that.",
            ) from error
        raise _damaged(name) from error


def _page_count(document, name: str, limits: Limits) -> int:
    with _PDFIUM:
        count = len(document)
    if count == 0:
        raise _damaged(name)
    if count > limits.pages:
        raise DocumentError(
            f"“{name}” has {count:,} pages; the limit is {limits.pages:,}.", "Split it into smaller files."
        )
    return count


def _page_text(document, index: int) -> str:
    # The lock is held for one page only, so that a long file does not keep a short one waiting.
    with _PDFIUM:
        page = document[index]
        try:
            return page.get_textpage().get_text_range()
        finally:
            page.close()  # its text page is closed with it


def _damaged(name: str) -> DocumentError:
    return DocumentError(
        f"“{name}” seems damaged: it starts like a PDF, but its pages cannot be found.",
        "Download or export it again.",
    )


def _clean(text: str) -> str:
    """Line ends become newlines, ligatures letters; PDFium's two marks for a hyphen at a line end become one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x02", _HYPHEN)
    return _UNWANTED.sub("", text).translate(_LIGATURES).strip()


def _mend_hyphens(texts: list[str]) -> list[str]:
    """A hyphen at a line end stays where it joins two words (write-off) and goes where it only broke one (exam-ple)."""
    if not any(_HYPHEN in text for text in texts):
        return texts
    words = {word for text in texts for word in re.findall(r"\w+", _HYPHENATED.sub(" ", text).lower())}

    def mend(match: re.Match[str]) -> str:
        left, right = match[1], match[2]
        # The document itself tells: a broken word stands whole elsewhere, or its second half nowhere as a word.
        broken = (left + right).lower() in words or right.lower() not in words
        return left + right if broken else f"{left}-{right}"

    return [_HYPHENATED.sub(mend, text).replace(_HYPHEN, "-") for text in texts]
