"""Reads an uploaded file into a document, or raises an error that says what to do."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from rag.documents import Content, Document, Limits, NoteKind, ShareReport
from rag.errors import DocumentError, FileError, FileProblem
from rag.reading.file_names import display_name
from rag.reading.formats.delimited.rows import read_csv, read_tsv
from rag.reading.formats.html.page import read_html
from rag.reading.formats.messages.mail import ReadFile, read_mail
from rag.reading.formats.messages.outlook import read_outlook
from rag.reading.formats.notebook import read_notebook
from rag.reading.formats.office.book import read_book
from rag.reading.formats.office.open_document import read_open_document
from rag.reading.formats.office.sheets.old_workbook import read_old_workbook
from rag.reading.formats.office.sheets.open_sheets import read_open_sheets
from rag.reading.formats.office.sheets.workbook import read_workbook
from rag.reading.formats.office.slides import read_slides
from rag.reading.formats.office.word.reader import read_word
from rag.reading.formats.pdf.reader import read_pdf
from rag.reading.formats.pictures import SUFFIXES as PICTURE_SUFFIXES
from rag.reading.formats.pictures import read_picture
from rag.reading.formats.restructured_text.reader import read_restructured
from rag.reading.formats.rich_text.reader import read_rich_text
from rag.reading.formats.text.plain import read_json, read_markdown, read_text, read_xml
from rag.reading.ocr.recognizer import chosen_engine, install_remedy
from rag.reading.signatures import check_signature

Reader = Callable[[bytes, str, Limits, ShareReport], Content]


def _without_progress(reader: Callable[[bytes, str, Limits], Content]) -> Reader:
    """Wrap a reader of a format without pages, which doesn't report its progress."""
    return lambda data, name, limits, report: reader(data, name, limits)


_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_READERS: dict[str, tuple[str, Reader]] = {
    ".pdf": ("application/pdf", read_pdf),
    ".md": ("text/markdown", _without_progress(read_markdown)),
    ".markdown": ("text/markdown", _without_progress(read_markdown)),
    ".txt": ("text/plain", _without_progress(read_text)),
    ".html": ("text/html", _without_progress(read_html)),
    ".htm": ("text/html", _without_progress(read_html)),
    ".docx": (_OPEN_XML + "wordprocessingml.document", _without_progress(read_word)),
    ".csv": ("text/csv", _without_progress(read_csv)),
    ".xlsx": (_OPEN_XML + "spreadsheetml.sheet", _without_progress(read_workbook)),
    ".xlsm": ("application/vnd.ms-excel.sheet.macroEnabled.12", _without_progress(read_workbook)),
    ".mhtml": ("text/html", _without_progress(read_html)),
    ".mht": ("text/html", _without_progress(read_html)),
    ".docm": ("application/vnd.ms-word.document.macroEnabled.12", _without_progress(read_word)),
    ".pptx": (_OPEN_XML + "presentationml.presentation", _without_progress(read_slides)),
    ".pptm": ("application/vnd.ms-powerpoint.presentation.macroEnabled.12", _without_progress(read_slides)),
    ".xls": ("application/vnd.ms-excel", _without_progress(read_old_workbook)),
    ".ods": (_OPEN_DOCUMENT + "spreadsheet", _without_progress(read_open_sheets)),
    ".odt": (_OPEN_DOCUMENT + "text", _without_progress(read_open_document)),
    ".rtf": ("application/vnd.rtf", _without_progress(read_rich_text)),
    ".epub": ("application/vnd.epub+zip", _without_progress(read_book)),
    ".eml": (
        "application/vnd.mail",
        lambda data, name, limits, report: read_mail(data, name, limits, _attachments(limits)),
    ),
    ".msg": (
        "application/vnd.ms-outlook",
        lambda data, name, limits, report: read_outlook(data, name, limits, _attachments(limits)),
    ),
    ".tsv": ("text/csv", _without_progress(read_tsv)),
    ".xhtml": ("text/html", _without_progress(read_html)),
    ".mdx": ("text/markdown", _without_progress(read_markdown)),
    ".rst": ("text/markdown", _without_progress(read_restructured)),
    ".ipynb": ("text/markdown", _without_progress(read_notebook)),
    ".xml": ("text/plain", _without_progress(read_xml)),
}
_READERS |= {suffix: (media_type, read_picture) for suffix, media_type in PICTURE_SUFFIXES.items()}
_PLAIN = """
text log srt vtt ics vcf org adoc yaml yml toml ini cfg conf sql tex
py js ts jsx tsx java kt c h cc cpp hpp cs go rs rb php swift scala r sh bash ps1 lua pl css proto
"""
_READERS |= dict.fromkeys([f".{suffix}" for suffix in _PLAIN.split()], ("text/plain", _without_progress(read_text)))
_READERS |= dict.fromkeys((".json", ".jsonl", ".ndjson"), ("text/plain", _without_progress(read_json)))
_WITHOUT_SUFFIX = (
    "readme",
    "license",
    "licence",
    "changelog",
    "changes",
    "notice",
    "authors",
    "makefile",
    "dockerfile",
)
SUFFIXES = tuple(_READERS)
_SAVE_AS = {  # formats that are often uploaded, by what their programs can save instead
    ".docx": "doc dot dotx wps wpd pages ott fodt",
    ".pptx": "ppt pps pot ppsx odp key",
    ".xlsx": "xlsb xlt xltx numbers ots fods",
    ".pdf": "xps oxps ps djvu odg vsd vsdx pub one",
    ".png": "gif bmp heic heif avif svg ico psd",
    ".epub": "mobi azw azw3 fb2",
    ".eml": "mbox",
    ".zip": "7z rar gz tgz tar bz2 xz",
}
_INSTEAD = {f".{suffix}": other for other, suffixes in _SAVE_AS.items() for suffix in suffixes.split()}
_OTHER_TYPES = {  # besides those of the readers, by which documents are stored
    "application/xhtml+xml": ".xhtml",
    "application/json": ".json",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "text/tab-separated-values": ".tsv",
    "application/rtf": ".rtf",
    "message/rfc822": ".eml",
    "application/x-ipynb+json": ".ipynb",
}


def read_document(
    path: Path, *, name: str | None = None, limits: Limits | None = None, report: ShareReport | None = None
) -> Document:
    """Read a file in one of the supported formats; `name` is the visitor's name for it.

    `report` is called with the share that has been read, after each page of a PDF and at the end; an error that it
    raises cancels the reading and propagates unchanged.
    """
    limits = limits or Limits()
    path = Path(path)
    name = display_name(name or path.name)
    suffix = _suffix(name, path)
    data = _read_bytes(path, name, limits)
    check_signature(data, suffix, name)
    media_type, reader = _READERS[suffix]
    content = _read(reader, data, name, limits, report)
    if not content.text.strip():
        raise _no_text(name, content)
    if len(content.text) > limits.characters:
        raise FileError(FileProblem.TOO_LONG, name=name, characters=len(content.text), limit=limits.characters)
    if report and not content.pages:
        report(1.0)
    document_id = hashlib.sha256(data).hexdigest()[:16]
    return Document(
        document_id,
        name,
        content.text,
        content.pages,
        media_type,
        tables=content.tables,
        notes=content.notes,
        recognized=content.recognized,
        furniture=content.furniture,
    )


def _no_text(name: str, content: Content) -> DocumentError:
    pictures = sum(note.count for note in content.notes if note.kind == NoteKind.UNREAD_INNER_PICTURES)
    if not pictures:
        return FileError(FileProblem.NO_TEXT, name=name)
    shown = "a picture that wasn't" if pictures == 1 else f"{pictures:,} pictures that weren't"
    remedy = "Upload the pictures as PNG or JPEG files." if chosen_engine() else install_remedy()
    return DocumentError(f"“{name}” has no text, but {shown} read.", remedy)


def _attachments(limits: Limits) -> ReadFile:
    """Return a function that reads the attachments of a message with the readers of their suffixes."""

    def read_attachment(attachment: bytes, attachment_name: str) -> Content:
        attachment_name = display_name(attachment_name)
        suffix = _suffix(attachment_name, Path(attachment_name))
        check_signature(attachment, suffix, attachment_name)
        return _read(_READERS[suffix][1], attachment, attachment_name, limits, None)

    return read_attachment


def is_supported(name: str) -> bool:
    """Return whether files with this name are read."""
    return Path(name).suffix.lower() in _READERS or name.lower() in _WITHOUT_SUFFIX


def suffix_of(media_type: str) -> str:
    """Return the suffix of files of a media type, or "" if no reader knows it."""
    suffixes = (suffix for suffix, (known_type, _) in _READERS.items() if known_type == media_type)
    return _OTHER_TYPES.get(media_type) or next(suffixes, "")


def _suffix(name: str, path: Path) -> str:
    # The path's comes first: the last part of a web page's address, such as page.php, isn't its type.
    for suffix in (path.suffix.lower(), Path(name).suffix.lower()):
        if suffix in _READERS:
            return suffix
    if name.lower() in _WITHOUT_SUFFIX:
        return ".text"
    if other := _INSTEAD.get(Path(name).suffix.lower()):
        raise FileError(FileProblem.UNREAD_FORMAT, name=name, other=other)
    raise FileError(FileProblem.UNSUPPORTED, name=name, types=", ".join(SUFFIXES))


def _read_bytes(path: Path, name: str, limits: Limits) -> bytes:
    """Return the file's bytes; check its size before reading."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise DocumentError(f"“{name}” isn't a file.", "Choose a file.")
        if size <= limits.file_bytes:
            with path.open("rb") as file:
                data = file.read(limits.file_bytes + 1)  # it may have grown since
            size = len(data)
    except (OSError, ValueError) as error:
        raise DocumentError(f"Can't open “{name}”: {type(error).__name__}.", "Upload it again.") from error
    if size > limits.file_bytes:
        raise FileError(FileProblem.TOO_LARGE, name=name, megabytes=size / 1e6, limit=limits.file_bytes / 1e6)
    if not data.strip():
        raise FileError(FileProblem.EMPTY, name=name)
    return data


def _read(reader: Reader, data: bytes, name: str, limits: Limits, report: ShareReport | None) -> Content:
    """Run a reader and turn every error of its parser into a `DocumentError`.

    A damaged file can cause any exception in a parser. Errors that `report` raises propagate unchanged.
    """
    report_errors: list[Exception] = []

    def guarded_report(share: float) -> None:
        try:
            if report:
                report(share)
        except Exception as error:
            report_errors.append(error)
            raise

    try:
        return reader(data, name, limits, guarded_report)
    except Exception as error:
        # No memory is the reader's problem, not damage: `rag.reading.processes` reports it.
        if isinstance(error, (DocumentError, MemoryError)) or error in report_errors:
            raise
        if isinstance(error, RecursionError):
            raise DocumentError(
                f"The content of “{name}” is nested too deeply.", "Simplify its structure, or save it as plain text."
            ) from error
        raise FileError(FileProblem.DAMAGED, name=name, reason=type(error).__name__) from error
