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


def with_names(*names: str) -> bytes:
    """Return a PDF with attached files; each name is written as hexadecimal digits."""
    files = [f"<< /Type /Filespec /UF <{name}> /EF << /F 5 0 R >> >>" for name in names]
    places = " ".join(f"(n{number:05}) {number + 6} 0 R" for number in range(len(files)))
    text = "BT /F1 12 Tf 72 700 Td (The fee is 14.) Tj ET"
    return make.pdf_of_objects(
        [
            f"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [{places}] >> >> >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
            f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
            "<< /Length 1 >>\nstream\nx\nendstream",
            *files,
        ]
    )


def test_half_a_character_in_a_name_doesnt_refuse_the_file(read):
    document = read("a.pdf", with_names("FEFF0061D800", "FEFF0062"))
    assert document.text == "The fee is 14."
    assert document.notes == (Note(NoteKind.UNREAD_ATTACHMENTS, 2, ("a\ufffd", "b")),)


def test_long_and_many_names_are_cut(read):
    (note,) = read("a.pdf", with_names(*(f"{number:03}".encode().hex() + "61" * 1_000 for number in range(70)))).notes
    assert (note.count, len(note.places), note.places[-1]) == (70, 51, "…")
    assert {len(name) for name in note.places[:-1]} == {200}
