"""Text files: every character in any encoding, and binary data."""

from __future__ import annotations

import hashlib

import pytest


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.MARKDOWN"])
def test_text_keeps_every_character(read, name):
    text = "  One\r\ntwo\ttabs\r\n\r\n<script>alert(1)</script> naïve 😀\nend\n"
    document = read(name, text)
    assert document.text == text
    assert document.pages == ()
    assert document.page_of(3) is None
    assert document.name == name
    assert document.id == hashlib.sha256(text.encode()).hexdigest()[:16]
    assert document.media_type == ("text/plain" if name.endswith("txt") else "text/markdown")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["Grüße, Welt.\r\nZweite Zeile\n", "一九四九年，\n中国 人口 😀\n一二三\n", "hi"])
def test_unicode_with_and_without_a_byte_order_mark(read, encoding, text):
    assert read("a.txt", text.encode(encoding)).text == text


def test_big_endian_with_a_byte_order_mark(read):
    assert read("a.txt", "\ufeffRésumé\n".encode("utf-16-be")).text == "Résumé\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Café crème brûlée à Genève, où l'été est très agréable.", "latin-1"),
        ("Résumé", "latin-1"),
        ("Price 5 £ and 20 °C ½ cup", "latin-1"),
        ("“Quotes” — it’s fine €5, señor", "cp1252"),
        ("Привет, мир. Это обычный текст на русском языке.", "cp1251"),
        ("Zażółć gęślą jaźń. Wszystkie dzieci mają prawo do nauki, a książka leży na stole.", "cp1250"),
        ("これは日本語の文章です。東京に住んでいます。", "shift_jis"),
        ("这是一个中文文档，内容很简单。", "gb18030"),
    ],
)
def test_older_encodings(read, text, encoding):
    assert read("a.txt", text.encode(encoding)).text == text


@pytest.mark.parametrize(
    "content",
    [
        b"hello\0\0world",
        b"hello\0world!",
        b"hello\0world",
        b"\0" * 40,
        b"\0\1\2\3" * 100,
        b"\1\2\3\4\5" * 20,
        bytes(range(256)) * 20,
        bytes(range(255, 0, -1)) * 20,
    ],
)
def test_binary_data_is_not_a_text_file(refusal, content):
    assert "isn't a text file" in refusal("a.txt", content).message


def test_one_broken_character_does_not_change_the_others(read):
    text = "Zażółć gęślą jaźń. "
    assert read("a.txt", text.encode() + b"\xff" + text.encode()).text == f"{text}\ufffd{text}"


def test_half_a_character_is_not_utf16(refusal):
    refusal("a.txt", "\ufeffhello".encode("utf-16-le") + b"x")
