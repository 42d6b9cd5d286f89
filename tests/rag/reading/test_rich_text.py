"""RTF documents: characters, hidden text, notes, page headers, and tables."""

from __future__ import annotations

import pytest

from rag.documents import Note, NoteKind


def rich_text(body: str) -> bytes:
    fonts = r"{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fnil\fcharset204 Arial Cyr;}{\f2\fcharset128 MS Gothic;}}"
    return (r"{\rtf1\ansi\ansicpg1252\deff0" + fonts + r"{\*\generator X;}{\info{\title Secret}}" + body + "}").encode()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"M\'fcnchen \u8364? \'93x\'94 \{y\}", "München € “x” {y}"),
        (r"{\f1\'c4\'e0} {\f2\'93\'fa\'96\'7b}", "Да 日本"),
        (r"\uc2\u12354\'82\'a0.\uc1 \u-10179?\u-8704?", "あ.😀"),
        (r"a\tab b\line c\~d\_e\-f\par g", "a\tb\nc d-ef\n\ng"),
        (r"{\field{\*\fldinst HYPERLINK x}{\fldrslt link}} {\pict\wmetafile8 0102} {\*\unknown x}end", "link  end"),
        (r"4,210{\super 3} 10{\super 6} 1{\super st}", "4,210^3 10^6 1st"),
        (r"{\shp{\*\shpinst{\sp{\sn a}{\sv b}}{\shptxt\pard boxed\par}}{\shprslt other}}", "boxed"),
        (r"\bin3 }}}end", "end"),
        (r"end}garbage", "end"),
        ("one\\\ntwo", "one\n\ntwo"),
        (r"\trowd\cellx9\intbl one\cell two\par three", "two\n\nthree\n\none"),
    ],
)
def test_characters(read, body, text):
    assert read("a.rtf", rich_text(body)).text == text


def test_hidden_and_deleted_text_is_left_out(read):
    document = read("a.rtf", rich_text(r"seen {\v hid\b den}\v  more\v0  end {\deleted gone}\plain ."))
    assert document.text == "seen  end ."
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 1),)


def test_white_text_is_left_out_unless_it_has_a_background(read):
    colors = r"{\colortbl;\red0\green0\blue128;\red255\green255\blue255;}"
    body = r"one {\cf2 white} {\cf2\cb1 two} {\cf2\plain three} {\cf1 four}\par"
    document = read("a.rtf", rf"{{\rtf1\ansi{colors}{body}}}")
    assert document.text.split() == ["one", "two", "three", "four"]
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 1),)


def test_headings_notes_headers_and_footers(read):
    body = (
        r"{\header\pard Contract 7\par}{\headerf\pard Contract 7\par}{\footer\pard Until May\par}\pard"
        r"\outlinelevel1 Dues\par\pard A berth costs 14{\super\chftn}{\footnote\pard{\super\chftn} In winter 9.\par}"
        r"{\*\atnid X}{\*\annotation\pard why?\par}."
    )
    assert read("a.rtf", rich_text(body)).text.split("\n\n") == [
        "Contract 7",
        "## Dues",
        "A berth costs 14[1].",
        "[1] In winter 9.",
        "Comment: why?",
        "Until May",
    ]


def test_tables_keep_their_columns(read):
    body = (
        r"Before\par\trowd\trhdr\cellx2000\cellx4000\cellx6000\pard\intbl Port\cell Summer\cell Winter\cell\row"
        r"\trowd\clvmgf\cellx2000\cellx4010\cellx6000\pard\intbl Skarv\cell 14\par per night\cell\cell\row"
        r"\trowd\clvmrg\cellx2000\cellx6000\pard\intbl\cell 15\cell\row\pard After\par"
    )
    document = read("a.rtf", rich_text(body))
    assert document.text == (
        "Before\n\n| Port | Summer | Winter |\n| --- | --- | --- |\n| Skarv | 14 per night |  |\n| Skarv | 15 | 15 |"
        "\n\nAfter"
    )
    (table,) = document.tables
    assert [(cell.row_span, cell.column_span) for cell in table.cells if cell.row] == [(2, 1), (1, 1), (1, 1), (1, 2)]
    assert [cell.header for cell in table.cells[:3]] == [True] * 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"plain text", "isn't a valid .rtf file"),
        (rb"{\rtf1" + b"{" * 5_000, "nested too deeply"),
        (rb"{\rtf1 {\*\x y}}", "no text"),
    ],
)
def test_rich_text_that_cannot_be_read(refusal, content, words):
    assert words in refusal("a.rtf", content).message
