"""CSV files: one line per row with the names of its columns."""

from __future__ import annotations

import pytest

from tests.conftest import DATA


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


CASES = {
    "blank corner": (",2021,2022,2023\nSkarv,12,15,19\nHolm,6,7,8\n", "column 1: Skarv; 2021: 12; 2022: 15; 2023: 19"),
    "years": ("Port,2021,2022\nSkarv,12,15\n", "Port: Skarv; 2021: 12; 2022: 15"),
    "years only": ("2021,2022\n12,15\n13,16\n", "2021: 12; 2022: 15"),
    "years in data": ("Skarv,2021\nHolm,2022\nGrunn,2019\n", "column 1: Skarv; column 2: 2021"),
    "sep line": ("sep=;\r\nPort;Fee\r\nSkarv;14\r\n", "Port: Skarv; Fee: 14"),
    "no header": ("Skarv,North,14\nHolm,South,9\n", "column 1: Skarv; column 2: North; column 3: 14"),
    "no header of names": ("Skarv,North\nHolm,North\nGrunn,West\n", "column 1: Skarv; column 2: North"),
    "no header, dates": ("2024-05-01,open\n2024-05-02,shut\n", "column 1: 2024-05-01; column 2: open"),
    "no header, decimals": ("a;1,5;2,5\nb;3,5;4,5\n", "column 1: a; column 2: 1,5; column 3: 2,5"),
    "spaces": ('"Port", "Fee", "Note"\n"Skarv", "14", "cheap, clean"\n', "Port: Skarv; Fee: 14; Note: cheap, clean"),
    "backslash": ('id,note\n1,"he said \\"no\\", twice"\n2,"plain"\n', 'id: 1; note: he said "no", twice'),
    "backslash at an end": ('id,path\n1,"C:\\dir\\"\n2,"D:\\"\n', "id: 1; path: C:\\dir\\"),
    "one column": ("Name\nSkarv, North\nHolm, South\n", "Name: Skarv, North"),
    "one column of decimals": ("Price\n1,5\n2,5\n", "Price: 1,5"),
    "euros": ("Port;Fee\nSkarv;14,50 €\n", "Port: Skarv; Fee: 14,50 €"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_header_and_the_quotes_are_found_by_evidence(read, case):
    content, line = CASES[case]
    assert read("a.csv", content).text.splitlines()[0] == line


SINGLE_QUOTES = {
    "one row of names": ("'a, b';'c''d'\n1;2\n", [["a, b", "c'd"], ["1", "2"]]),
    "all cells": ("'Port','Note'\n'Skarv','cheap, clean'\n", [["Port", "Note"], ["Skarv", "cheap, clean"]]),
    "texts": (
        "'Port','Fee'\n'Skarv, north',14\n'Holm''s',9\n",
        [["Port", "Fee"], ["Skarv, north", "14"], ["Holm's", "9"]],
    ),
    "where they are needed": (
        "Port,Note,Fee\nSkarv,'cheap, clean',14\nHolm,far,9\nGrunn,'old, dark',3\n",
        [["Port", "Note", "Fee"], ["Skarv", "cheap, clean", "14"], ["Holm", "far", "9"], ["Grunn", "old, dark", "3"]],
    ),
    "two lines": ("'Port';'Note'\r\n'Skarv';'cheap,\r\nclean'\r\n", [["Port", "Note"], ["Skarv", "cheap, clean"]]),
    "backslashes": ("'Port','Note'\n'Skarv','it\\'s, well, far'\n", [["Port", "Note"], ["Skarv", "it's, well, far"]]),
    "double quotes inside": (
        "'Port';'Note'\n'Skarv';'\"far\"; clean'\n",
        [["Port", "Note"], ["Skarv", '"far"; clean']],
    ),
}


def test_a_single_row_in_single_quotes(read):
    assert read("a.csv", "'a, b';'c''d'").text == "a, b; c'd"


@pytest.mark.parametrize("case", SINGLE_QUOTES)
def test_cells_in_single_quotes(read, case):
    content, rows = SINGLE_QUOTES[case]
    assert [row for row in grid(read("a.csv", content)) if any(row)] == rows


APOSTROPHES = {
    "in words": "Port,Note\nSkarv,it's far\nHolm,the keepers' house\nGrunn,don't\n",
    "at starts": "Port,Song\nSkarv,'Tis the lamp\nHolm,'Twas dark\nGrunn,rock 'n' roll\n",
    "of decades": "Band,Years\nSkarv,'80s\nHolm,'90s\n",
    "of feet": "Boat,Length\nSkarv,32'\nHolm,6'2\n",
    "around one word": "Port,Note\nSkarv,'quaint'\nHolm,a long way\nGrunn,old\nSund,new\n",
    "before figures": "Port,Code\nSkarv,'0012\nHolm,'0034\n",
    "beside quotes": "Port,Note\n\"Skarv\",'old'\n\"Holm\",'new'\n",
}


@pytest.mark.parametrize("case", APOSTROPHES)
def test_apostrophes_stay(read, case):
    rows = [[cell.strip('"') for cell in line.split(",")] for line in APOSTROPHES[case].splitlines()]
    assert grid(read("a.csv", APOSTROPHES[case])) == rows


@pytest.mark.parametrize("last", ["'Skarv, North','dear, old'", '"Skarv, North","he said \\"dear\\", twice"'])
def test_the_last_rows_of_a_long_file_tell_its_quotes(read, last):
    document = read("a.csv", "Port,Note\n" + "".join(f"Pier {number},old\n" for number in range(9_000)) + last)
    note = "dear, old" if last[0] == "'" else 'he said "dear", twice'
    assert document.text.splitlines()[-1] == f"Port: Skarv, North; Note: {note}"


BACKSLASH_ROWS = {
    "another cell": ('1,"{""a"":""say \\""hi, you\\""""}",x', 'a: 1; b: {"a":"say \\"hi, you\\""}; c: x'),
    "no other cell": ('1,"{""a"":""say \\""hi\\""""}",x', 'a: 1; b: {"a":"say \\"hi\\""}; c: x'),
}


@pytest.mark.parametrize("rows", [0, 9_000])
@pytest.mark.parametrize("what", BACKSLASH_ROWS)
def test_a_backslash_before_a_quote_that_is_written_twice_is_text(read, what, rows):
    row, line = BACKSLASH_ROWS[what]
    plain = "1,C:\\temp\\a,x\n"
    lines = read("a.csv", "a,b,c\n" + plain * (rows + 1) + row + "\n").text.splitlines()
    assert lines[-2:] == ["a: 1; b: C:\\temp\\a; c: x", line]


def test_a_backslash_in_a_file_of_one_column(read):
    assert read("a.csv", 'note\n"say \\""hi\\"""\n').text.splitlines()[-1] == 'note: say \\"hi\\"'


def test_a_single_quote_that_never_closes(refusal):
    content = "'Port','Note'\n" + "'Skarv','cheap, clean'\n" * 4000 + "'Holm','never closed\n'Grunn','old'\n"
    assert "line 4,002 " in refusal("a.csv", content).message


@pytest.mark.parametrize("titles", ["Harbour dues 2024,,\nprinted 3 May,,\n,,\n", "Harbour dues 2024\n\n", "# Dues\n"])
def test_title_rows_are_no_header(read, titles):
    document = read("a.csv", titles + "Port,Summer,Winter\nSkarv,14,9\nHolm,12,7\n")
    assert document.text.splitlines()[-2:] == [
        "Port: Skarv; Summer: 14; Winter: 9",
        "Port: Holm; Summer: 12; Winter: 7",
    ]
    assert "ues" in document.tables[0].caption


def test_two_header_rows(read):
    text = "Port,2023,,2024,\n,Summer,Winter,Summer,Winter\nSkarv,14,9,15,10\nHolm,1,2,3,4\n"
    document = read("a.csv", text)
    assert document.text.splitlines()[0] == (
        "Port: Skarv; 2023 Summer: 14; 2023 Winter: 9; 2024 Summer: 15; 2024 Winter: 10"
    )
    assert grid(document)[:2] == [
        ["Port", "2023", "2023", "2024", "2024"],
        ["", "Summer", "Winter", "Summer", "Winter"],
    ]


def grid(document):
    (table,) = document.tables
    rows = [[""] * (max(cell.column for cell in table.cells) + 1) for _ in range(max(c.row for c in table.cells) + 1)]
    for cell in table.cells:
        rows[cell.row][cell.column] = document.text[cell.start : cell.end]
    return rows


def test_the_cells_are_spans_of_the_text(read):
    document = read("a.csv", 'Port,Fee,Note\nSkarv,14,"cheap,\nclean"\nHolm,,far\n')
    assert grid(document) == [["Port", "Fee", "Note"], ["Skarv", "14", "cheap, clean"], ["Holm", "", "far"]]
    assert {cell.row for cell in document.tables[0].cells if cell.header} == {0}


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("Skarv;North;14,50\nHolm;South;9,00\n", [["Skarv", "North", "14,50"], ["Holm", "South", "9,00"]]),
        ("Staff\nName,Town\nAnna,Oslo\nNils,Molde\n", [["Name", "Town"], ["Anna", "Oslo"], ["Nils", "Molde"]]),
        ("Note\nGood; very good\nBad\nSo; so\n", [["Note"], ["Good; very good"], ["Bad"], ["So; so"]]),
        ("Note\nNo, thanks\nWell, I liked it, a lot\n", [["Note"], ["No, thanks"], ["Well, I liked it, a lot"]]),
        ("Port;Fee\nSkarv;14\nHolm;9\n;\nSource: office;\n", [["Port", "Fee"], ["Skarv", "14"], ["Holm", "9"]]),
    ],
    ids=["decimal commas without a header", "title", "semicolons in sentences", "commas in sentences", "source"],
)
def test_delimiters_are_told_from_punctuation_and_tables_from_what_is_around_them(read, content, rows):
    assert grid(read("a.csv", content)) == rows


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('part,note\nPipe,"never closed\nElbow,fine\nTee,fine\n', 2),
        ('part,note\nPipe,fine\nElbow,"never\nTee,"fine"\nNut,fine\n', 3),
        ('part,note\nPipe,"two\nlines"\nElbow,"never closed\n', 4),
    ],
)
def test_an_unclosed_quote_is_an_error_with_its_line(refusal, content, line):
    assert f"line {line} " in refusal("a.csv", content).message


def test_a_tsv_file(read):
    document = read("a.tsv", "port\tfee, nightly\nSkarv\t1,400\n")
    assert document.text == "port: Skarv; fee, nightly: 1,400"
    assert document.media_type == "text/csv"


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("blank_corner_year_header", "column 1: Skarv; 2021: 12; 2022: 15; 2023: 19"),
        ("title_rows_above_header", "Harbour dues 2024"),
        ("excel_sep_line", "Port: Skarv; Fee: 14"),
        ("no_header_text", "column 1: Skarv; column 2: North; column 3: 14"),
        ("space_after_comma_quotes", "Port: Skarv; Fee: 14; Note: cheap, clean"),
        ("backslash_escapes", 'id: 1; note: he said "no", twice'),
        ("single_column", "Name: Skarv, North"),
    ],
)
def test_the_shared_cases(read, name, first):
    path = DATA / "cases" / "csv" / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    assert read(path.name, path.read_bytes()).text.splitlines()[0] == first


def test_tables_behind_an_empty_line_have_their_own_headers(read):
    first, second = "Harbour dues\n\nPort,Fee\nSkarv,14\n\nHolm,9\n", "Wages 2024\nName,Wage,Since\nKari,300,2019\n"
    document = read("a.csv", f"{first}\n{second}\nSource: the office\n")
    assert document.text.splitlines() == [
        *("Harbour dues", "Port: Skarv; Fee: 14", "Port: Holm; Fee: 9"),
        *("Wages 2024", "Name: Kari; Wage: 300; Since: 2019", "Source: the office"),
    ]
    assert [(table.caption, max(cell.row for cell in table.cells)) for table in document.tables] == [
        ("Harbour dues", 2),
        ("Wages 2024", 1),
    ]


def test_a_row_of_units_is_a_part_of_the_header(read):
    document = read("a.csv", "Port,Fee,Depth\n,crowns,m\nSkarv,14,3.5\nHolm,9,2\n")
    assert document.text == "Port: Skarv; Fee crowns: 14; Depth m: 3.5\nPort: Holm; Fee crowns: 9; Depth m: 2"
