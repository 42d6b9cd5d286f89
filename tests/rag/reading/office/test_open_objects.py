"""What OpenDocument files have beside their text and cells: formulas, charts, sheets, shapes, printed lines."""

from __future__ import annotations

import pytest

from rag.documents import Note, NoteKind
from tests.rag import make_documents
from tests.rag import make_office as make

OASIS = "urn:oasis:names:tc:opendocument:xmlns"
NAMES = " ".join(f'xmlns:{name}="{OASIS}:{name}:1.0"' for name in ("office", "table", "text", "style", "chart"))
FORMULA = (
    b'<!DOCTYPE math:math PUBLIC "-//OpenOffice.org//DTD" "math.dtd"><math:math xmlns:math="http://www.w3.org/1998/'
    b'Math/MathML"><math:semantics><math:mi>a</math:mi><math:annotation>a^2 + b^2</math:annotation></math:semantics>'
    b"</math:math>"
)


def cell(text: str) -> str:
    return f"<table:table-cell><text:p>{text}</text:p></table:table-cell>"


def row(*texts: str) -> str:
    return f"<table:table-row>{''.join(map(cell, texts))}</table:table-row>"


def placed(number: int) -> str:
    picture = f'<draw:image xlink:href="./ObjectReplacements/Object {number}"/>'
    return f'<draw:frame><draw:object xlink:href="./Object {number}"/>{picture}</draw:frame>'


CHART = (
    f"<office:document-content {NAMES}><chart:chart><chart:title><text:p>Dues</text:p></chart:title></chart:chart>"
    f"<table:table>{row('', '2023')}{row('Skarv', '14')}</table:table></office:document-content>"
).encode()
PARTS = {
    "META-INF/manifest.xml": b'<!DOCTYPE manifest PUBLIC "x" "Manifest.dtd"><manifest/>',
    "Object 1/content.xml": FORMULA,
    "Object 2/content.xml": CHART,
    "ObjectReplacements/Object 1": b"not a picture",
    "ObjectReplacements/Object 2": b"not a picture",
}


def test_formulas_and_charts_of_a_text_are_read(read):
    body = f"<text:p>As {placed(1)} says.</text:p><text:p>See:{placed(2)}</text:p>{placed(1)}"
    document = read("a.odt", make.open_document(f"<office:text>{body}</office:text>", parts=PARTS))
    assert document.text == "As a^2 + b^2 says.\n\nSee:\n\nDues\n\n|  | 2023 |\n| --- | --- |\n| Skarv | 14 |"
    assert len(document.tables) == 1


def test_a_damaged_object_is_noted_as_a_picture(read):
    body = f"<text:p>Text{placed(1)}</text:p>"
    parts = PARTS | {"Object 1/content.xml": b"<math"}
    document = read("a.odt", make.open_document(f"<office:text>{body}</office:text>", parts=parts))
    assert document.text == "Text"
    assert document.notes == (Note(NoteKind.UNREAD_INNER_PICTURES, 1),)


def test_text_of_shapes_is_read_once(read):
    inner = "<draw:text-box><text:p>inner</text:p></draw:text-box>"
    shape = f"<draw:custom-shape><text:p>outer{inner}</text:p></draw:custom-shape>"
    body = f"<text:p>Text{shape}</text:p>"
    assert read("a.odt", make.open_document(f"<office:text>{body}</office:text>")).text == "Text\n\nouter\n\ninner"


def test_a_shape_directly_in_a_text_box_is_read_once(read):
    shape = "<draw:custom-shape><text:p>inner</text:p></draw:custom-shape>"
    box = f"<draw:frame><draw:text-box><text:p>outer</text:p>{shape}</draw:text-box></draw:frame>"
    other = "<draw:custom-shape><text:p>beside</text:p></draw:custom-shape>"
    body = f"<text:p>Text{box}{other}</text:p>"
    document = read("a.odt", make.open_document(f"<office:text>{body}</office:text>"))
    assert document.text == "Text\n\nouter\n\ninner\n\nbeside"


@pytest.mark.parametrize("link", ["", 'xlink:href="."', 'xlink:href="#x"', 'xlink:href="./Object 1/.."'])
def test_a_document_is_no_object_of_its_own(read, link):
    table = f"<table:table>{row('Port', 'Fee')}</table:table>"
    body = f"{table}<text:p>Text<draw:frame><draw:object {link}/></draw:frame></text:p>"
    document = read("a.odt", make.open_document(f"<office:text>{body}</office:text>", parts=PARTS))
    assert document.text == "| Port | Fee |\n| --- | --- |\n\nText"


def test_an_object_inside_of_the_text_itself_is_read(read):
    formula = FORMULA[FORMULA.index(b"<math:math") :].decode()
    body = f"<text:p>As <draw:frame><draw:object>{formula}</draw:object></draw:frame> says.</text:p>"
    document = read("a.odt", make.open_document(f"<office:text>{body}</office:text>"))
    assert document.text == "As a^2 + b^2 says."


def test_the_second_object_of_a_frame_is_left_out(read):
    frame = placed(1).replace("</draw:frame>", '<draw:object xlink:href="./Object 2"/></draw:frame>')
    document = read("a.odt", make.open_document(f"<office:text><text:p>As {frame}</text:p></office:text>", parts=PARTS))
    assert document.text == "As a^2 + b^2"


def test_words_of_a_formula_and_the_description_of_a_chart_stay(read):
    formula = b'<math xmlns="m"><mi>v</mi><mo>=</mo><mtext>depth of water</mtext></math>'
    description = f'<svg:desc xmlns:svg="{OASIS}:svg-compatible:1.0">Dues rise.</svg:desc></draw:frame>'
    chart = placed(2).replace("</draw:frame>", description)
    body = f"<text:p>{placed(1)}</text:p><text:p>{chart}</text:p>"
    parts = PARTS | {"Object 1/content.xml": formula}
    text = read("a.odt", make.open_document(f"<office:text>{body}</office:text>", parts=parts)).text
    assert [block.strip() for block in text.split("\n\n")[:3]] == ["v = depth of water", "Dues rise.", "Dues"]


EMPTY_CELLS = '<table:table-cell table:number-columns-repeated="16382"/>'
HIDDEN = 'table:visibility="collapse"'


def embedded(*sheets: str) -> bytes:
    """Return an embedded workbook; "s" is the style of a hidden sheet and "t" of hidden words."""
    styles = (
        '<style:style style:name="s" style:family="table"><style:table-properties table:display="false"/></style:style>'
        '<style:style style:name="t" style:family="text"><style:text-properties text:display="none"/></style:style>'
    )
    body = f"<office:body><office:spreadsheet>{''.join(sheets)}</office:spreadsheet></office:body>"
    content = f"<office:automatic-styles>{styles}</office:automatic-styles>{body}"
    return f"<office:document-content {NAMES}>{content}</office:document-content>".encode()


def read_embedded(read, *sheets: str):
    parts = PARTS | {"Object 2/content.xml": embedded(*sheets)}
    return read("a.odt", make.open_document(f"<office:text><text:p>{placed(2)}</text:p></office:text>", parts=parts))


def test_an_embedded_sheet_ends_where_its_text_ends(read):
    end = f'<table:table-row table:number-rows-repeated="1048574">{EMPTY_CELLS}</table:table-row>'
    rows = "".join(
        row(*texts).replace("</table:table-row>", f"{EMPTY_CELLS}</table:table-row>")
        for texts in (("Port", "Fee"), ("Skarv", "14"))
    )
    document = read_embedded(read, f"<table:table>{rows}{end}</table:table>")
    assert document.text == "| Port | Fee |\n| --- | --- |\n| Skarv | 14 |"
    covered = "<table:table-row><table:covered-table-cell/></table:table-row>"
    tall = row("Port", "Fee").replace("<table:table-cell", '<table:table-cell table:number-rows-spanned="2"', 1)
    document = read_embedded(read, f"<table:table>{tall}{covered}{row('Skarv', '14')}</table:table>")
    assert "| Skarv | 14 |" in document.text


def test_what_an_embedded_sheet_hides_is_left_out_and_counted(read):
    columns = f'<table:table-column table:number-columns-repeated="2"/><table:table-column {HIDDEN}/>'
    words = row("Holm", 'nine<text:span text:style-name="t"> secret</text:span>', "cost")
    rows = row("Port", "Fee", "Cost") + words + row("hidden", "row").replace("-row>", f"-row {HIDDEN}>", 1)
    sheets = (
        f"<table:table>{columns}{rows}</table:table>",
        f'<table:table table:style-name="s">{row("Old")}</table:table>',
    )
    document = read_embedded(read, *sheets)
    assert document.text == "| Port | Fee |\n| --- | --- |\n| Holm | nine |"
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 4),)


@pytest.mark.parametrize("name", ["a.odt", "a.ods"])
def test_an_encrypted_document_says_so(refusal, name):
    manifest = b"<manifest:encryption-data manifest:checksum='x'/>"
    content = make_documents.archive({"META-INF/manifest.xml": manifest, "content.xml": b"\x00\x01"})
    assert "needs a password" in refusal(name, content).message


def test_sheets_have_their_charts_boxes_pictures_and_printed_lines(read):
    box = "<draw:frame><draw:text-box><text:p>Paid at the gate.</text:p></draw:text-box></draw:frame>"
    picture = '<draw:frame><draw:image xlink:href="Pictures/a.png"/></draw:frame>'
    sheet = f'<table:table table:name="Dues"><table:shapes>{box}{placed(2)}{picture}</table:shapes>{row("Port", "Fee")}'
    printed = (
        "<style:header><text:p><text:sheet-name>???</text:sheet-name></text:p></style:header>"
        "<style:footer><text:p>For members only</text:p><text:p>Page <text:page-number>1</text:page-number></text:p>"
        "<text:p>Q1 <text:page-number>1</text:page-number>/<text:page-count>9</text:page-count></text:p>"
        "</style:footer><style:header-left style:display='false'><text:p>Unused</text:p></style:header-left>"
    )
    styles = f"<office:document-styles {NAMES}>{printed}</office:document-styles>".encode()
    body = f"<office:spreadsheet>{sheet}{row('Skarv', '14')}</table:table></office:spreadsheet>"
    document = read("a.ods", make.open_document(body, parts=PARTS | {"styles.xml": styles}))
    assert document.text.split("\n\n") == [
        "# Dues",
        "| Port | Fee |\n| --- | --- |\n| Skarv | 14 |",
        "Paid at the gate.",
        "Chart: Dues",
        "For members only",
        "Q1",
    ]
    assert document.notes == (Note(NoteKind.UNREAD_INNER_PICTURES, 1),)
