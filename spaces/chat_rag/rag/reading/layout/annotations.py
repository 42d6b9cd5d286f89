"""Annotations of a PDF page: values of form fields, texts that were added to it, comments, and what may cover words."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rag.reading.layout.text_lines.segments import Segment
from rag.reading.layout.text_lines.words import Words

Place = tuple[float, float, float, float]  # left, bottom, right and top
_HIDDEN_FLAGS = 2 | 32  # hidden, not shown
_LINE = 1.2  # the distance of lines in units of the font size
_DEFAULT_SIZE = 12.0
CHECKED, UNCHECKED = "[x]", "[ ]"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation that a viewer shows; a comment is beside the page and not on it, and a mark highlights words.

    `file` is the name of the file that is attached to the page there, or "".
    """

    text: str
    place: Place
    is_comment: bool
    is_mark: bool
    may_cover: bool
    file: str = ""


def read_annotations(page: Any) -> list[Annotation]:
    """Return the annotations of a page that have a text or may cover words.

    The page's document has its form environment if it has a form. The caller holds PDFium's lock.
    """
    from pypdfium2 import raw

    found: list[Annotation] = []
    for index in range(raw.FPDFPage_GetAnnotCount(page.raw)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            if kind == raw.FPDF_ANNOT_LINK or raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN_FLAGS:
                continue
            text = _text(page.formenv, annotation, kind)
            may_cover = kind not in (raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_TEXT, raw.FPDF_ANNOT_POPUP)
            if text or may_cover:
                is_comment = kind not in (raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT)
                is_mark = raw.FPDF_ANNOT_HIGHLIGHT <= kind <= raw.FPDF_ANNOT_STRIKEOUT  # or two kinds of underlines
                file = _file_name(annotation) if kind == raw.FPDF_ANNOT_FILEATTACHMENT else ""
                found.append(Annotation(text, _place(annotation), is_comment, is_mark, may_cover, file))
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    return list(dict.fromkeys(found))  # a page can list one a million times


def annotation_segments(annotations: Sequence[Annotation], segments: Sequence[Segment]) -> list[Segment]:
    """Return the values of filled form fields and the free texts, in the place of each."""
    added: list[Segment] = []
    for annotation in annotations:
        if annotation.text and not annotation.is_comment:
            added += _segments(annotation.text, annotation.place, segments, len(segments) + len(added))
    return added


def comment_segments(annotations: Sequence[Annotation], words: Words) -> list[Segment]:
    """Return the comments on a page, without those that only repeat words that they mark."""
    texts: dict[str, None] = {}
    for annotation in annotations:
        text = " ".join(annotation.text.split())
        if annotation.is_comment and text and not (annotation.is_mark and _repeats(text, annotation.place, words)):
            texts[f"Comment: {text}"] = None
    return [Segment(text, [-1] * len(text), 0.0, 0.0, 0.0, 1.0, len(words)) for text in texts]


def _repeats(text: str, place: Place, words: Words) -> bool:
    """Return whether a text is in the words, or some of them, that have their center in a place."""
    left, bottom, right, top = place
    x, y = (words.places[:, :2] + words.places[:, 2:]).T / 2
    inside = (left < x) & (x < right) & (bottom < y) & (y < top)
    spans = zip(words.starts[inside].tolist(), words.ends[inside].tolist(), strict=True)
    marked = " ".join(words.text[start:end] for start, end in spans)
    repeated = _WORD.findall(text)
    return bool(repeated) and f" {' '.join(repeated)} " in f" {' '.join(_WORD.findall(marked))} "


def _text(form: Any, annotation: Any, kind: int) -> str:
    from pypdfium2 import raw

    if kind == raw.FPDF_ANNOT_WIDGET:
        return _field_value(form.raw, annotation) if form else ""
    if kind == raw.FPDF_ANNOT_POPUP or raw.FPDFAnnot_HasKey(annotation, b"StateModel"):  # "accepted" by somebody
        return ""
    return _string(raw.FPDFAnnot_GetStringValue, annotation, b"Contents")


def _file_name(annotation: Any) -> str:
    from pypdfium2 import raw

    attachment = raw.FPDFAnnot_GetFileAttachment(annotation)
    return _string(raw.FPDFAttachment_GetName, attachment) if attachment else ""


def _field_value(form: Any, annotation: Any) -> str:
    from pypdfium2 import raw

    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        return CHECKED if raw.FPDFAnnot_IsChecked(form, annotation) else UNCHECKED
    if kind in (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
        options = range(max(0, raw.FPDFAnnot_GetOptionCount(form, annotation)))
        chosen = [option for option in options if raw.FPDFAnnot_IsOptionSelected(form, annotation, option)]
        labels = [_string(raw.FPDFAnnot_GetOptionLabel, form, annotation, option) for option in chosen]
        return ", ".join(filter(None, labels)) or _string(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
    if kind == raw.FPDF_FORMFIELD_TEXTFIELD and not raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & 1 << 13:
        return _string(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
    return ""


def _string(function: Any, *arguments: Any) -> str:
    """Return a text of PDFium, which first says how many bytes it has."""
    from pypdfium2 import raw

    size = function(*arguments, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    function(*arguments, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", errors="replace").strip()


def _place(annotation: Any) -> Place:
    from pypdfium2 import raw

    box = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(annotation, box)
    return min(box.left, box.right), min(box.bottom, box.top), max(box.left, box.right), max(box.bottom, box.top)


def _segments(text: str, place: Place, segments: Sequence[Segment], order: int) -> Iterator[Segment]:
    """Yield a segment for each line of a value; one line gets the baseline of the label beside it."""
    left, bottom, right, top = place
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    size = min(_DEFAULT_SIZE, max(top - bottom, 1.0))
    first_bottom = top - _LINE * size if len(lines) > 1 else (top + bottom - size) / 2
    if len(lines) == 1 and (label := _label(place, segments)):
        first_bottom, size = label.bottom, label.size
        if label.text.rstrip().endswith(":") and label.right < left + 2:
            left = label.right + size / 4  # beside its label, and no column of its own
    for number, line in enumerate(lines):
        line_bottom = first_bottom - number * _LINE * size
        width = min(right - left, 0.5 * size * len(line))
        yield Segment(line, [-1] * len(line), left, left + width, line_bottom, size, order + number)


def _label(place: Place, segments: Sequence[Segment]) -> Segment | None:
    """Return the nearest text in the same line."""
    left, bottom, _, top = place
    beside = [segment for segment in segments if bottom - 2 < segment.bottom + segment.size / 2 < top + 2]
    return min(beside, key=lambda segment: abs(segment.right - left), default=None)
