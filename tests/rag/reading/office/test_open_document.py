"""ODT documents: headings, lists, tables, notes, changes, hidden text, and page headers."""

from __future__ import annotations

import pytest

from rag.documents import Note, NoteKind
from tests.rag import make_office as make
from tests.rag.make_documents import archive

STYLES = (
    '<style:style style:name="up"><style:text-properties style:text-position="super 58%"/></style:style>'
    '<style:style style:name="gone"><style:text-properties text:display="none"/></style:style>'
)
WIDE, TALL = 'table:number-columns-spanned="2"', 'table:number-rows-spanned="2"'
OASIS = "urn:oasis:names:tc:opendocument:xmlns"


def odt(body: str, parts: dict[str, bytes] | None = None) -> bytes:
    return make.open_document(f"<office:text>{body}</office:text>", STYLES, parts)


def test_text_is_as_its_reader_sees_it(read):
    body = (
        "<text:tracked-changes><text:deletion><text:p>old</text:p></text:deletion></text:tracked-changes>"
        '<text:h text:outline-level="2">Dues</text:h><text:list><text:list-item><text:p>one</text:p></text:list-item>'
        "</text:list><text:p>a<text:s text:c='3'/>b<text:tab/>c<text:line-break/>d"
        "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>In winter 9.</text:p>"
        '</text:note-body></text:note></text:p><text:p>10<text:span text:style-name="up">6</text:span> seen '
        '<text:span text:style-name="gone">secret</text:span></text:p>'
        "<text:p>box<draw:frame><draw:text-box><text:p>4711</text:p></draw:text-box></draw:frame></text:p>"
    )
    document = read("a.odt", odt(body))
    assert document.text.split("\n\n") == [
        *("## Dues", "* one", "a   b\tc\nd[1]", "10^6 seen ", "box", "4711", "[1] In winter 9."),
    ]
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 1),)


def test_white_words_are_left_out_unless_they_have_a_background(read):
    def style(name: str, properties: str) -> str:
        return (
            f'<style:style style:name="{name}" style:family="text"><style:text-properties {properties}/></style:style>'
        )

    styles = style("w", 'fo:color="#ffffff"') + style("b", 'fo:color="#ffffff" fo:background-color="#000080"')
    spans = "".join(f'<text:span text:style-name="{name}">{name}</text:span> ' for name in "wb")
    document = read("a.odt", make.open_document(f"<office:text><text:p>Text {spans}</text:p></office:text>", styles))
    assert document.text.split() == ["Text", "b"]
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 1),)


def test_tables_keep_their_columns(read):
    def cell(text: str, attributes: str = "") -> str:
        return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"

    inner = f"<table:table><table:table-row>{cell('in')}{cell('side')}</table:table-row></table:table>"
    covered = "<table:covered-table-cell/>"
    head = f"<table:table-header-rows><table:table-row>{cell('Port')}{cell('Dues', WIDE)}"
    rows = (
        f"{head}{covered}</table:table-row></table:table-header-rows>"
        f"<table:table-row>{cell('Skarv', TALL)}{cell('14')}{cell('9')}</table:table-row>"
        f"<table:table-row>{covered}{cell('15')}<table:table-cell><text:p>a | b</text:p>{inner}</table:table-cell>"
        "</table:table-row>"
    )
    document = read("a.odt", odt(f"<table:table>{rows}</table:table>"))
    assert document.text == (
        "| Port | Dues | Dues |\n| --- | --- | --- |\n| Skarv | 14 | 9 |\n| Skarv | 15 | a \\| b in, side |"
    )
    table, inner_table = document.tables
    assert [cell.header for cell in table.cells[:3]] == [True, True, False]
    assert document.text[inner_table.start : inner_table.end] == "in, side"


def test_page_headers_come_first_and_footers_last(read):
    pages = "".join(
        f"<style:{kind}><text:p>{text}</text:p></style:{kind}>"
        for kind, text in (("header", "Contract 7"), ("header-first", "Contract 7"), ("footer", "Until May"))
    )
    names = f'xmlns:style="{OASIS}:style:1.0" xmlns:text="{OASIS}:text:1.0"'
    styles = f"<x {names}>{pages}</x>".encode()
    assert read("a.odt", odt("<text:p>text</text:p>", parts={"styles.xml": styles})).text.split() == [
        *("Contract", "7", "text", "Until", "May")
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive({"content.xml": bytes(30_000_000)}), "unpack to 30 MB"),
        (archive({"content.xml": b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"}), "document type"),
        (odt("")[:200], "damaged"),
        (odt(""), "no text"),
    ],
)
def test_documents_that_cannot_be_read(refusal, content, words):
    assert words in refusal("a.odt", content).message


SHOWN, SEVENTH = 'text:display-levels="2"', 'text:start-value="7"'


def level(number, number_format, more=""):
    return (
        f'<text:list-level-style-number text:level="{number}" style:num-format="{number_format}" '
        f'style:num-suffix="." {more}/>'
    )


def test_numbered_lists_and_headings_have_their_numbers(read):
    def item(text, inner="", more=""):
        return f"<text:list-item {more}><text:p>{text}</text:p>{inner}</text:list-item>"

    styles = (
        f'<text:list-style style:name="N">{level(1, 1)}{level(2, 1, SHOWN)}</text:list-style>'
        '<text:list-style style:name="B"><text:list-level-style-bullet text:level="1"/></text:list-style>'
        '<text:outline-style><text:outline-level-style text:level="1" style:num-format="I" style:num-suffix="."/>'
        "</text:outline-style>"
    )

    def numbered(items, style="N", more=""):
        return f'<text:list text:style-name="{style}" {more}>{items}</text:list>'

    def heading(text):
        return f'<text:h text:outline-level="1">{text}</text:h>'

    inner = f"<text:list>{item('Dues')}{item('Late payment')}</text:list>"
    parts = [
        heading("Terms") + numbered(item("Boat") + item("Fees", inner)) + "<text:p>See 2.2.</text:p>",
        numbered(item("Crew"), more='text:continue-numbering="true"') + numbered(item("Second", more=SEVENTH)),
        numbered(item("dot"), "B") + heading("End"),
    ]
    body = f"<office:text>{''.join(parts)}</office:text>"
    assert read("a.odt", make.open_document(body, styles)).text.split("\n\n") == [
        *("# I. Terms", "1. Boat", "2. Fees", "2.1. Dues", "2.2. Late payment", "See 2.2."),
        *("3. Crew", "7. Second", "* dot", "# II. End"),
    ]


BULLETS = '<text:list-level-style-bullet text:level="1"/>'
OUTLINE = (
    '<text:outline-style><text:outline-level-style text:level="1" style:num-format="1" style:num-suffix="." '
    'text:start-value="3"/></text:outline-style>'
)
LISTS = (
    f'<text:list-style style:name="N">{level(1, 1)}{level(2, 1, SHOWN)}</text:list-style>'
    f'<text:list-style style:name="L">{level(1, "A")}{level(2, "a")}</text:list-style>'
    f'<text:list-style style:name="B">{BULLETS}{level(2, 1)}</text:list-style>{OUTLINE}'
)


def items(*contents, style="", more=""):
    """Return a list; a text is an item's paragraph, and XML is an item's content."""
    named = f'text:style-name="{style}"' if style else ""
    inside = "".join(
        f"<text:list-item>{content if content[0] == '<' else f'<text:p>{content}</text:p>'}</text:list-item>"
        for content in contents
    )
    return f"<text:list {named} {more}>{inside}</text:list>"


def item(text, inner):
    return f"<text:p>{text}</text:p>{inner}"


def blocks(read, body):
    return read("a.odt", make.open_document(f"<office:text>{body}</office:text>", LISTS)).text.split("\n\n")


GOES_ON = 'text:continue-numbering="true"'


def test_an_inner_list_goes_on_behind_a_paragraph(read):
    first = items(item("One", items("sub")), style="N")
    resumed = items(items("sub2"), style="N", more=GOES_ON)
    last = items("Two", style="N", more=GOES_ON)
    assert blocks(read, f"{first}<text:p>text</text:p>{resumed}{last}") == [
        *("1. One", "1.1. sub", "text", "1.2. sub2", "2. Two")
    ]


def test_comments_in_the_xml_are_no_part_of_the_document(read):
    styles = LISTS.replace("><text:", "><!-- main --><text:") + STYLES.replace("><style:", "><!-- up --><style:")
    body = f"<office:text>{items('Skarv<!-- pier -->, north', style='N')}</office:text>"
    assert read("a.odt", make.open_document(body, styles)).text == "1. Skarv, north"


def test_an_inner_list_can_come_first(read):
    assert blocks(read, items(items("sub", "sub2"), "Two", style="N")) == ["1.1. sub", "1.2. sub2", "2. Two"]


@pytest.mark.parametrize(("outer", "labels"), [("N", ("1. ", "2. ")), ("B", ("* ", "* "))])
def test_inner_lists_with_a_style_of_their_own_start_again(read, outer, labels):
    inner = items("x", "y", style="L")
    assert blocks(read, items(item("One", inner), item("Two", inner), style=outer)) == [
        *(f"{labels[0]}One", "a. x", "b. y", f"{labels[1]}Two", "a. x", "b. y")
    ]


def test_numbers_below_a_bullet_start_again(read):
    inner = items("x", "y")
    assert blocks(read, items(item("One", inner), item("Two", inner), style="B")) == [
        *("* One", "1. x", "2. y", "* Two", "1. x", "2. y")
    ]


def test_headings_can_start_again_and_have_no_number(read):
    headings = ("", "", 'text:is-list-header="true"', 'text:restart-numbering="true"', SEVENTH, "")
    body = "".join(f'<text:h text:outline-level="1" {more}>H</text:h>' for more in headings)
    assert blocks(read, body) == ["# 3. H", "# 4. H", "# H", "# 3. H", "# 7. H", "# 8. H"]
