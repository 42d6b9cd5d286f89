"""EPUB books: the order of chapters, titles, protected books, and entities."""

from __future__ import annotations

import pytest

from tests.rag import make_office as make
from tests.rag.make_documents import archive

CHAPTERS = {
    "text/one a.xhtml": '<h1>Harbour</h1><p>Dues are 14<a id="p"/>.<a href="two.xhtml#n"><sup>1</sup></a></p>',
    "text/two.xhtml": "<p>The lamp burns 40 litres.</p><p hidden='hidden'>secret</p>",
}


def test_chapters_are_in_the_order_of_the_book(read):
    document = read("a.epub", make.book(CHAPTERS, titles={"text/two.xhtml": "The lamp"}))
    assert document.text.split("\n\n") == [
        "Tern Island",
        "A. Keeper",
        "# Harbour",
        "Dues are 14.[1]",
        "# The lamp",
        "The lamp burns 40 litres.",
    ]
    assert [(note.kind, note.count) for note in document.notes] == [("hidden_text", 1)]


def test_titles_come_from_the_navigation_of_new_books_too(read):
    navigation = '<nav epub:type="toc"><ol><li><a href="text/two.xhtml">The lamp</a></li></ol></nav>'
    book = make.book(CHAPTERS, extra={"OEBPS/nav.xhtml": navigation.encode()})
    assert "# The lamp\n\nThe lamp burns" in read("a.epub", book).text


def test_the_parts_that_macos_adds_are_ignored(read):
    assert "Harbour" in read("a.epub", make.book(CHAPTERS, extra={"__MACOSX/OEBPS/._toc.ncx": b"\0\5"})).text


def test_entities_of_a_chapter_are_not_expanded(read):
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    declaration = f'<!DOCTYPE html [<!ENTITY e0 "lol">{levels}]>'
    text = read("a.epub", make.book({"a.xhtml": "<p>&e9; end</p>"}, declaration=declaration)).text
    assert "lol" not in text
    assert len(text) < 200


def encrypted(uri: str) -> dict[str, bytes]:
    return {"META-INF/encryption.xml": f'<encryption><a><CipherReference URI="{uri}"/></a></encryption>'.encode()}


def test_a_book_with_an_encrypted_font_is_read(read):
    assert "Harbour" in read("a.epub", make.book(CHAPTERS, extra=encrypted("OEBPS/font.otf"))).text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (make.book(CHAPTERS, extra=encrypted("OEBPS/text/two.xhtml")), "protected against copies"),
        (make.book(CHAPTERS, extra={"OEBPS/content.opf": b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"}), "entities"),
        (make.book(CHAPTERS, extra={"OEBPS/content.opf": b""}), "isn't a valid book"),
        (make.book(CHAPTERS, extra={"OEBPS/big.xhtml": bytes(30_000_000)}), "unpack to 30 MB"),
        (make.book({}), "chapters are missing"),
        (archive({"mimetype": b"application/epub+zip"}), "its part META-INF/container.xml is missing"),
        (b"text", "isn't a valid .epub file"),
    ],
)
def test_books_that_cannot_be_read(refusal, content, words):
    assert words in refusal("a.epub", content).message
