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
    ]
    assert document.notes == (Note(NoteKind.UNREAD_INNER_PICTURES, 1),)
