"""Texts in older encodings, many of them short: what was typed, or a note that the encoding is unsure."""

from __future__ import annotations

import pytest

from rag.documents import NoteKind
from tests.conftest import DATA

TEXTS = [
    ("Hafen;Gebühr\nMünchen;14,50 €\nÅlesund;9,00 €\n", "cp1252"),
    (
        "Name;Stadt;Betrag\r\nWeiß;Osnabrück;368,98 €\r\nMüller;Nürnberg;795,41 €\r\nKrüger;Köln;1,00 €\r\n" * 20,
        "cp1252",
    ),
    ("Nom;Ville;Montant\nLefèvre;Orléans;12,50 €\nÉtienne;Besançon;4,00 €\n", "cp1252"),
    ("Navn;By\nSørensen;Ålborg\nÆrø;Århus\n", "cp1252"),
    ("Nombre;Año\nMuñoz;2020\nPeña;2021\n¿Qué?;1\n", "cp1252"),
    ("The “harbour” – it’s open at nine – costs 3 €.", "cp1252"),
    ("Acme™ and Widget® are marks of Acme. © 2024 Acme. " + "Ordinary English text about the ferry. " * 50, "cp1252"),
    ("50 £", "cp1252"),
    ("Zürich – 20 °C, ½ l, ‘a’", "cp1252"),
    ("┌─────────┐\n│ Dues 14│\n└─────────┘\nÜbernachtung 3 Kronen\n", "cp437"),
    ("Größe: 5 µm", "cp850"),
    ("konnte Ersetzungs-Commit für '%s' nicht", "mac_roman"),
    ("Cherry-Picken ist nicht möglich, weil", "mac_roman"),
    ("Größe;Preis\nweiß;14\nhübsch;9\n", "mac_roman"),
    ("Überlauf beim Lesen von Dateien", "cp850"),
    ("seules des versions exactes peuvent être", "cp850"),
    ("Łódź;Kraków", "cp1250"),
    ("Příliš žluťoučký kůň úpěl ďábelské ódy", "iso8859-2"),
    ("Имя;Город;Сумма\nИванов;Москва;1 234,50\nПетров;Казань;99,00\n", "cp1251"),
    ("Имя;Город;Сумма\nИванов;Москва;1 234,50\nПетров;Казань;99,00\n", "koi8-r"),
    ("Имя;Город;Сумма\nИванов;Москва;1 234,50\nПетров;Казань;99,00\n", "cp866"),
    ("Όνομα;Πόλη\nΓιώργος;Αθήνα\n", "cp1253"),
    ("名前,料金\n東京,14\n大阪,9\n", "shift_jis"),
    ("姓名,城市\n张三,北京\n李四,上海\n", "gb18030"),
    ("姓名,城市\n張三,臺北\n", "big5"),
    ("이름,도시\n김철수,서울\n", "cp949"),
    ("港の料金は十四クローネです。\n", "iso2022_jp"),
]


@pytest.mark.parametrize(("text", "encoding"), TEXTS, ids=[f"{encoding}-{text[:12]!r}" for text, encoding in TEXTS])
def test_a_text_in_an_older_encoding(read, text, encoding):
    assert read("a.txt", text.encode(encoding)).text == text


def test_what_cannot_be_told_is_said(read):
    (note,) = read("a.txt", "außer Haus".encode("cp850")).notes
    assert note.kind == NoteKind.ENCODING_UNSURE
    assert len(note.places) > 1


UNAMBIGUOUS = ["Grüße".encode(), "Grüße".encode("utf-16"), ("Grüße aus Köln, schöne Tage. " * 9).encode("cp1252")]


@pytest.mark.parametrize("content", UNAMBIGUOUS)
def test_what_can_be_told_has_no_note(read, content):
    assert read("a.txt", content).notes == ()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("txt/cp1252_quotes.txt", ["“harbour” – it’s", "3 €"]),
        ("txt/cp437_box.txt", ["┌────", "│ Dues 14│", "Übernachtung"]),
        ("txt/english_symbols_cp1252.txt", ["Acme™ and Widget®", "© 2024"]),
        ("csv/cp1252.csv", ["München", "Gebühr", "14,50 €", "Ålesund"]),
        ("csv/excel_german_euro_cp1252.csv", ["Müller", "Nürnberg", "795,41 €", "Krüger"]),
    ],
)
def test_the_shared_cases(read, name, words):
    path = DATA / "cases" / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    text = read(path.name, path.read_bytes()).text
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Línea número uno\n".encode() + "mañana añadido\n".encode("cp1252"), "Línea número uno\nmañana añadido\n"),
        (("año señor\n" * 20).encode() + b"ni\xc3\xb1o \xff\n", "año señor\n" * 20 + "niño \ufffd\n"),
    ],
    ids=["a line of another program", "a broken character"],
)
def test_broken_utf_8_is_said(read, content, text):
    document = read("a.txt", content)
    assert document.text == text
    assert [(note.kind, note.places) for note in document.notes] == [
        (NoteKind.ENCODING_UNSURE, ("utf-8", "cp1252")),
    ]


@pytest.mark.parametrize("name", ["a.html", "a.eml"])
def test_utf_8_is_read_as_that_if_another_encoding_is_declared(read, name):
    head = {
        "a.html": '<meta charset="iso-8859-1">',
        "a.eml": "Subject: s\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n",
    }[name]
    assert "Gebühr für 14 €" in read(name, f"{head}Gebühr für 14 €").text
