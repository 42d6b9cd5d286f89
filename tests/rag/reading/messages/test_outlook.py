"""Messages that Outlook saved."""

from __future__ import annotations

import pytest

from rag.documents import NoteKind
from tests.rag.make_messages import compound_file, outlook_message
from tests.rag.make_office import old_workbook

CSV = b"Port;Fee\nSkarv;14\n"
HEAD = "# Gebühren\n\nFrom: Ann <ann@port.example>\nTo: Ben\nDate: Fri, 03 May 2024 10:00:00 +0000\n\n"


def test_the_head_and_the_body_are_read(read):
    assert read("a.msg", outlook_message("Gebühren", "Die Gebühr ist 14 €.\r\nBis bald")).text == (
        HEAD + "Die Gebühr ist 14 €.\nBis bald"
    )


def test_all_names_in_the_head_are_kept(read):
    names = "Berg, Ann (Oslo); Ben Moe; 'Ida'"
    assert f"To: {names}\n" in read("a.msg", outlook_message("Fees", "It is 14.", to=names)).text


def test_the_page_of_a_message_comes_before_its_plain_text(read):
    html = "<p>Die Gebühr ist <b>14 €</b>.</p><p style='display:none'>99</p>"
    document = read("a.msg", outlook_message("Gebühren", "plain", html))
    assert document.text == HEAD + "Die Gebühr ist **14 €**."
    assert [(note.kind, note.count) for note in document.notes] == [(NoteKind.HIDDEN_TEXT, 1)]


def test_attachments_are_read_or_named(read):
    files = {"fees.csv": CSV, "large.txt": b"word " * 2_000, "setup.bin": b"\x00\x01", "Inner message": b""}
    document = read("a.msg", outlook_message("Gebühren", "See below.", attachments=files))
    assert "# fees.csv\n\nPort: Skarv; Fee: 14\n\n# large.txt\n\nword word" in document.text
    assert len(document.tables) == 1
    (note,) = document.notes
    assert (note.kind, note.count, note.places) == (
        NoteKind.UNREAD_ATTACHMENTS,
        2,
        ("setup.bin", "Inner message"),
    )


def test_a_message_of_rich_text_alone_says_that_it_wasnt_read(read):
    (note,) = read("a.msg", outlook_message("Gebühren", rich_text=b"LZFu")).notes
    assert note.places == ("the message's rich text",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"From: a@b.c\n\nx", "isn't a valid .msg file"),
        (old_workbook(), "isn't a valid Outlook message"),
        (compound_file({"x": b"y"}), "isn't a valid Outlook message"),
        (outlook_message("Gebühren", "x" * 5_000)[:1_500], "a.msg"),
    ],
)
def test_other_files_are_refused(refusal, content, words):
    assert words in refusal("a.msg", content).message
