"""Values of a PDF's form fields, and texts that were written onto a page."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from typing import Any

from rag.reading.layout.segments import Segment

_HIDDEN_FLAGS = 2 | 32  # hidden, not shown
_LINE = 1.2  # the distance of lines in units of the font size
_DEFAULT_SIZE = 12.0
CHECKED, UNCHECKED = "[x]", "[ ]"


def annotation_segments(page: Any, segments: Sequence[Segment]) -> list[Segment]:
    """Return the values of the page's filled form fields and its free texts, in the place of each.

    The page's document has its form environment if it has a form. The caller holds PDFium's lock.
    """
    from pypdfium2 import raw

    added: list[Segment] = []
    order = len(segments)
    for index in range(raw.FPDFPage_GetAnnotCount(page.raw)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            continue
        try:
            if text := _text(page.formenv, annotation):
                for segment in _segments(text, _place(annotation), segments, order):
                    added.append(segment)
                    order += 1
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    return added


def _text(form: Any, annotation: Any) -> str:
    from pypdfium2 import raw

    if raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN_FLAGS:
        return ""
    kind = raw.FPDFAnnot_GetSubtype(annotation)
    if kind == raw.FPDF_ANNOT_FREETEXT:
        return _string(raw.FPDFAnnot_GetStringValue, annotation, b"Contents")
    if kind == raw.FPDF_ANNOT_WIDGET and form:
        return _field_value(form.raw, annotation)
    return ""


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


def _place(annotation: Any) -> tuple[float, float, float, float]:
    from pypdfium2 import raw

    box = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(annotation, box)
    return min(box.left, box.right), min(box.bottom, box.top), max(box.left, box.right), max(box.bottom, box.top)


def _segments(
    text: str, place: tuple[float, float, float, float], segments: Sequence[Segment], order: int
) -> Iterator[Segment]:
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


def _label(place: tuple[float, float, float, float], segments: Sequence[Segment]) -> Segment | None:
    """Return the nearest text in the same line."""
    left, bottom, _, top = place
    beside = [segment for segment in segments if bottom - 2 < segment.bottom + segment.size / 2 < top + 2]
    return min(beside, key=lambda segment: abs(segment.right - left), default=None)
