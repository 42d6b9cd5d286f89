"""PDF files: pages, tables, hyphens, progress, and files that can't be read."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag.documents import Limits
from rag.reading.parse import read_document
from tests.rag import make_documents as make


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
    assert document.text.splitlines() == ["Item | 2022 | 2021", "Total net sales | 82,959 | 81,434"]


def test_pdf_row_with_cells_of_several_lines_stays_on_one_line(read):
    rows = [["", "June 25,\n2022", "June 26,\n2021"], ["Net sales of all\nproducts", "82,959", "81,434"]]
    document = read("a.pdf", make.pdf_table([*rows, ["Cost", "47,074", "46,179"], ["Margin", "35,885", "35,255"]]))
    assert document.text.splitlines() == [
        "| June 25, 2022 | June 26, 2021",
        "Net sales of all products | 82,959 | 81,434",
        "Cost | 47,074 | 46,179",
        "Margin | 35,885 | 35,255",
    ]


def statement(*labels: str, line_step: float = 10) -> bytes:
    """Return a PDF of rows 14 points apart; the lines of a label are `line_step` apart, its figures on the last one."""
    strings, height = [], 700.0
    for number, label in enumerate(labels):
        *first_lines, last = label.split("|")
        for line in first_lines:
            strings.append((72, height, line))
            height -= line_step
        strings += [(72, height, last), (400, height, f"{number + 1},000"), (480, height, f"({number + 1},500)")]
        height -= 14
    return make.pdf_strings(*strings)


def test_pdf_label_of_several_lines_stays_with_its_figures(read):
    content = statement("Interest", "Common stock withheld related to net|share settlement of|awards", "Dividends")
    assert read("a.pdf", content).text.splitlines() == [
        "Interest | 1,000 | (1,500)",
        "Common stock withheld related to net share settlement of awards | 2,000 | (2,500)",
        "Dividends | 3,000 | (3,500)",
    ]


@pytest.mark.parametrize(
    ("label", "line_step"),
    [("Common stock held|for awards", 14), ("Derivatives held:|Swaps", 10), ("Short|Much longer than that", 10)],
    ids=["as distant as rows", "a heading", "shorter than the row"],
)
def test_pdf_line_above_a_row_is_not_always_its_label(read, label, line_step):
    lines = read("a.pdf", statement("Interest", label, "Dividends", line_step=line_step)).text.splitlines()
    first, row = label.split("|")
    assert lines[1:3] == [first, f"{row} | 2,000 | (2,500)"]


def test_pdf_columns_of_prose_stay_separate(read):
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
            "Total change in unrealized gains/losses on marketable debt securities | (3,055) | 163 | (9,819) | (792)",
        ),
        ("2022 Q3 AAPL.pdf", "| June 25, 2022 | June 26, 2021 | June 25, 2022 | June 26, 2021"),
        ("2022 Q3 AAPL.pdf", "Maturities 90 days or less:"),
        (
            "2023 Q1 NVDA.pdf",
            "Debt securities issued by U.S. government agencies | 2,442 | 1 | (1) | 2,442 | 199 | 2,243",
        ),
        ("2023 Q1 NVDA.pdf", "Basic | $ 0.83 | $ 0.65"),
        (
            "2023 Q2 AMZN.pdf",
            "Common stock ($0.01 par value; 100,000 shares authorized; 10,757 and 10,828 shares issued; "
            "10,242 and 10,313 shares outstanding) | 108 | 108",
        ),
        (
            "2023 Q2 AMZN.pdf",
            "| Three Months Ended June 30, | | Six Months Ended June 30, | | Twelve Months Ended June 30, |",
        ),
    ],
)
def test_rows_of_real_statements_stay_on_one_line(filing, name, row):
    assert row in read_document(filing(name)).text.splitlines()


def test_the_progress_of_a_pdf_is_reported_page_by_page(tmp_path):
    path, shares = tmp_path / "a.pdf", list[float]()
    path.write_bytes(make.pdf("One", "", "Three", "Four"))
    assert len(read_document(path, report=shares.append).pages) == 4
    assert shares == [0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.csv", "a.docx"])
def test_the_progress_of_a_file_without_pages_is_reported_once(read, name):
    shares = list[float]()
    read(name, make.docx() if name == "a.docx" else "some, text\nand, more", report=shares.append)
    assert shares == [1]


@pytest.mark.parametrize("error", [KeyError("stop"), RecursionError("stop"), asyncio.CancelledError()], ids=repr)
def test_an_error_of_the_report_cancels_the_reading_and_propagates(tmp_path, error):
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


def test_pdf_hyphen_inside_a_broken_word_is_removed(read):
    document = read("a.pdf", make.pdf("This is an exam-\nple of a word; it is a well-\nknown case, and known."))
    assert "example" in document.text
    assert "well-known" in document.text
    assert not set(document.text) & {"\ufffe", "\x02", "\r"}


def test_pdf_that_only_restricts_printing_can_be_read(read):
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
def test_real_filings(filing, name, pages, row, figure):
    document = read_document(filing(name))
    assert len(document.pages) == pages
    assert any(row in line and figure in line for line in document.text.splitlines())
    assert not set(document.text) & {"\ufffe", "\x02", "\r"}


def test_real_filings_keep_their_hyphens(filing):
    assert "credit-financing arrangements" in read_document(filing("2022 Q3 AAPL.pdf")).text
    text = read_document(filing("2023 Q1 NVDA.pdf")).text
    for word in ("write-off of the prepayment", "forward-looking statements", "third-party large", "full-stack"):
        assert word in text
