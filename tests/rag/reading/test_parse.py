"""Files that visitors bring: what is read out of good ones, and what bad ones are told."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag.documents import Document, Limits
from rag.errors import DocumentError
from rag.reading.file_names import display_name
from rag.reading.parse import SUFFIXES, read_document
from tests.rag import make_documents as make

DATA = Path(os.environ.get("SPACEPORT_TEST_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


@pytest.fixture
def read(tmp_path):
    """Writes bytes under a name and reads them as a document."""

    def write_and_read(name: str, content: bytes | str, **options) -> Document:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_document(path, **options)

    return write_and_read


@pytest.fixture
def refusal(read):
    """The error that a file gives, which must say what happened and what to do."""

    def refuse(name: str, content: bytes | str, **options) -> DocumentError:
        with pytest.raises(DocumentError) as caught:
            read(name, content, **options)
        assert caught.value.message
        assert caught.value.remedy
        assert str(caught.value) == f"{caught.value.message} {caught.value.remedy}"
        return caught.value

    return refuse


def filing(name: str) -> Path:
    path = DATA / "filings" / name
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{path} is missing")
        pytest.skip(f"{path} is missing; set SPACEPORT_TEST_DATA to the folder that holds filings/")
    return path


def test_importing_the_reader_loads_no_parser():
    heavy = "pypdfium2 markitdown charset_normalizer semantic_text_splitter lxml bs4 gradio"
    script = (
        f"import sys, rag.reading.parse, rag.reading.chunk; print([m for m in {heavy.split()!r} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# --- plain text and Markdown


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
def test_unicode_with_and_without_a_mark(read, encoding, text):
    assert read("a.txt", text.encode(encoding)).text == text


def test_big_endian_with_a_mark(read):
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
def test_binary_data_is_no_text(refusal, content):
    assert "isn't a text file" in refusal("a.txt", content).message


def test_one_broken_character_does_not_change_the_others(read):
    text = "Zażółć gęślą jaźń. "
    assert read("a.txt", text.encode() + b"\xff" + text.encode()).text == f"{text}\ufffd{text}"


def test_half_a_character_is_no_utf16(refusal):
    refusal("a.txt", "\ufeffhello".encode("utf-16-le") + b"x")


# --- PDF


def test_pdf_pages_have_exact_spans(read):
    document = read("a.pdf", make.pdf("First page\nsecond line", "", "Third page"))
    assert document.media_type == "application/pdf"
    assert [page.number for page in document.pages] == [1, 2, 3]
    texts = [document.text[page.start : page.end] for page in document.pages]
    assert texts == ["First page\nsecond line", "", "Third page"]
    assert document.page_of(document.text.index("second")) == 1
    assert document.page_of(document.text.index("Third")) == 3


def test_pdf_table_rows_stay_on_one_line(read):
    document = read("a.pdf", make.pdf_table([["Item", "2022", "2021"], ["Total net sales", "82,959", "81,434"]]))
    assert document.text.splitlines() == ["Item 2022 2021", "Total net sales 82,959 81,434"]


def test_pdf_row_with_cells_of_several_lines_stays_on_one_line(read):
    rows = [["", "June 25,\n2022", "June 26,\n2021"], ["Net sales of all\nproducts", "82,959", "81,434"]]
    document = read("a.pdf", make.pdf_table([*rows, ["Cost", "47,074", "46,179"], ["Margin", "35,885", "35,255"]]))
    assert document.text.splitlines() == [
        "June 25, 2022 June 26, 2021",
        "Net sales of all products 82,959 81,434",
        "Cost 47,074 46,179",
        "Margin 35,885 35,255",
    ]


def statement(*labels: str, closer: float = 10) -> bytes:
    """Rows 14 points apart, the last label's lines `closer` ones; figures stand beside the last line of a label."""
    strings, height = [], 700.0
    for number, label in enumerate(labels):
        *above, last = label.split("|")
        for line in above:
            strings.append((72, height, line))
            height -= closer
        strings += [(72, height, last), (400, height, f"{number + 1},000"), (480, height, f"({number + 1},500)")]
        height -= 14
    return make.pdf_strings(*strings)


def test_pdf_label_of_several_lines_stays_with_its_figures(read):
    content = statement("Interest", "Common stock withheld related to net|share settlement of|awards", "Dividends")
    assert read("a.pdf", content).text.splitlines() == [
        "Interest 1,000 (1,500)",
        "Common stock withheld related to net share settlement of awards 2,000 (2,500)",
        "Dividends 3,000 (3,500)",
    ]


@pytest.mark.parametrize(
    ("label", "closer"),
    [("Common stock held|for awards", 14), ("Derivatives held:|Swaps", 10), ("Short|Much longer than that", 10)],
    ids=["as far as rows", "a heading", "shorter than the row"],
)
def test_pdf_line_above_a_row_is_not_always_its_label(read, label, closer):
    lines = read("a.pdf", statement("Interest", label, "Dividends", closer=closer)).text.splitlines()
    above, row = label.split("|")
    assert lines[1:3] == [above, f"{row} 2,000 (2,500)"]


def test_pdf_columns_of_prose_stay_apart(read):
    left, right = ([f"{side} column, line {n}" for n in range(12)] for side in ("Left", "Right"))
    strings = [
        (72 + 250 * (lines is right), 700 - 12 * n, text) for lines in (left, right) for n, text in enumerate(lines)
    ]
    assert read("a.pdf", make.pdf_strings(*strings)).text.splitlines() == left + right


@pytest.mark.parametrize(
    ("name", "row"),
    [
        (
            "2022 Q3 AAPL.pdf",
            "Total change in unrealized gains/losses on marketable debt securities (3,055) 163 (9,819) (792)",
        ),
        ("2022 Q3 AAPL.pdf", "June 25, 2022 June 26, 2021 June 25, 2022 June 26, 2021"),
        ("2022 Q3 AAPL.pdf", "Maturities 90 days or less:"),
        ("2023 Q1 NVDA.pdf", "Debt securities issued by U.S. government agencies 2,442 1 (1) 2,442 199 2,243"),
        ("2023 Q1 NVDA.pdf", "Basic $ 0.83 $ 0.65"),
        (
            "2023 Q2 AMZN.pdf",
            "Common stock ($0.01 par value; 100,000 shares authorized; 10,757 and 10,828 shares issued; "
            "10,242 and 10,313 shares outstanding) 108 108",
        ),
        ("2023 Q2 AMZN.pdf", "Three Months Ended June 30, Six Months Ended June 30, Twelve Months Ended June 30,"),
    ],
)
def test_rows_of_real_statements_are_whole(name, row):
    assert row in read_document(filing(name)).text.splitlines()


def test_pdf_is_reported_page_by_page(tmp_path):
    path, shares = tmp_path / "a.pdf", list[float]()
    path.write_bytes(make.pdf("One", "", "Three", "Four"))
    assert len(read_document(path, report=shares.append).pages) == 4
    assert shares == [0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.csv", "a.docx"])
def test_a_file_without_pages_is_reported_once(read, name):
    shares = list[float]()
    read(name, make.docx() if name == "a.docx" else "some, text\nand, more", report=shares.append)
    assert shares == [1]


@pytest.mark.parametrize("error", [KeyError("stop"), RecursionError("stop"), asyncio.CancelledError()], ids=repr)
def test_what_the_report_raises_ends_the_reading_unchanged(tmp_path, error):
    path, shares = tmp_path / "a.pdf", list[float]()
    path.write_bytes(make.pdf(*["A page"] * 200))

    def stop_at_50(share: float) -> None:
        shares.append(share)
        if len(shares) == 50:
            raise error

    with pytest.raises(type(error)) as caught:
        read_document(path, report=stop_at_50)
    assert caught.value is error
    assert shares[-1] == 0.25
    assert len(read_document(path).pages) == 200


def test_pdf_hyphen_at_a_line_end_stays_in_a_compound(read):
    text = "The price and the pre-tax gain, after the write-off of old stock, and tax and off and gain."
    for width in range(70, 160, 10):
        joined = read("a.pdf", make.pdf_paragraph(text, width)).text.replace("\n", " ")
        assert "pre-tax" in joined
        assert "write-off" in joined


def test_pdf_hyphen_that_broke_a_word_goes(read):
    document = read("a.pdf", make.pdf("This is an exam-\nple of a word; it is a well-\nknown case, and known."))
    assert "example" in document.text
    assert "well-known" in document.text
    assert not set(document.text) & {"\ufffe", "\x02", "\r"}


def test_pdf_that_restricts_printing_only_can_be_read(read):
    assert read("a.pdf", make.encrypted_pdf("owner", owner_only=True)).text == "A secret page"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (make.encrypted_pdf("secret"), "password"),
        (make.pdf_of_images(), "has no text"),
        (make.pdf("", ""), "has no text"),
        (b"%PDF-1.7\nthe rest was lost", "damaged"),
        (make.pdf("text")[:200], "damaged"),
    ],
)
def test_pdf_that_cannot_be_read(refusal, content, words):
    assert words in refusal("a.pdf", content).message


def test_pdf_over_the_limits(refusal):
    content = make.pdf("one page", "another page")
    assert "2 pages" in refusal("a.pdf", content, limits=Limits(pages=1)).message
    assert "15 characters" in refusal("a.pdf", content, limits=Limits(characters=15)).message


def test_pdfs_are_read_from_many_threads(tmp_path):
    paths = [tmp_path / f"{number}.pdf" for number in range(12)]
    for number, path in enumerate(paths):
        path.write_bytes(make.pdf(*[f"File {number} page {page}" for page in range(5)]))
    with ThreadPoolExecutor(6) as pool:
        documents = list(pool.map(read_document, paths))
    for number, document in enumerate(documents):
        assert document.text.startswith(f"File {number} page 0")


@pytest.mark.parametrize(
    ("name", "pages", "row", "figure"),
    [
        ("2022 Q3 AAPL.pdf", 28, "Total net sales", "82,959"),
        ("2023 Q1 NVDA.pdf", 49, "Total current assets", "24,883"),
        ("2023 Q2 AMZN.pdf", 51, "Comprehensive income (loss)", "7,043"),
    ],
)
def test_real_filings(name, pages, row, figure):
    document = read_document(filing(name))
    assert len(document.pages) == pages
    assert any(row in line and figure in line for line in document.text.splitlines())
    assert not set(document.text) & {"\ufffe", "\x02", "\r"}


def test_real_filings_keep_their_hyphens():
    assert "credit-financing arrangements" in read_document(filing("2022 Q3 AAPL.pdf")).text
    text = read_document(filing("2023 Q1 NVDA.pdf")).text
    for word in ("write-off of the prepayment", "forward-looking statements", "third-party large", "full-stack"):
        assert word in text


# --- Word


def test_docx_keeps_its_structure(read):
    document = read("a.docx", make.docx())
    lines = document.text.splitlines()
    assert "# Annual report" in lines
    assert "## Sales" in lines
    assert "Sales of first_token units *rose* by 3 %." in lines
    assert "* apples" in lines
    assert "| Phones | 82,959 |" in lines
    assert "data:" not in document.text
    assert document.media_type.endswith("wordprocessingml.document")


def test_docx_image_from_the_network_is_not_fetched(read):
    drawing = (
        '<w:p><w:r><w:t>before</w:t></w:r><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/'
        'drawingml/2006/wordprocessingDrawing"><wp:docPr id="1" name="x" descr="a chart"/><a:graphic xmlns:a='
        '"http://schemas.openxmlformats.org/drawingml/2006/main"><a:graphicData><pic:pic xmlns:pic="http://schemas.'
        'openxmlformats.org/drawingml/2006/picture"><pic:blipFill><a:blip r:link="rId9" xmlns:r="http://schemas.'
        'openxmlformats.org/officeDocument/2006/relationships"/></pic:blipFill></pic:pic></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r><w:r><w:t> after</w:t></w:r></w:p>"
    )
    relationships = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId9" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" TargetMode="External" '
        'Target="http://127.0.0.1:9/pixel.png"/></Relationships>'
    )
    content = make.packed_docx(drawing, extra={"word/_rels/document.xml.rels": relationships.encode()})
    assert read("a.docx", content).text == "before after"


@pytest.mark.parametrize("part", ["word/document.xml", "word/media/image1.png", "word/embeddings/inner.docx"])
def test_docx_bomb_is_refused_by_its_declared_size(refusal, part):
    zeros = bytes(30_000_000)
    content = make.archive({"[Content_Types].xml": make.CONTENT_TYPES.encode(), part: zeros})
    assert "unpack to 30 MB" in refusal("a.docx", content).message
    assert "unpack to 30 MB" in refusal("a.docx", content, limits=Limits(unpacked_bytes=20_000_000)).message


def test_docx_of_many_media_parts_is_counted_as_a_sum(refusal):
    media = {f"word/media/{number}.bin": os.urandom(1_000_000) for number in range(4)}
    content = make.packed_docx(make.paragraph("text"), extra=media)
    assert "unpack to 4 MB" in refusal("a.docx", content, limits=Limits(unpacked_bytes=3_000_000)).message


def test_docx_that_lies_about_its_size_is_not_unpacked_further(refusal):
    content = make.packed_docx(make.paragraph("x" * 20_000_000))
    lying = make.with_declared_size(content, "word/document.xml", 1000)
    assert zipfile.ZipFile(io.BytesIO(lying)).getinfo("word/document.xml").file_size == 1000
    assert "damaged" in refusal("a.docx", lying).message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_docx_with_xml_entities_is_refused(refusal, encoding):
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    prefix = f'<!DOCTYPE x [<!ENTITY e0 "lol">{levels}]>'
    document = (
        f'{prefix}<w:document xmlns:w="{make.WORD_NAMESPACE}"><w:body>{make.paragraph("&e9;")}</w:body></w:document>'
    )
    content = make.packed_docx(extra={"word/document.xml": document.encode(encoding)})
    assert "document type" in refusal("a.docx", content).message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (make.docx()[:3000], "damaged"),
        (make.archive({"a.txt": b"hello"}), "not a Word document"),
        (make.archive({"[Content_Types].xml": b"spreadsheetml", "xl/workbook.xml": b"<x/>"}), "not a Word document"),
        (make.packed_docx("<w:p><w:unclosed>"), "no text"),
        (make.archive({"[Content_Types].xml": b"wordprocessingml"}), "damaged"),
        (make.archive({"word/document.xml": b"<a/>" * 9}, zipfile.ZIP_BZIP2), "compression method"),
        (make.packed_docx(), "no text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted Office file or one in an old format"),
    ],
)
def test_docx_that_cannot_be_read(refusal, content, words):
    assert words in refusal("a.docx", content).message


def test_docx_nested_too_deeply(refusal):
    depth = 3000
    assert refusal("a.docx", make.packed_docx("<w:ins>" * depth + make.paragraph("x") + "</w:ins>" * depth))


# --- HTML


def test_html_keeps_text_and_drops_the_rest(read):
    page = """<!doctype html><html><head><title>T</title><style>p {color: red}</style></head><body>
    <h1>Heading</h1><!-- a comment --><script>alert(1)</script><p onclick="x()">First_token *text* <b>bold</b></p>
    <noscript>enable it</noscript><img src="http://127.0.0.1:9/pixel.png" alt="a chart"><iframe src="x"></iframe>
    <a href="javascript:alert(1)">press</a><ul><li>one<li>two</ul><svg><text>drawn</text></svg>
    <table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table></body></html>"""
    text = read("a.html", page).text
    for kept in ("# Heading", "First_token *text* **bold**", "a chart", "press", "* one\n* two", "| 1 | 2 |"):
        assert kept in text
    for dropped in ("comment", "alert", "color", "enable", "pixel", "drawn", "onclick"):
        assert dropped not in text


@pytest.mark.parametrize(
    ("declaration", "encoding"),
    [
        ('<meta charset="windows-1251">', "cp1251"),
        ('<META HTTP-EQUIV="content-type" CONTENT="text/html; charset=koi8-r">', "koi8-r"),
        ('<?xml version="1.0" encoding="utf-8"?>', "utf-8"),
        ('<meta charset="no-such-set">', "utf-8"),
        ('<meta charset="unicode_escape">', "utf-8"),
        ('<meta charset="utf-8">', "utf-16"),
        ("", "utf-8"),
    ],
)
def test_html_encoding_comes_from_its_declaration(read, declaration, encoding):
    page = f"{declaration}<html><body><p>Да \\u0041</p></body></html>"
    assert read("a.htm", page.encode(encoding)).text == "Да \\u0041"


def test_html_latin1_means_what_browsers_take_it_for(read):
    assert read("a.html", '<meta charset="iso-8859-1"><p>“5 €”</p>'.encode("cp1252")).text == "“5 €”"


@pytest.mark.parametrize("tag", ["p", "li", "td", "option"])
def test_html_with_thousands_of_unclosed_tags(read, tag):
    text = read("a.html", "<table><tr>" * (tag == "td") + "".join(f"<{tag}>cell {n}\n" for n in range(2000))).text
    assert "cell 0" in text
    assert "cell 1999" in text


@pytest.mark.parametrize("tag", ["div", "b", "table><tr><td"])
@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_html_nested_too_deeply(refusal, tag, depth):
    assert "nested too deeply" in refusal("a.html", f"<{tag}>" * depth + "deep").message


@pytest.mark.parametrize(
    "page", ["<!-- only a comment -->", "<script>x()</script>", "<html></html>", "<!doctype html>"]
)
def test_html_without_text(refusal, page):
    assert refusal("a.html", page)


# --- CSV


def test_csv_rows_carry_their_column_names(read):
    document = read("a.csv", 'name,sold,note\nPhones,"82,959","first\nsecond"\nTablets,,"say ""hi"""\n')
    assert document.text == 'name: Phones; sold: 82,959; note: first second\nname: Tablets; note: say "hi"'
    assert document.media_type == "text/csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_delimiter_is_found(read, delimiter):
    rows = [["city", "degrees"], ["Oslo", "1.5"], ["Rome", "20"]]
    text = read("a.csv", "\r\n".join(delimiter.join(row) for row in rows)).text
    assert text == "city: Oslo; degrees: 1.5\ncity: Rome; degrees: 20"


def test_csv_with_decimal_commas(read):
    assert read("a.csv", "a;b\n1,5;2,5\n3,5;4,5\n").text == "a: 1,5; b: 2,5\na: 3,5; b: 4,5"


def test_csv_ragged_rows(read):
    text = read("a.csv", "a,b\n1\n1,2,3\n\n,,\n4,5\n").text
    assert text == "a: 1\na: 1; b: 2; column 3: 3\na: 4; b: 5"


def test_csv_without_a_header(read):
    assert read("a.csv", "1,2\n3,4\n").text == "column 1: 1; column 2: 2\ncolumn 1: 3; column 2: 4"


def test_csv_with_a_header_only(read):
    assert read("a.csv", "name,sold\n").text == "name; sold"


def test_csv_from_a_spreadsheet_in_utf16(read):
    assert read("a.csv", "stad\tår\nMalmö\t1999\n".encode("utf-16")).text == "stad: Malmö; år: 1999"


def test_csv_with_a_quote_that_never_closes(refusal):
    assert "quote" in refusal("a.csv", 'a,b\n"1,2\n' + "3,4\n" * 100_000).message


def test_csv_that_grows_without_bound(refusal):
    content = "x" * 50_000 + ",b\n" + "1,2\n" * 100_000
    assert "10,000,000 characters" in refusal("a.csv", content).message


# --- any file


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b" \n\t\r\n "])
def test_an_empty_file(refusal, suffix, content):
    assert "is empty" in refusal(f"a{suffix}", content).message


@pytest.mark.parametrize("content", ["\ufeff".encode(), "\ufeff \n".encode("utf-16-le"), "\u3000\n".encode()])
def test_a_file_of_white_space_in_any_encoding(refusal, content):
    assert refusal("a.txt", content)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", make.PNG, "PNG"),
        ("a.md", make.pdf("text"), "PDF"),
        ("a.csv", make.archive({"a": b"b"}), "ZIP"),
        ("a.html", b"\xff\xd8\xff\xe0" + bytes(20), "JPEG"),
        ("a.pdf", b"MZ\x90\0\3\0\0\0" + bytes(100), "Windows program"),
        ("a.pdf", b"just words", "isn't a valid PDF"),
        ("a.pdf", make.docx(), "ZIP"),
        ("a.docx", make.pdf("text"), "PDF"),
        ("a.docx", b"just words", "isn't a valid Word document"),
    ],
)
def test_a_wrong_extension(refusal, name, content, words):
    assert words in refusal(name, content).message


def test_the_right_extension_is_named(refusal):
    assert ".pdf" in refusal("a.txt", make.pdf("text")).remedy


def test_a_text_may_begin_like_a_program(read):
    assert read("a.txt", "MZ was a magazine.").text == "MZ was a magazine."


@pytest.mark.parametrize("name", ["a.exe", "a.doc", "a", "pdf", ".pdf"])
def test_an_unsupported_suffix_names_the_accepted_ones(refusal, name):
    remedy = refusal(name, "text").remedy
    assert all(suffix in remedy for suffix in SUFFIXES)


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.truncate(10**12)  # no memory could hold it
    with pytest.raises(DocumentError, match="MB; the limit is 50 MB"):
        read_document(path)


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_too_many_characters(refusal, name):
    assert "the limit is 10" in refusal(name, "abcdefghijk", limits=Limits(characters=10)).message


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(DocumentError, match="Can't open"):
        read_document(tmp_path / "gone.txt")
    with pytest.raises(DocumentError, match="isn't a file"):
        read_document(tmp_path, name="a.txt")


def test_what_a_parser_raises_becomes_a_document_error(refusal, monkeypatch):
    from markitdown.converters import HtmlConverter

    def fail(*_, **__):
        raise KeyError("some detail")

    monkeypatch.setattr(HtmlConverter, "convert_string", fail)
    error = refusal("a.html", "<p>x</p>")
    assert "a.html" in error.message
    assert "damaged" in error.message
    assert isinstance(error.__cause__, KeyError)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("report.txt", "report.txt"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\report.txt", "report.txt"),
        ("<img src=x onerror=alert(1)>.txt", "<img src=x onerror=alert(1)>.txt"),
        ("a\nb\tc\0d\x1b[31m.txt", "abcd[31m.txt"),
        ("safe\u202etxt.exe.txt", "safetxt.exe.txt"),
        ("\u2066a\u2069\u200b\ufeff.txt", "a.txt"),
        ("می\u200cخواهم.txt", "می\u200cخواهم.txt"),
        ("bad\udcff.txt", "bad.txt"),
        ("x" * 300 + ".txt", "x" * 115 + "….txt"),
    ],
)
def test_the_display_name_is_safe(tmp_path, given, shown):
    path = tmp_path / "upload.txt"
    path.write_text("text")
    assert len(shown) <= 120
    assert read_document(path, name=given).name == shown


@pytest.mark.parametrize("name", ["", "..", "/", "\u202e", "a/.."])
def test_a_name_of_nothing_becomes_a_word(name):
    assert display_name(name) == "document"


def test_the_stored_file_gives_the_format_where_the_name_has_none(tmp_path):
    path = tmp_path / "upload.txt"
    path.write_text("text")
    assert read_document(path, name="My notes").name == "My notes"
