"""E-mail messages: head, body, attachments, and messages inside messages."""

from __future__ import annotations

from email.message import EmailMessage

from rag.documents import Note, NoteKind
from tests.rag import make_documents as make


def message(subject: str, text: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Ada <ada@example.org>"
    mail["Subject"] = subject
    mail.set_content(text)
    return mail


def test_a_message_with_attachments(read):
    mail = message("Häfen und Gebühren", "The fee is 14.")
    mail.add_alternative("<p>The fee is <i>14</i>.</p><p style='display:none'>9</p>", subtype="html")
    mail.add_attachment(b"Port;Fee\nSkarv;14\n", maintype="text", subtype="csv", filename="fees.csv")
    mail.add_attachment(b"\x89PNG\r\n\x1a\n12", maintype="image", subtype="png", filename="logo.png")
    mail.add_attachment(make.docx()[:3000], maintype="application", subtype="x", filename="../a b.docx")
    mail.add_attachment(message("Inner", "It is 15."))
    document = read("a.eml", bytes(mail))
    assert document.text.split("\n\n") == [
        "# Häfen und Gebühren",
        "From: Ada <ada@example.org>",
        "The fee is *14*.",
        "# fees.csv",
        "Port: Skarv; Fee: 14",
        "# Inner",
        "From: Ada <ada@example.org>",
        "It is 15.",
    ]
    (table,) = document.tables
    assert [document.text[cell.start : cell.end] for cell in table.cells] == ["Port", "Fee", "Skarv", "14"]
    assert document.notes == (
        Note(NoteKind.UNREAD_ATTACHMENTS, 2, ("logo.png", "../a b.docx")),
        Note(NoteKind.HIDDEN_TEXT, 1),
    )


def test_bytes_that_no_encoded_word_announces(read):
    head = "Subject: Gebühr\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n".encode()
    assert read("a.eml", head + "14 €".encode("cp1252")).text == "# Gebühr\n\n14 €"


def test_all_names_in_the_head_are_kept(read):
    head = (
        "From: =?utf-8?q?J=C3=B6rg?= <j@port.example>\nTo: Berg, Ann (Oslo); Ben Moe\n"
        'Cc: "Moe, Eva" <e@port.example>,\n f@port.example\nBcc: Ida\nSubject: Fees\n\nIt is 14.'
    )
    assert read("a.eml", head).text.split("\n\n")[1].splitlines() == [
        "From: Jörg <j@port.example>",
        "To: Berg, Ann (Oslo); Ben Moe",
        'Cc: "Moe, Eva" <e@port.example>, f@port.example',
        "Bcc: Ida",
    ]


def test_text_without_a_head_is_no_message(refusal):
    assert "isn't a valid e-mail" in refusal("a.eml", b"just text\n\nand more").message


def test_messages_inside_messages_without_end(read):
    mail = message("0", "the first")
    for number in range(1, 30):
        outer = message(str(number), "text")
        outer.add_attachment(mail)
        mail = outer
    document = read("a.eml", bytes(mail))
    assert "# 24" in document.text
    assert "the first" not in document.text
    assert document.notes == (Note(NoteKind.UNREAD_ATTACHMENTS, 1, ("23",)),)


def parts(kind: str, *content: str) -> str:
    """Return a part of several parts."""
    edge = f"edge-of-{kind}"
    inside = "".join(f"--{edge}\n{each}\n" for each in content)
    return f"Content-Type: multipart/{kind}; boundary={edge}\n\n{inside}--{edge}--\n"


PLAIN, HTML = "Content-Type: text/plain\n\nSee below.\n", "Content-Type: text/html\n\n<p>See below.</p>\n"
FILE = "Content-Type: text/csv; name=fees.csv\nContent-Disposition: inline; filename=fees.csv\n\nPort;Fee\nSkarv;14\n"


def test_attachments_inside_of_an_alternative_are_read(read):
    end = "Content-Type: text/html\n\n<p>Regards, Ada</p>\n"
    document = read("a.eml", "Subject: Fees\n" + parts("alternative", PLAIN, parts("mixed", HTML, FILE, end)))
    assert document.text.split("\n\n") == [
        *("# Fees", "See below.", "# fees.csv", "Port: Skarv; Fee: 14", "Regards, Ada")
    ]


def test_a_text_beside_the_body_is_read_unless_it_repeats_it(read):
    other = "Content-Type: text/plain\n\nThe fee is 14.\n"
    document = read("a.eml", "Subject: Fees\n" + parts("mixed", PLAIN, other, HTML))
    assert document.text.split("\n\n") == ["# Fees", "See below.", "The fee is 14."]


def test_pictures_inside_of_the_body_are_no_attachments(read):
    picture = "Content-Type: image/png\nContent-ID: <a>\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n"
    document = read("a.eml", "Subject: Fees\n" + parts("mixed", parts("related", HTML, picture), FILE))
    assert "# fees.csv" in document.text
    assert not document.notes


def test_the_note_names_only_the_first_attachments(read):
    mail = message("Fees", "It is 14.")
    for number in range(300):
        mail.add_attachment(b"\0" * 9, maintype="application", subtype="x", filename=f"{number}{'a' * 500}.bin")
    (note,) = read("a.eml", bytes(mail)).notes
    assert note.count == 300
    assert len(note.places) == 51
    assert max(map(len, note.places)) == 200


def test_a_message_that_is_nothing_but_a_file_is_named(read):
    head = "From: Ada\nSubject: Fees\nContent-Type: application/pkcs7-mime; name=smime.p7m\n"
    document = read("a.eml", f"{head}Content-Transfer-Encoding: base64\n\nMIIB")
    assert document.text == "# Fees\n\nFrom: Ada"
    assert document.notes == (Note(NoteKind.UNREAD_ATTACHMENTS, 1, ("smime.p7m",)),)
