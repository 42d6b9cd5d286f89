"""Small files that make a reader use much memory or time, and functions that behave like a reader out of control."""

from __future__ import annotations

import io
import os
import signal
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.rag import make_documents as make

TEXT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def pdf_of_objects(objects: Sequence[bytes]) -> bytes:
    """Return a PDF with these objects, numbered from 1; the first one is the catalogue."""
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), entries, content)


def flate(content: bytes, entries: bytes = b"") -> bytes:
    return stream(zlib.compress(content, 9), b"/Filter/FlateDecode" + entries)


def one_page(contents: bytes, resources: bytes, *more: bytes) -> bytes:
    """Return a PDF with one page; `more` are the objects from number 4 on."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %s/Resources<<%s>>>>" % (contents, resources)
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return pdf_of_objects([b"<</Type/Catalog/Pages 2 0 R>>", pages, page, *more])


def nested_forms(depth: int = 26) -> bytes:
    """Form objects of which each draws the next one twice: 2 ** depth words in 5 kB."""
    forms = []
    for number in range(depth):
        resources = b"/Resources<</XObject<</X %d 0 R>>>>" % (number + 6)
        forms.append(stream(b"/X Do /X Do", b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]" + resources))
    last = stream(b"BT /F 9 Tf 9 9 Td (word) Tj ET", b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]")
    return one_page(b"4 0 R", b"/XObject<</X 5 0 R>>", stream(b"/X Do"), *forms, last)


def repeated_stream(megabytes: int = 480, times: int = 8) -> bytes:
    """A stream that unpacks to a thousand times its size, listed several times as the content of a page."""
    return one_page(b"[" + b"4 0 R " * times + b"]", b"", flate(b" " * megabytes * 1_000_000))


def huge_image(pixels: int = 30_000) -> bytes:
    """A page with an image of 2.7 GB."""
    entries = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB"
    image = flate(bytes(pixels * pixels), entries % (pixels, pixels))
    return one_page(b"4 0 R", b"/XObject<</X 5 0 R>>", stream(b"500 0 0 500 9 9 cm /X Do"), image)
