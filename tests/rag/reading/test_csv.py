"""CSV files: one line per row with the names of its columns."""

from __future__ import annotations

import pytest


def test_csv_rows_carry_their_column_names(read):
    document = read("a.csv", 'name,sold,note\nPhones,"82,959","first\nsecond"\nTablets,,"say ""hi"""\n')
    assert document.text == 'name: Phones; sold: 82,959; note: first second\nname: Tablets; note: say "hi"'
    assert document.media_type == "text/csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_delimiter_is_detected(read, delimiter):
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
