"""Files inside of a PDF: they are named, because they aren't read."""

from __future__ import annotations

import io

from pypdf import PdfReader, PdfWriter
from pypdf.annotations import MarkupAnnotation
from pypdf.generic import ArrayObject, DictionaryObject, FloatObject, NameObject, StreamObject, TextStringObject

from rag.documents import Note, NoteKind
from tests.rag import make_documents as make


class FileOnPage(MarkupAnnotation):
    """The mark of a file that is attached at a place of a page."""

    def __init__(self, name: str) -> None:
        super().__init__()
        stream = StreamObject()
        stream.set_data(b"Port;Fee")
        names = {NameObject("/Type"): NameObject("/Filespec"), NameObject("/F"): TextStringObject(name)}
        names |= {NameObject("/UF"): TextStringObject(name)}
        names[NameObject("/EF")] = DictionaryObject({NameObject("/F"): stream})
        self[NameObject("/Subtype")] = NameObject("/FileAttachment")
        self[NameObject("/Rect")] = ArrayObject(map(FloatObject, (300, 750, 320, 770)))
        self[NameObject("/FS")] = DictionaryObject(names)


def test_attached_files_are_named(read):
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make.pdf("The fee is 14.", "Last page"))))
    writer.add_attachment("factur-x.xml", b"<invoice/>")
    stream = io.BytesIO()
    writer.write(stream)
    content = make.with_annotations(stream.getvalue(), FileOnPage("fees.csv"), page=2)
    document = read("a.pdf", content)
    assert document.text == "The fee is 14.\n\nLast page"
    assert document.notes == (Note(NoteKind.UNREAD_ATTACHMENTS, 2, ("factur-x.xml", "fees.csv")),)
