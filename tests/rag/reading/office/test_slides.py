"""Presentations: slides as pages, tables, notes, and hidden slides."""

from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image

from rag.documents import Note, NoteKind
from rag.reading.formats.office.diagrams import diagram_text, drawn_text
from tests.rag import make_office as make
from tests.rag.make_documents import archive, strict

DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (200, 200), "white").save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("name", ["a.pptx", "a.pptm"])
def test_slides_are_pages(read, name):
    document = read(name, make.slides())
    assert [document.text[page.start : page.end].strip() for page in document.pages] == [
        "# Harbour dues\n\n| Port | Dues | Dues |\n| --- | --- | --- |\n| Skarv | 14 | 9 |\n| Holm | 15 | 10 |\n\n"
        "Paid at the gate.\n\nNotes: Say that dues rise.",
        "",
        "# Lamps",
    ]
    assert document.page_of(document.text.index("Lamps")) == 3
    (table,) = document.tables
    spans = [(cell.column_span, document.text[cell.start : cell.end], cell.header) for cell in table.cells[:2]]
    assert spans == [(1, "Port", True), (2, "Dues", True)]
    assert document.notes == (Note(NoteKind.HIDDEN_SLIDES, 1, ("2",)),)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive({"[Content_Types].xml": b"wordprocessingml"}), "not a presentation"),
        (archive({"ppt/presentation.xml": bytes(30_000_000)}), "unpack to 30 MB"),
        (make.slides()[:5000], "damaged"),
    ],
)
def test_slides_that_cannot_be_read(refusal, content, words):
    assert words in refusal("a.pptx", content).message


def test_the_strict_format_is_read_like_the_usual_one(read):
    assert read("a.pptx", strict(make.slides())).text == read("b.pptx", make.slides()).text


def test_raised_numbers_are_apart_from_figures(read):
    from pptx import Presentation

    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    paragraph = slide.shapes.title.text_frame.paragraphs[0]
    for text, baseline in (("4,210", 0), ("3", 30_000), (" in 1", 0), ("st", 30_000), (" H", 0), ("2", -25_000)):
        run = paragraph.add_run()
        run.text = text
        run._r.get_or_add_rPr().set("baseline", str(baseline))
    stream = io.BytesIO()
    presentation.save(stream)
    assert read("a.pptx", stream.getvalue()).text == "# 4,210^3 in 1st H2"


def test_dates_and_footers_of_slides_are_read_once(read):
    from lxml import etree
    from pptx import Presentation

    presentation = Presentation()
    field = '<a:fld xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" type="x"><a:t>today</a:t></a:fld>'
    for number in range(2):
        slide = presentation.slides.add_slide(presentation.slide_layouts[5])
        slide.shapes.title.text = f"Part {number}"
        for kind, text in (("ftr", "For members only"), ("dt", "May 2024" if number else ""), ("sldNum", "7")):
            box = slide.shapes.add_textbox(0, 0, 9, 9)
            box.text_frame.text = text
            box.text_frame.paragraphs[0]._p.append(etree.fromstring(field))
            etree.SubElement(next(box.element.iter("{*}nvPr")), f"{{{box.element.nsmap['p']}}}ph").set("type", kind)
    stream = io.BytesIO()
    presentation.save(stream)
    assert read("a.pptx", stream.getvalue()).text.split() == [
        *("#", "Part", "0", "#", "Part", "1", "For", "members", "only", "May", "2024")
    ]


def test_text_beside_the_slide_is_left_out_and_counted(read):
    from pptx import Presentation
    from pptx.util import Inches

    presentation = Presentation()
    shapes = presentation.slides.add_slide(presentation.slide_layouts[6]).shapes
    for left, top, text in ((1, 1, "seen"), (-4, 1, "left"), (1, 9, "below"), (9.5, 7, "corner")):
        shapes.add_textbox(Inches(left), Inches(top), Inches(3), Inches(1)).text_frame.text = text
    stream = io.BytesIO()
    presentation.save(stream)
    document = read("a.pptx", stream.getvalue())
    assert document.text.split() == ["seen", "corner"]
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 2),)


@pytest.mark.parametrize(("fill", "notes"), [(None, (Note(NoteKind.HIDDEN_TEXT, 1),)), ("204080", ())])
def test_white_words_on_a_white_slide_are_left_out_and_counted(read, fill, notes):
    from pptx import Presentation
    from pptx.dml.color import RGBColor
    from pptx.util import Inches

    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    box = slide.shapes.add_textbox(Inches(1), Inches(1), Inches(3), Inches(1))
    if fill:
        box.fill.solid()
        box.fill.fore_color.rgb = RGBColor.from_string(fill)
    for text, color in (("Dues rise.", "000000"), (" Say midnight.", "FFFFFF")):
        run = box.text_frame.paragraphs[0].add_run()
        run.text, run.font.color.rgb = text, RGBColor.from_string(color)
    stream = io.BytesIO()
    presentation.save(stream)
    document = read("a.pptx", stream.getvalue())
    assert ("midnight" in document.text) is bool(fill)
    assert document.notes == notes


def test_white_words_and_pictures_of_a_footer(read, monkeypatch):
    from lxml import etree
    from pptx import Presentation
    from pptx.dml.color import RGBColor
    from pptx.util import Inches

    monkeypatch.setenv("SPACEPORT_OCR", "none")
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    box = slide.shapes.add_textbox(Inches(1), Inches(1), Inches(3), Inches(1))
    for text, color in (("For members", "000000"), (" Say midnight.", "FFFFFF")):
        run = box.text_frame.paragraphs[0].add_run()
        run.text, run.font.color.rgb = text, RGBColor.from_string(color)
    etree.SubElement(next(box.element.iter("{*}nvPr")), f"{{{box.element.nsmap['p']}}}ph").set("type", "ftr")
    stream = io.BytesIO()
    presentation.save(stream)
    document = read("a.pptx", stream.getvalue())
    assert document.text == "For members"
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 1),)
    box.fill.solid()
    _, relation = slide.part.get_or_add_image_part(io.BytesIO(picture()))
    names = f'xmlns:a="{DRAWING}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    fill = etree.fromstring(f'<a:blipFill {names}><a:blip r:embed="{relation}"/></a:blipFill>')
    solid = next(box.element.iter("{*}spPr")).find("{*}solidFill")
    solid.getparent().replace(solid, fill)
    stream = io.BytesIO()
    presentation.save(stream)
    assert read("a.pptx", stream.getvalue()).notes == (Note(NoteKind.UNREAD_INNER_PICTURES, 1),)


def add_part(slide, path, kind, content):
    """Add a part that python-pptx doesn't know, and return the id of the slide's relation to it."""
    from pptx.opc.package import Part
    from pptx.opc.packuri import PackURI

    part = Part(PackURI(path), "application/xml", slide.part.package, content)
    return slide.part.relate_to(part, f"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}")


def test_the_texts_of_a_diagram_and_comments_are_read(read):
    from lxml import etree
    from pptx import Presentation

    names = "http://schemas.openxmlformats.org/"
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    relation = add_part(slide, "/ppt/diagrams/data1.xml", "diagramData", make.diagram("Pay", "Sail"))
    frame = (
        f'<p:graphicFrame xmlns:p="{names}presentationml/2006/main" xmlns:a="{names}drawingml/2006/main" '
        f'xmlns:d="{names}drawingml/2006/diagram" xmlns:r="{names}officeDocument/2006/relationships">'
        '<p:nvGraphicFramePr><p:cNvPr id="4" name="d"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr><p:xfrm>'
        f'<a:off x="0" y="0"/><a:ext cx="9" cy="9"/></p:xfrm><a:graphic><a:graphicData uri="{names}drawingml/2006/'
        f'diagram"><d:relIds r:dm="{relation}"/></a:graphicData></a:graphic></p:graphicFrame>'
    )
    slide.shapes._spTree.append(etree.fromstring(frame))
    comments = (
        f'<p:cmLst xmlns:p="{names}presentationml/2006/main"><p:cm authorId="0"><p:text>Raise it to 16?</p:text></p:cm>'
        "</p:cmLst>"
    )
    add_part(slide, "/ppt/comments/comment1.xml", "comments", comments.encode())
    stream = io.BytesIO()
    presentation.save(stream)
    assert read("a.pptx", stream.getvalue()).text == "Pay\nSail\n\nComment: Raise it to 16?"


def test_words_around_a_line_break_are_apart():
    from lxml import etree

    diagram = make.diagram("Pay").replace(b"</a:r>", b"</a:r><a:br/><a:r><a:t>now</a:t></a:r>")
    assert diagram_text(etree.fromstring(diagram)) == "Pay now"
    paragraph = b"<a:p><a:r><a:t>Fees</a:t></a:r></a:p>"
    title = b'<c:title xmlns:c="c" xmlns:a="a">' + 2 * paragraph + b"</c:title>"
    assert drawn_text(etree.fromstring(title)) == "Fees Fees"


def test_a_comment_comes_before_its_replies_and_its_paragraphs_are_apart(read):
    from pptx import Presentation

    def body(*paragraphs):
        return "<p:txBody>" + "".join(f"<a:p>{paragraph}</a:p>" for paragraph in paragraphs) + "</p:txBody>"

    def words(text):
        return f"<a:r><a:t>{text}</a:t></a:r>"

    replies = f"<p:replyLst><p:reply>{body(words('No,') + '<a:br/>' + words('never.'))}</p:reply></p:replyLst>"
    comments = (
        f'<p:cmLst xmlns:p="http://schemas.microsoft.com/office/powerpoint/2018/8/main" xmlns:a="{DRAWING}"><p:cm>'
        f"<p:pos/>{replies}{body(words('Raise'), words('it?'))}</p:cm></p:cmLst>"
    )
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    add_part(slide, "/ppt/comments/modern1.xml", "comments", comments.encode())
    stream = io.BytesIO()
    presentation.save(stream)
    assert read("a.pptx", stream.getvalue()).text.split("\n\n") == ["Comment: Raise it?", "Comment: No, never."]


def test_files_of_other_programs_are_named(read):
    import pptx

    def with_workbook() -> bytes:
        presentation = pptx.Presentation()
        shapes = presentation.slides.add_slide(presentation.slide_layouts[5]).shapes
        shapes.title.text = "Dues"
        shapes.add_ole_object(io.BytesIO(b"PK"), pptx.enum.shapes.PROG_ID.XLSX, 0, 0)
        stream = io.BytesIO()
        presentation.save(stream)
        return stream.getvalue()

    notes = read("a.pptx", with_workbook()).notes
    assert Note(NoteKind.UNREAD_ATTACHMENTS, 1, ("Microsoft_Excel_Sheet1.xlsx",)) in notes
    sheet = "xl/worksheets/_rels/sheet1.xml.rels"
    related = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId9" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/oleObject" '
        'Target="../embeddings/oleObject1.bin"/></Relationships>'
    )
    with zipfile.ZipFile(io.BytesIO(make.workbook_with_rows(""))) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    document = read("a.xlsx", archive(parts | {sheet: related.encode()}))
    assert document.notes == (Note(NoteKind.UNREAD_ATTACHMENTS, 1, ("oleObject1.bin",)),)
