"""What belongs to the sheets of an XLS workbook beside their cells: comments, text boxes, titles of charts, pictures.

xlrd leaves these out. They are records of the workbook's stream, each with a type and a length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from rag.reading.formats.office.sheets.extras import printed_text
from rag.reading.markdown.content_writer import ContentWriter
from rag.reading.ocr.inner_pictures import InnerPictures

_OLDEST = 80  # the version of Excel 97; the records of older ones are others
_BEGIN, _END, _CONTINUED = 0x809, 0x0A, 0x3C
_HEADER, _FOOTER, _OBJECT, _TEXT, _CHART_TEXT, _DRAWINGS = 0x14, 0x15, 0x5D, 0x1B6, 0x100D, 0xEB
_SHAPES = 0xEC  # of a sheet
_COMMENT = 0x19  # the kind of object that has a comment
_CONTAINERS, _PICTURE_ENTRY, _PICTURES = (0xF000, 0xF001), 0xF007, range(0xF01A, 0xF02A)
_MAX_DEPTH = 50  # groups of shapes can be in groups
_ENTRY_HEAD = 36  # bytes of a picture's entry before the picture
_BITMAPS, _BITMAP_HEAD = (0xF01D, 0xF01E, 0xF01F, 0xF029), 17  # JPEG, PNG, DIB, TIFF, and bytes before the picture
# A shape has properties of six bytes: a number and a value. Two of them say which picture it has, or is filled with.
_SHAPE_CONTAINERS, _PROPERTIES, _PICTURE_NUMBERS = (0xF002, 0xF003, 0xF004), 0xF00B, (0x104, 0x186)
_Record = tuple[int, memoryview]


def add_extras(writer: ContentWriter, workbook: Any, number: int) -> None:
    """Add the comments, text boxes, titles of charts and printed lines of a sheet of an xlrd workbook."""
    from openpyxl.utils import get_column_letter

    if workbook.biff_version < _OLDEST:
        return
    for (row, column), note in sorted(workbook.sheet_by_index(number).cell_note_map.items()):
        text = " ".join(note.text.split())
        writer.add_block(f"Comment on {get_column_letter(column + 1)}{row + 1}: {text}" if text else "")
    texts, printed = dict[str, None](), dict[str, None]()
    for kind, text in _texts(list(_substream(workbook, workbook._sh_abs_posn[number]))):
        if kind in (_HEADER, _FOOTER):
            printed[printed_text(text)] = None
        else:
            lines = "\n".join(filter(None, (" ".join(line.split()) for line in text.splitlines())))
            texts[f"Chart: {lines}" if kind == _CHART_TEXT and lines else lines] = None
    for text in (*texts, *printed):
        writer.add_block(text)


def add_pictures(pictures: InnerPictures, workbook: Any) -> None:
    """Add the pictures of an xlrd workbook, which are stored before its sheets, but not those of hidden sheets."""
    if workbook.biff_version < _OLDEST:
        return
    left_out = _hidden_pictures(workbook)
    for number, picture in enumerate(_pictures(_drawings(workbook, workbook.base, _DRAWINGS)), 1):
        if picture and number not in left_out:
            pictures.add(picture)


def _hidden_pictures(workbook: Any) -> set[int]:
    """Return the numbers, from 1, of the pictures that are only on hidden sheets."""
    is_hidden = [bool(sheet.visibility) for sheet in workbook.sheets()]
    numbers: dict[bool, set[int]] = {False: set(), True: set()}
    for hidden, start in zip(is_hidden, workbook._sh_abs_posn, strict=False) if any(is_hidden) else ():
        numbers[hidden].update(_picture_numbers(_drawings(workbook, start, _SHAPES)))
    return numbers[True] - numbers[False]


def _drawings(workbook: Any, start: int, wanted: int) -> memoryview:
    """Return the drawings in the records of a kind, and in those that continue them."""
    parts: list[memoryview] = []
    is_drawing = False
    for kind, content in _substream(workbook, start):
        is_drawing = kind == wanted or (is_drawing and kind == _CONTINUED)
        if is_drawing:
            parts.append(content)
    return memoryview(b"".join(parts))


def _substream(workbook: Any, start: int) -> Iterator[_Record]:
    """Yield the records of a sheet, or of what is before all sheets, with those of the charts inside of it."""
    stream, depth = memoryview(workbook.mem), 0
    end = min(len(stream), workbook.base + workbook.stream_len)
    while start + 4 <= end:
        kind, length = struct.unpack_from("<HH", stream, start)
        yield kind, stream[start + 4 : min(start + 4 + length, end)]
        depth += (kind == _BEGIN) - (kind == _END)
        if depth <= 0:
            return
        start += 4 + length


def _texts(records: list[_Record]) -> Iterator[tuple[int, str]]:
    """Yield the texts of a sheet with the kind of their record."""
    object_kind = 0
    for place, (kind, content) in enumerate(records):
        if kind == _OBJECT and len(content) >= 6:
            object_kind = struct.unpack_from("<H", content, 4)[0]
        elif kind == _TEXT and len(content) >= 12 and object_kind != _COMMENT:
            length = struct.unpack_from("<H", content, 10)[0]
            yield kind, _continued_text(records, place + 1, length)
        elif kind in (_HEADER, _FOOTER) and len(content) > 3:
            yield kind, _decoded(content[2:])
        elif kind == _CHART_TEXT and len(content) > 4:
            yield kind, _decoded(content[3:])


def _continued_text(records: list[_Record], place: int, length: int) -> str:
    """Return a text of some characters, in the records that continue its own."""
    text = ""
    while len(text) < length and place < len(records) and records[place][0] == _CONTINUED:
        text += _decoded(records[place][1])
        place += 1
    return text[:length]


def _decoded(content: memoryview) -> str:
    """Return a text after the byte that says whether its characters have one byte or two."""
    has_two = bool(content[0] & 1) if len(content) else False
    return bytes(content[1:]).decode("utf-16-le" if has_two else "latin-1", "replace")


def _parts(drawings: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Yield the instance, the kind and the content of each part of drawings."""
    place = 0
    while place + 8 <= len(drawings):
        instance, kind, length = struct.unpack_from("<HHI", drawings, place)
        yield instance >> 4, kind, drawings[place + 8 : place + 8 + length]
        place += 8 + length


def _pictures(drawings: memoryview, depth: int = 0) -> Iterator[bytes]:
    """Yield the pictures in the drawings of a workbook in their order, b"" for one that is missing.

    One of an unknown kind has what is before its bytes.
    """
    for instance, kind, content in _parts(drawings) if depth < _MAX_DEPTH else ():
        if kind in _CONTAINERS:
            yield from _pictures(content, depth + 1)
        elif kind == _PICTURE_ENTRY:
            start = _ENTRY_HEAD + content[_ENTRY_HEAD - 3] if len(content) > _ENTRY_HEAD else len(content)
            yield next(_pictures(content[start:], depth + 1), b"")
        elif kind in _PICTURES:
            # An odd instance says that there is a second checksum.
            head = _BITMAP_HEAD + 16 * (instance & 1) if kind in _BITMAPS else 0
            yield bytes(content[head:])


def _picture_numbers(shapes: memoryview, depth: int = 0) -> Iterator[int]:
    """Yield the numbers of the pictures that the shapes of a sheet have."""
    for instance, kind, content in _parts(shapes) if depth < _MAX_DEPTH else ():
        if kind in _SHAPE_CONTAINERS:
            yield from _picture_numbers(content, depth + 1)
        elif kind == _PROPERTIES:
            for place in range(0, min(6 * instance, len(content) - 5), 6):
                name, value = struct.unpack_from("<HI", content, place)
                if name & 0x3FFF in _PICTURE_NUMBERS:
                    yield value
