"""Packed parts of a PDF that are damaged."""

from __future__ import annotations

import zlib

import pytest

from rag.documents import Note, NoteKind
from rag.reading.formats.pdf.damage import damaged_parts

LINES = "\n".join(f"BT /F1 12 Tf 72 {740 - 14 * number} Td (Line {number * number}) Tj ET" for number in range(40))
PACKED = zlib.compress(LINES.encode())
MIDDLE = len(PACKED) // 2


def part(content: bytes, more: bytes = b"") -> bytes:
    dictionary = b"<< %s/Length %d /Filter /FlateDecode >>" % (more, len(content))
    return b"4 0 obj\n%s\nstream\n%s\nendstream\nendobj\n" % (dictionary, content)


def pdf(content: bytes) -> bytes:
    """Return a PDF with a page of packed content, whose table of contents PDFium makes by itself."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    objects = (
        b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n",
        b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n",
        b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 "
        + font
        + b" >> >> >>\nendobj\n",
    )
    return b"%PDF-1.4\n" + b"".join(objects) + part(content) + b"trailer\n<< /Root 1 0 R >>\n%%EOF\n"


def test_a_page_that_ends_in_the_middle_is_noted(read):
    assert read("a.pdf", pdf(PACKED)).notes == ()
    document = read("a.pdf", pdf(PACKED[:MIDDLE] + b"U" * 20 + PACKED[MIDDLE + 20 :]))
    assert "Line 1" in document.text
    assert "Line 1521" not in document.text
    assert document.notes == (Note(NoteKind.DAMAGED_PARTS, 1),)


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (part(PACKED), 0),
        (part(PACKED[:-4]), 0),  # without the checksum
        (part(PACKED[:-4] + b"\0\0\0\0"), 0),  # with a wrong one
        (part(b"not packed"), 1),
        (part(b"not packed", b"/Subtype /Image "), 0),
        (part(b"not packed", b"/Encrypt 9 0 R "), 0),
        (part(b"not packed").replace(b"FlateDecode", b"JPXDecode"), 0),
    ],
)
def test_only_what_is_missing_counts(content, count):
    assert damaged_parts(content + part(PACKED)) == count


def test_other_files_that_end_too_early_are_noted(read):
    rich = r"{\rtf1 A berth costs 14 crowns.\par In winter 9.}"
    assert read("a.rtf", rich).notes == ()
    assert read("a.rtf", rich[:-3]).notes == (Note(NoteKind.DAMAGED_PARTS, 1),)
    head = "From: Ada\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nIt is 14.\n"
    assert read("a.eml", f"{head}--b--\n").notes == ()
    assert read("a.eml", head).notes == (Note(NoteKind.DAMAGED_PARTS, 1),)
