"""Word files as their readers see them: changes, hidden text, numbers of clauses, boxes, headers, and merged cells."""

from __future__ import annotations

import io

import pytest

from rag.documents import Note, NoteKind
from tests.rag import make_documents as make
from tests.rag import make_office
from tests.security.linear_time import assert_linear

RUN = "<w:r><w:t>{}</w:t></w:r>"
NUMBERING = (
    f'<w:numbering xmlns:w="{make.WORD_NAMESPACE}"><w:abstractNum w:abstractNumId="0">'
    + "".join(
        f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for level, (kind, text) in enumerate([("decimal", "%1."), ("decimal", "%1.%2"), ("lowerLetter", "(%3)")])
    )
    + '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
)


def clause(level: int, text: str) -> str:
    properties = f'<w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr></w:pPr>'
    return f"<w:p>{properties}{RUN.format(text)}</w:p>"


def other_part(element: str, text: str) -> bytes:
    link = (
        '<w:hyperlink xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="rId7">'
        f"{RUN.format(text)}</w:hyperlink>"
    )
    return f'<w:{element} xmlns:w="{make.WORD_NAMESPACE}"><w:p>{link}</w:p></w:{element}>'.encode()


def test_changes_are_accepted(read):
    body = (
        f"<w:p>{RUN.format('The fee is ')}<w:del><w:r><w:delText>9</w:delText></w:r></w:del>"
        f"<w:ins>{RUN.format('14')}</w:ins></w:p>"
        f"<w:p>{RUN.format('Term: ')}<w:moveFrom>{RUN.format('old')}</w:moveFrom>"
        f"<w:moveTo>{RUN.format('two years')}</w:moveTo></w:p>"
        "<w:tbl><w:tr><w:tc>" + make.paragraph("Item") + "</w:tc><w:tc>" + make.paragraph("Fee") + "</w:tc></w:tr>"
        "<w:tr><w:trPr><w:del/></w:trPr><w:tc>" + make.paragraph("gone") + "</w:tc></w:tr>"
        "<w:tr><w:tc>" + make.paragraph("Water") + "</w:tc><w:tc>" + make.paragraph("12") + "</w:tc></w:tr></w:tbl>"
    )
    assert read("a.docx", make.packed_docx(body)).text == (
        "The fee is 14\n\nTerm: two years\n\n| Item | Fee |\n| --- | --- |\n| Water | 12 |"
    )


def test_clauses_have_their_numbers(read):
    body = clause(0, "Boat") + clause(0, "Fees") + clause(1, "Dues") + clause(1, "Late") + clause(2, "rain")
    document = read("a.docx", make.packed_docx(body, extra={"word/numbering.xml": NUMBERING.encode()}))
    assert document.text.split("\n\n") == ["1. Boat", "2. Fees", "2.1 Dues", "2.2 Late", "(a) rain"]


def test_hidden_text_is_left_out_and_counted(read):
    hidden = "<w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r>"
    shown = '<w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t> shown</w:t></w:r>'
    document = read("a.docx", make.packed_docx(f"<w:p>{RUN.format('text')}{hidden}{shown}</w:p>"))
    assert document.text == "text shown"
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 1),)


def control(content: str, properties: str = "<w:showingPlcHdr/>") -> str:
    return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"


def prompt(text: str, style: str = "PlaceholderText") -> str:
    return f'<w:r><w:rPr><w:rStyle w:val="{style}"/></w:rPr><w:t>{text}</w:t></w:r>'


def test_prompts_of_fields_that_nobody_filled_in_are_left_out_and_counted(read):
    off = '<w:showingPlcHdr w:val="0"/>'
    cells = control(f"<w:tc><w:p>{prompt('Choose an item.')}</w:p></w:tc>")
    body = (
        f"<w:p>{RUN.format('Name: ')}{control(prompt('Click or tap here to enter text.'))}</w:p>"
        f"<w:p>{RUN.format('Boat: ')}{control(RUN.format('Skarv'), '')}</w:p>"
        f"<w:p>{RUN.format('Pier: ')}{control(prompt('South'), off)}</w:p>"
        f"<w:p>{RUN.format('Date: ')}{control(RUN.format('Click to enter a date.'))}</w:p>"
        f"<w:p>{RUN.format('Crew: ')}{control(prompt('Click here.') + RUN.format('12'))}</w:p>"
        + control(make.paragraph("Write your remarks here."))
        + f"<w:tbl><w:tr><w:tc>{make.paragraph('Lamp')}</w:tc><w:tc>{make.paragraph('Fee')}</w:tc></w:tr>"
        f"<w:tr>{cells}<w:tc>{make.paragraph('14')}</w:tc></w:tr></w:tbl>"
    )
    document = read("a.docx", make.packed_docx(body))
    assert document.text == (
        "Name:\n\nBoat: Skarv\n\nPier: South\n\nDate:\n\nCrew: 12\n\n| Lamp | Fee |\n| --- | --- |\n|  | 14 |"
    )
    assert document.notes == (Note(NoteKind.EMPTY_FIELDS, 5),)


def test_prompts_are_known_by_the_name_of_their_style(read):
    styles = (
        f'<w:styles xmlns:w="{make.WORD_NAMESPACE}"><w:style w:type="character" w:styleId="Platzhaltertext">'
        '<w:name w:val="Placeholder Text"/></w:style></w:styles>'
    )
    content = control(prompt("Klicken Sie hier.", "Platzhaltertext") + RUN.format("Skarv"))
    body = f"<w:p>{RUN.format('Boat: ')}{content}</w:p>"
    document = read("a.docx", make.packed_docx(body, extra={"word/styles.xml": styles.encode()}))
    assert document.text == "Boat: Skarv"


def test_a_text_that_a_program_wrote_without_another_style_is_no_prompt(read):
    glossary = (
        f'<w:glossaryDocument xmlns:w="{make.WORD_NAMESPACE}"><w:docParts><w:docPart><w:docPartPr><w:name w:val="A"/>'
        f"</w:docPartPr><w:docPartBody>{make.paragraph('Enter the fee.')}</w:docPartBody></w:docPart></w:docParts>"
        "</w:glossaryDocument>"
    )
    properties = '<w:placeholder><w:docPart w:val="A"/></w:placeholder><w:showingPlcHdr/>'
    body = "".join(
        f"<w:p>{RUN.format('Fee: ')}{control(RUN.format(text), properties)}</w:p>"
        for text in ("Enter the fee.", "14 crowns")
    )
    document = read("a.docx", make.packed_docx(body, extra={"word/glossary/document.xml": glossary.encode()}))
    assert document.text == "Fee:\n\nFee: 14 crowns"
    assert document.notes == (Note(NoteKind.EMPTY_FIELDS, 1),)


def test_prompts_of_whole_paragraphs_in_headers_are_left_out_and_counted(read):
    blocks = control(make.paragraph("Click to enter a title.")) + control(make.paragraph("Contract 7"), "")
    header = f'<w:hdr xmlns:w="{make.WORD_NAMESPACE}">{blocks}</w:hdr>'
    document = read("a.docx", make.packed_docx(make.paragraph("text"), extra={"word/header1.xml": header.encode()}))
    assert document.text.split() == ["Contract", "7", "text"]
    assert document.notes == (Note(NoteKind.EMPTY_FIELDS, 1),)


def test_clauses_are_numbered_by_their_styles_and_those_that_they_are_based_on(read):
    def level(number: int, kind: str, style: str, text: str) -> str:
        return (
            f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:pStyle w:val="{style}"/>'
            f'<w:lvlText w:val="{text}"/></w:lvl>'
        )

    def style(name: str, content: str) -> str:
        return f'<w:style w:type="paragraph" w:styleId="{name}">{content}</w:style>'

    def numbered(number: int, base: str = "") -> str:
        based = f'<w:basedOn w:val="{base}"/>' if base else ""
        return f'{based}<w:pPr><w:numPr><w:numId w:val="{number}"/></w:numPr></w:pPr>'

    numbering = (
        f'<w:numbering xmlns:w="{make.WORD_NAMESPACE}"><w:abstractNum w:abstractNumId="0"><w:numStyleLink w:val="L"/>'
        '</w:abstractNum><w:abstractNum w:abstractNumId="1"><w:styleLink w:val="L"/>'
        + level(0, "decimal", "Clause", "Article %1")
        + level(1, "lowerLetter", "Part", "(%2)")
        + '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    )
    styles = (
        f'<w:styles xmlns:w="{make.WORD_NAMESPACE}">'
        + style("Clause", numbered(1))
        + style("Part", numbered(1))
        + style("Own", '<w:basedOn w:val="Clause"/>')
        + style("Plain", numbered(0, "Clause"))
        + "</w:styles>"
    )
    body = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="{name}"/></w:pPr>{RUN.format(text)}</w:p>'
        for name, text in [("Clause", "Term"), ("Part", "a year"), ("Part", "rain"), ("Own", "Fees"), ("Plain", "none")]
    )
    extra = {"word/numbering.xml": numbering.encode(), "word/styles.xml": styles.encode()}
    document = read("a.docx", make.packed_docx(body, extra=extra))
    assert document.text.split("\n\n") == ["Article 1 Term", "(a) a year", "(b) rain", "Article 2 Fees", "none"]


def test_headers_footers_comments_and_boxes_are_read(read):
    box = f"<w:p><w:r><w:pict><w:txbxContent>{make.paragraph('in a box')}</w:txbxContent></w:pict></w:r></w:p>"
    comments = (
        f'<w:comments xmlns:w="{make.WORD_NAMESPACE}"><w:comment w:id="0">{make.paragraph("why?")}</w:comment>'
        "</w:comments>"
    )
    extra = {
        "word/header1.xml": other_part("hdr", "Contract 7"),
        "word/header2.xml": other_part("hdr", "Contract 7"),
        "word/footer1.xml": other_part("ftr", "Valid until May"),
        "word/comments.xml": comments.encode(),
    }
    document = read("a.docm", make.packed_docx(make.paragraph("text") + box, extra=extra))
    blocks = [block for block in document.text.split("\n\n") if block]
    assert blocks == ["Contract 7", "text", "in a box", "Comment: why?", "Valid until May"]


@pytest.mark.parametrize("merge", ['<w:vMerge w:val="restart"/>', '<w:gridSpan w:val="1"/><w:vMerge w:val="restart"/>'])
def test_vertical_merges_keep_columns(read, merge):
    def row(*cells: str) -> str:
        return f"<w:tr>{''.join(f'<w:tc>{cell}</w:tc>' for cell in cells)}</w:tr>"

    p = make.paragraph
    table = (
        row(p("Region"), p("Product"), p("Units"))
        + row(f"<w:tcPr>{merge}</w:tcPr>{p('EU')}", p("Cable"), p("12"))
        + row("<w:tcPr><w:vMerge/></w:tcPr><w:p/>", p("Hub"), p("7"))
    )
    document = read("a.docx", make.packed_docx(f"<w:tbl>{table}</w:tbl>"))
    assert document.text.splitlines()[2:] == ["| EU | Cable | 12 |", "| EU | Hub | 7 |"]
    cells = [document.text[cell.start : cell.end] for cell in document.tables[0].cells]
    assert cells == ["Region", "Product", "Units", "EU", "Cable", "12", "Hub", "7"]
    assert [cell.header for cell in document.tables[0].cells] == [True] * 3 + [False] * 5


def test_a_list_starts_again_where_the_author_wants_it(read):
    second = (
        '<w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/>'
        "</w:lvlOverride></w:num>"
    )
    numbering = NUMBERING.replace("</w:numbering>", f"{second}</w:numbering>").encode()
    again = [clause(0, text).replace('numId w:val="1"', 'numId w:val="2"') for text in ("North", "South")]
    content = make.packed_docx(clause(0, "Boat") + "".join(again), extra={"word/numbering.xml": numbering})
    assert read("a.docx", content).text.split("\n\n") == ["1. Boat", "1. North", "2. South"]


def test_levels_that_many_lists_share_are_read_once():
    from lxml import etree

    from rag.reading.formats.office.word.numbers import number_paragraphs

    def number(size):
        levels = "<w:lvl/>" * size
        override = '<w:lvlOverride><w:lvl w:ilvl="1"/></w:lvlOverride>'
        lists = "".join(
            f'<w:num w:numId="{each}"><w:abstractNumId w:val="0"/>{override}</w:num>' for each in range(size)
        )
        numbering = (
            f'<w:numbering xmlns:w="{make.WORD_NAMESPACE}"><w:abstractNum w:abstractNumId="0">{levels}'
            f"</w:abstractNum>{lists}</w:numbering>"
        )
        number_paragraphs(etree.Element("body"), {"word/numbering.xml": numbering.encode()}, "word/numbering.xml", None)

    assert_linear(number, sizes=(200, 2_000))


def test_a_list_can_have_a_level_of_its_own(read):
    own = (
        '<w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="1"><w:lvl w:ilvl="1">'
        '<w:numFmt w:val="upperLetter"/><w:lvlText w:val="%1-%2"/></w:lvl></w:lvlOverride></w:num>'
    )
    numbering = NUMBERING.replace("</w:numbering>", f"{own}</w:numbering>").encode()
    body = clause(0, "Fees") + clause(1, "Dues") + clause(1, "Late").replace('numId w:val="1"', 'numId w:val="2"')
    document = read("a.docx", make.packed_docx(body, extra={"word/numbering.xml": numbering}))
    assert document.text.split("\n\n") == ["1. Fees", "1.1 Dues", "1-B Late"]


@pytest.mark.parametrize("element", ["fldSimple", "customXml", "bdo", "smartTag"])
def test_text_inside_other_elements_is_read(read, element):
    body = f"<w:p>{RUN.format('Version ')}<w:{element}>{RUN.format('7.2')}</w:{element}></w:p>"
    assert read("a.docx", make.packed_docx(body)).text == "Version 7.2"


def test_outline_levels_are_headings(read):
    styles = (
        f'<w:styles xmlns:w="{make.WORD_NAMESPACE}"><w:style w:type="paragraph" w:styleId="Clause"><w:name w:val="C"/>'
        '<w:basedOn w:val="Base"/></w:style><w:style w:type="paragraph" w:styleId="Base"><w:name w:val="B"/><w:pPr>'
        '<w:outlineLvl w:val="0"/></w:pPr></w:style></w:styles>'
    )
    body = (
        f'<w:p><w:pPr><w:pStyle w:val="Clause"/></w:pPr>{RUN.format("Rules")}</w:p>'
        f'<w:p><w:pPr><w:outlineLvl w:val="1"/></w:pPr>{RUN.format("Dues")}</w:p>{make.paragraph("text")}'
    )
    document = read("a.docx", make.packed_docx(body, extra={"word/styles.xml": styles.encode()}))
    assert document.text == "# Rules\n\n## Dues\n\ntext"


def test_text_that_nobody_can_see_is_left_out_and_counted(read):
    white = '<w:r><w:rPr><w:color w:val="FFFFFF"/>{}</w:rPr><w:t>{}</w:t></w:r>'
    tiny = '<w:r><w:rPr><w:sz w:val="2"/></w:rPr><w:t>tiny</w:t></w:r>'
    shaded = white.format('<w:shd w:val="clear" w:fill="000000"/>', " on black")
    row = f"<w:tbl><w:tr><w:tc><w:p>{white.format('', 'Port')}</w:p></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl>"
    document = read(
        "a.docx", make.packed_docx(f"<w:p>{RUN.format('text')}{white.format('', 'x')}{tiny}{shaded}</w:p>{row}")
    )
    assert document.text.split("\n")[0] == "text on black"
    assert "Port" in document.text
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 2),)


def test_raised_numbers_are_apart_from_figures(read):
    raised = '<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>{}</w:t></w:r>'
    body = "".join(
        RUN.format(text) + raised.format(mark) for text, mark in (("4,210", "3"), (" 10", "6"), (" 1", "st"))
    )
    assert read("a.docx", make.packed_docx(f"<w:p>{body}</w:p>")).text == "4,210^3 10^6 1st"


def test_formulas_are_latex(read):
    def math(inner: str) -> str:
        return f'<m:oMath xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math">{inner}</m:oMath>'

    half = "<m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f>"
    unknown = "<m:acc><m:x><m:r><m:t>1</m:t></m:r><m:r><m:t>2</m:t></m:r></m:x></m:acc>"
    body = f"<w:p>{RUN.format('Take ')}{math(half)}{RUN.format(' or ')}{math(unknown)}</w:p>"
    assert read("a.docx", make.packed_docx(body)).text == r"Take $\frac{a}{2}$ or $1 2$"


SAVED_PAGE = (
    b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html; charset=utf-8\n"
    b"Content-Transfer-Encoding: quoted-printable\n\n<p>The f=C3=A9e is 14.</p>\n--b--\n"
)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("a.mht", SAVED_PAGE),
        ("a.htm", "<!doctype html><meta charset=utf-8><p>The fée is 14.".encode()),
        ("a.txt", "The fée is 14.".encode()),
        ("a.rtf", rb"{\rtf1\ansi The f\'e9e is 14.}"),
        ("a.docx", make.packed_docx(make.paragraph("The fée is 14."))),
    ],
)
def test_a_document_inside_a_document_is_read_in_its_place(read, file, content):
    relationships = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId9" '
        f'Type="x" Target="{file}"/></Relationships>'
    )
    chunk = '<w:altChunk xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="rId9"/>'
    extra = {"word/_rels/document.xml.rels": relationships.encode(), f"word/{file}": content}
    body = make.paragraph("before") + chunk + make.paragraph("after \ue0027\ue003")
    assert read("a.docx", make.packed_docx(body, extra=extra)).text.split() == [
        "before",
        "The",
        "fée",
        "is",
        "14.",
        "after",
    ]


def test_strict_word_files_are_read(read):
    strict = "http://purl.oclc.org/ooxml/wordprocessingml/main"
    body = f"<w:p>{RUN.format('text')}<w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r></w:p>"
    document = f'<w:document xmlns:w="{strict}"><w:body>{body}</w:body></w:document>'
    assert read("a.docx", make.packed_docx(extra={"word/document.xml": document.encode()})).text == "text"


def test_chosen_values_and_letters_with_a_reading_are_read(read):
    choices = '<w:ddList><w:result w:val="1"/><w:listEntry w:val="South"/><w:listEntry w:val="North"/></w:ddList>'
    field = (
        f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{choices}</w:ffData></w:fldChar></w:r>'
        '<w:r><w:instrText>FORMDROPDOWN</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    base = "<w:r><w:t>漢</w:t></w:r>"
    ruby = f"<w:r><w:ruby><w:rt><w:r><w:t>かん</w:t></w:r></w:rt><w:rubyBase>{base}</w:rubyBase></w:ruby></w:r>"
    document = read("a.docx", make.packed_docx(f"<w:p>{RUN.format('Pier: ')}{field}</w:p><w:p>{ruby}</w:p>"))
    assert document.text.split() == ["Pier:", "North", "漢"]


def test_tabs_and_line_ends_of_other_kinds_are_spaces(read):
    pieces = "</w:t></w:r><w:r><{}/></w:r><w:r><w:t>"
    body = f"<w:p><w:r><w:t>Skarv{pieces.format('w:ptab')}page{pieces.format('w:cr')}two</w:t></w:r></w:p>"
    assert read("a.docx", make.packed_docx(body)).text.split() == ["Skarv", "page", "two"]


def test_a_row_that_begins_in_a_later_column_keeps_its_columns(read):
    def cells(*texts: str) -> str:
        return "".join(f"<w:tc>{make.paragraph(text)}</w:tc>" for text in texts)

    before = '<w:trPr><w:gridBefore w:val="1"/></w:trPr>'
    rows = f"<w:tr>{cells('Port', 'Summer', 'Winter')}</w:tr><w:tr>{before}{cells('14', '9')}</w:tr>"
    assert "|  | 14 | 9 |" in read("a.docx", make.packed_docx(f"<w:tbl>{rows}</w:tbl>")).text


def test_a_level_can_write_all_numbers_as_figures(read):
    numbering = NUMBERING.replace('"decimal"/><w:lvlText w:val="%1."', '"upperRoman"/><w:lvlText w:val="%1."').replace(
        '<w:lvlText w:val="%1.%2"', '<w:isLgl/><w:lvlText w:val="%1.%2"'
    )
    body = clause(0, "Fees") + clause(1, "Dues")
    document = read("a.docx", make.packed_docx(body, extra={"word/numbering.xml": numbering.encode()}))
    assert document.text.split("\n\n") == ["I. Fees", "1.1 Dues"]


def test_hidden_and_white_styles_hide_their_text_and_that_of_styles_based_on_them(read):
    styles = (
        f'<w:styles xmlns:w="{make.WORD_NAMESPACE}"><w:style w:styleId="a"><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:styleId="b"><w:basedOn w:val="a"/></w:style>'
        '<w:style w:styleId="c"><w:basedOn w:val="b"/><w:rPr><w:vanish w:val="0"/></w:rPr></w:style>'
        '<w:style w:styleId="d"><w:rPr><w:color w:val="FFFFFF"/></w:rPr></w:style>'
        '<w:style w:styleId="e"><w:basedOn w:val="d"/><w:pPr><w:shd w:fill="000080"/></w:pPr></w:style></w:styles>'
    )
    runs = "".join(f'<w:r><w:rPr><w:rStyle w:val="{name}"/></w:rPr><w:t>{name} </w:t></w:r>' for name in "abc")
    paragraphs = "".join(f'<w:p><w:pPr><w:pStyle w:val="{name}"/></w:pPr>{RUN.format(name)}</w:p>' for name in "de")
    document = read(
        "a.docx", make.packed_docx(f"<w:p>{runs}</w:p>{paragraphs}", extra={"word/styles.xml": styles.encode()})
    )
    assert document.text.split() == ["c", "e"]
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 3),)


def test_inner_lists_of_words_own_styles_have_their_own_numbers(read):
    import docx

    document = docx.Document()
    for text, style in (("Fees", ""), ("Boats", " 2"), ("Lamps", " 2"), ("Wages", "")):
        document.add_paragraph(text, style=f"List Number{style}")
    stream = io.BytesIO()
    document.save(stream)
    assert read("a.docx", stream.getvalue()).text.split("\n\n") == ["1. Fees", "1. Boats", "2. Lamps", "2. Wages"]


def test_the_words_of_diagrams_and_of_drawn_letters_are_read(read):
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    diagram = (
        '<w:p><w:r><w:drawing><d:relIds xmlns:d="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
        f'xmlns:r="{office}" r:dm="rId9"/></w:drawing></w:r></w:p>'
    )
    art = (
        '<w:p><w:r><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml"><v:textpath string="Open on 1 May"/>'
        "</v:shape></w:pict></w:r></w:p>"
    )
    relation = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId9" '
        f'Type="{office}/diagramData" Target="diagrams/data1.xml"/></Relationships>'
    )
    extra = {
        "word/_rels/document.xml.rels": relation.encode(),
        "word/diagrams/data1.xml": make_office.diagram("Pay", "Sail"),
    }
    document = read("a.docx", make.packed_docx(art + diagram + make.paragraph("The end."), extra=extra))
    assert document.text == "Open on 1 May\n\nPay\nSail\n\nThe end."
