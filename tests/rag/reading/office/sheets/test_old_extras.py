"""What XLS workbooks have beside their cells."""

from __future__ import annotations

import io
import re
import struct

import pytest
import xlwt
from PIL import Image
from xlwt.CompoundDoc import XlsDoc

from rag.documents import Note, NoteKind

BEGIN, END = 0x809, 0x0A


def record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def drawn(kind: int, content: bytes, instance: int = 0) -> bytes:
    return struct.pack("<HHI", instance << 4, kind, len(content)) + content


def text_box(*parts: str, kind: int = 6) -> bytes:
    """Return a shape and its text, of which each part is a record with characters of one or of two bytes."""
    length = sum(map(len, parts))
    box = record(0x5D, struct.pack("<HHH", 0x15, 0x12, kind) + bytes(16))
    box += record(0x1B6, bytes(10) + struct.pack("<HHH", length, 0, 0))
    for part in parts:
        content = b"\0" + part.encode("latin-1") if part.isascii() else b"\1" + part.encode("utf-16-le")
        box += record(0x3C, content)
    return box


def workbook(sheet: bytes = b"", before: bytes = b"", footer: str = "", hidden: bytes = b"") -> bytes:
    """Return an XLS file of one sheet with these records, others before it, and a hidden sheet with `hidden` ones."""
    book = xlwt.Workbook()
    page = book.add_sheet("Dues")
    page.header_str, page.footer_str = b"", footer.encode()
    for row, values in enumerate((("Port", "Fee"), ("Skarv", 14))):
        for column, value in enumerate(values):
            page.write(row, column, value)
    if hidden:
        book.add_sheet("Drafts").visibility = 1
    stream = bytearray(book.get_biff_data())
    places = [place.start() + 4 for place in re.finditer(b"\x85\0", stream)][: 1 + bool(hidden)]  # where each begins
    starts = [struct.unpack_from("<I", stream, place)[0] for place in places]
    # From the end: before the end of each sheet, and of what is before them.
    stream[-4:-4] = hidden or sheet
    if hidden:
        stream[starts[1] - 4 : starts[1] - 4] = sheet
    stream[starts[0] - 4 : starts[0] - 4] = before
    for number, (place, start) in enumerate(zip(places, starts, strict=True)):
        struct.pack_into("<I", stream, place, start + len(before) + number * len(sheet))
    file = io.BytesIO()
    XlsDoc().save(file, bytes(stream))
    return file.getvalue()


TABLE = "# Dues\n\n| Port | Fee |\n| --- | --- |\n| Skarv | 14 |"


def test_text_boxes_charts_and_printed_lines_are_read(read):
    title = record(0x100D, b"\0\0\x04\0Dues")
    chart = record(BEGIN, b"\0\x06\x20\0" + bytes(12)) + title + record(END)
    hidden = text_box("a comment's own text", kind=0x19)
    sheet = text_box("Paid at ", "the gate €.") + chart + hidden
    document = read("a.xls", workbook(sheet, footer="&LFor members &P&CPage &P of &N"))
    assert document.text.split("\n\n", 2) == [
        *TABLE.split("\n\n", 1),
        "Paid at the gate €.\n\nChart: Dues\n\nFor members",
    ]


def picture(color: str = "white") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (200, 200), color).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(("kind", "instance"), [(0xF01E, 0x6E0), (0xF01E, 0x6E1), (0xF01A, 0x3D4)])
def test_pictures_that_are_not_read_are_counted(read, monkeypatch, kind, instance):
    monkeypatch.setenv("SPACEPORT_OCR", "none")
    checksums = bytes(16 * (1 + (instance & 1)) + 1)
    entry = drawn(0xF007, bytes(36) + drawn(kind, checksums + picture(), instance))
    drawings = drawn(0xF000, drawn(0xF001, entry))
    document = read("a.xls", workbook(before=record(0xEB, drawings[:60]) + record(0x3C, drawings[60:])))
    assert document.text == TABLE
    assert document.notes == (Note(NoteKind.UNREAD_INNER_PICTURES, 1),)


def shape(*numbers: int) -> bytes:
    """Return the record of a shape with these pictures."""
    properties = b"".join(struct.pack("<HI", 0x4104, number) for number in numbers)
    return record(0xEC, drawn(0xF002, drawn(0xF003, drawn(0xF004, drawn(0xF00B, properties, len(numbers))))))


@pytest.mark.parametrize(("shown", "hidden", "count"), [((1,), (2, 3), 1), ((1, 3), (3,), 2), ((), (9,), 2)])
def test_pictures_of_hidden_sheets_are_left_out(read, monkeypatch, shown, hidden, count):
    monkeypatch.setenv("SPACEPORT_OCR", "none")
    pictures = [drawn(0xF01E, bytes(17) + picture(color), 0x6E0) for color in ("white", "red")]
    entries = (drawn(0xF007, bytes(36) + content) for content in (pictures[0], b"", pictures[1]))
    before = record(0xEB, drawn(0xF000, drawn(0xF001, b"".join(entries))))
    document = read("a.xls", workbook(shape(*shown), before, hidden=shape(*hidden)))
    assert document.text == TABLE
    assert {note.kind: note.count for note in document.notes} == {
        NoteKind.HIDDEN_SHEETS: 1,
        NoteKind.UNREAD_INNER_PICTURES: count,
    }


def nested(depth: int) -> bytes:
    drawings = b""
    for _ in range(depth):
        drawings = drawn(0xF000, drawings)
    return drawings


@pytest.mark.parametrize(
    "drawings",
    [
        nested(2_000),
        b"\0",
        drawn(0xF000, drawn(0xF001, drawn(0xF007, bytes(36))))[:-3],
        drawn(0xF007, b"\xff" * 40),
        b"\xff" * 50,
    ],
)
def test_damaged_drawings_dont_refuse_the_cells(read, drawings):
    assert read("a.xls", workbook(before=record(0xEB, drawings))).text == TABLE
