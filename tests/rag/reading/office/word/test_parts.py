"""Word files whose parts have other names, whose notes need the same changes as the text, and that lack a picture."""

from __future__ import annotations

import pytest

from rag.documents import Note, NoteKind
from tests.rag import make_documents as make

RUN = "<w:r><w:t>{}</w:t></w:r>"
HIDDEN = "<w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r>"
RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PICTURE = (
    f'<w:r><w:drawing><wp:inline xmlns:wp="{make.WORD_NAMESPACE}/x" xmlns:r="{RELATIONSHIPS}"><a:graphic xmlns:a='
    '"http://schemas.openxmlformats.org/drawingml/2006/main"><a:graphicData><pic:pic xmlns:pic="http://schemas.'
    'openxmlformats.org/drawingml/2006/picture"><pic:blipFill><a:blip {}/></pic:blipFill></pic:pic></a:graphicData>'
    "</a:graphic></wp:inline></w:drawing></w:r>"
).replace(f"{make.WORD_NAMESPACE}/x", "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing")


def relations(*entries: tuple[str, str, str, str]) -> bytes:
    found = "".join(
        f'<Relationship Id="{name}" Type="{RELATIONSHIPS}/{kind}" Target="{target}" {mode}/>'
        for name, kind, target, mode in entries
    )
    namespace = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{namespace}">{found}</Relationships>'.encode()


def part(element: str, body: str) -> bytes:
    return f'<w:{element} xmlns:w="{make.WORD_NAMESPACE}">{body}</w:{element}>'.encode()


def test_a_file_of_word_on_the_web_is_read_like_others(read):
    moved = f"<w:p>{RUN.format('Term: ')}<w:moveTo>{RUN.format('two years')}</w:moveTo>{HIDDEN}</w:p>"
    parts = {
        "[Content_Types].xml": make.CONTENT_TYPES.encode(),
        "_rels/.rels": relations(("rId1", "officeDocument", "word/document2.xml", "")),
        "word/document2.xml": part("document", f"<w:body>{moved}</w:body>"),
        "word/header1.xml": part("hdr", f"<w:p>{RUN.format('Contract 7')}</w:p>"),
    }
    document = read("a.docx", make.archive(parts))
    assert document.text == "Contract 7\n\nTerm: two years"
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 1),)


@pytest.mark.parametrize(
    ("attribute", "relation"),
    [
        ('r:embed="rId9"', ("rId9", "image", "https://example.com/a.png", 'TargetMode="External"')),
        ('r:embed="rId9"', ("rId9", "image", "media/lost.png", "")),
        ('r:link="rId9"', ("rId9", "image", "file:///C:/a.png", 'TargetMode="External"')),
        ('r:embed=""', ("rId9", "image", "media/lost.png", "")),
    ],
    ids=["elsewhere", "lost", "linked", "without a name"],
)
def test_a_picture_that_is_not_in_the_file_is_noted(read, attribute, relation):
    body = f"<w:p>{RUN.format('before')}{PICTURE.format(attribute)}{RUN.format(' after')}</w:p>"
    document = read("a.docx", make.packed_docx(body, extra={"word/_rels/document.xml.rels": relations(relation)}))
    assert document.text == "before after"
    assert document.notes == (Note(NoteKind.UNREAD_INNER_PICTURES, 1),)


def test_a_style_without_a_name_changes_no_other_text(read):
    tiny = '<w:style><w:rPr><w:sz w:val="2"/></w:rPr><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>'
    styles = part("styles", f'{tiny}<w:style w:type="paragraph" w:styleId="Normal"/>')
    body = f'<w:p><w:pPr><w:pStyle w:val="Normal"/></w:pPr>{RUN.format("The fee is 14.")}</w:p>'
    document = read("a.docx", make.packed_docx(body, extra={"word/styles.xml": styles}))
    assert document.text == "The fee is 14."
    assert not document.notes


def test_notes_are_changed_like_the_text(read):
    body = f'<w:p>{RUN.format("The fee is 14.")}<w:r><w:footnoteReference w:id="1"/></w:r></w:p>'
    moved = f"<w:moveTo>{RUN.format('In May.')}</w:moveTo><w:dir>{RUN.format(' From June on 16.')}</w:dir>{HIDDEN}"
    notes = part("footnotes", f'<w:footnote w:id="1"><w:p>{moved}</w:p></w:footnote>')
    document = read("a.docx", make.packed_docx(body, extra={"word/footnotes.xml": notes}))
    assert "In May. From June on 16." in document.text
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 1),)


def test_a_file_of_another_program_is_named(read):
    shown = '<w:p><w:r><w:object><o:OLEObject xmlns:o="urn:o" xmlns:r="urn:r" r:id="rId9"/></w:object></w:r></w:p>'
    related = relations(("rId9", "package", "embeddings/Fees.xlsx", ""))
    extra = {"word/_rels/document.xml.rels": related, "word/embeddings/Fees.xlsx": b"PK"}
    document = read("a.docx", make.packed_docx(f"<w:p>{RUN.format('See:')}</w:p>{shown}", extra=extra))
    assert document.text == "See:"
    assert document.notes == (Note(NoteKind.UNREAD_ATTACHMENTS, 1, ("Fees.xlsx",)),)
