"""Word files as their readers see them: changes, hidden text, numbers of clauses, boxes, headers, and merged cells."""

from __future__ import annotations

import pytest

from rag.documents import Note, NoteKind
from tests.rag import make_documents as make

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
