"""Small files that make a reader use much memory or time, and functions that behave like a reader out of control."""

from __future__ import annotations

import os
import signal
import time
import zlib
from pathlib import Path

from rag.documents import Document, ShareReport
from tests.helpers.pdf_objects import pdf_of_objects, stream
from tests.rag import make_documents as make

FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"


def packed_zeros(megabytes: int, entries: bytes = b"") -> bytes:
    """Return a stream of a thousandth of the size that it unpacks to."""
    packer = zlib.compressobj(9)
    content = b"".join([*(packer.compress(bytes(1_000_000)) for _ in range(megabytes)), packer.flush()])
    return stream(content, b"/Filter/FlateDecode" + entries)


def one_page(contents: bytes, resources: bytes, *more: bytes) -> bytes:
    """Return a PDF with one page; `more` are the objects from number 4 on."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %s/Resources<<%s>>>>" % (contents, resources)
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return pdf_of_objects([b"<</Type/Catalog/Pages 2 0 R>>", pages, page, *more])


def nested_forms(depth: int = 26) -> bytes:
    """Form objects of which each draws the next one twice: 2 ** depth words in 5 kB."""
    forms = [
        stream(b"/X Do /X Do", FORM + b"/Resources<</XObject<</X %d 0 R>>>>" % (number + 6)) for number in range(depth)
    ]
    last = stream(b"BT /F 9 Tf 9 9 Td (word) Tj ET", FORM)
    return one_page(b"4 0 R", b"/XObject<</X 5 0 R>>", stream(b"/X Do"), *forms, last)


def repeated_stream(megabytes: int = 120, times: int = 8) -> bytes:
    """One stream that is listed several times as the content of a page."""
    return one_page(b"[" + b"4 0 R " * times + b"]", b"", packed_zeros(megabytes))


def huge_image(pixels: int = 16_000) -> bytes:
    """A page with an image of 770 MB, most of which is missing."""
    size = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB"
    image = packed_zeros(100, size % (pixels, pixels))
    return one_page(b"4 0 R", b"/XObject<</X 5 0 R>>", stream(b"500 0 0 500 9 9 cm /X Do"), image)


def deep_page_tree(depth: int = 20_000) -> bytes:
    """A tree of pages in which each node has one child."""
    nodes = [b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (number + 3) for number in range(depth)]
    return pdf_of_objects([b"<</Type/Catalog/Pages 2 0 R>>", *nodes, b"<</Type/Page/MediaBox[0 0 9 9]>>"])


def endless_page_tree() -> bytes:
    """A tree of pages whose root is its own child a million times."""
    kids = b"2 0 R " * 1_000
    return pdf_of_objects([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count 1000000>>" % kids])


def many_cells(count: int = 148_000) -> bytes:
    """A Word file of 8 kB with a table of empty cells: 2.8 MB of XML, and half a minute of work."""
    return make.packed_docx("<w:tbl><w:tr>" + "<w:tc><w:p/></w:tc>" * count + "</w:tr></w:tbl>")


def many_parts(count: int = 11_000) -> bytes:
    """A Word file with many empty parts."""
    return make.packed_docx(extra={f"word/{number}.xml": b"" for number in range(count)})


def entities(levels: int = 20) -> bytes:
    """A Word file whose XML entities each contain the previous one ten times."""
    declared = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, levels))
    prefix = f'<!DOCTYPE x [<!ENTITY e0 "lol">{declared}]>'
    return make.packed_docx(make.paragraph(f"&e{levels - 1};"), prefix=prefix)


# Functions for `ReaderPool.run`.


def loop_and_ignore_signals() -> Document:
    """Use the processor for ever, and ignore each signal that can be ignored."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


def sleep(report: ShareReport | None = None) -> Document:
    """Use no processor, report once, and never end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if report:
        report(0.5)
    while True:
        time.sleep(60)


def crash() -> Document:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def fill_memory() -> Document:
    return Document("", "", "", (), str(len(bytearray(4_000_000_000))))


def return_much(megabytes: int) -> Document:
    return Document("", "", "x" * 1_000_000 * megabytes, (), "")


def write_file(path: Path) -> Document:
    path.write_text("A reader writes no files.")
    return Document("", "", "", (), "")


def priority() -> Document:
    return Document("", str(os.getsid(0)), str(os.getpriority(os.PRIO_PROCESS, 0)), (), "")
