"""Kinds of text files, and headings that are underlined."""

from __future__ import annotations

import json

import pytest

from rag.reading.markdown.headings import find_headings
from tests.conftest import DATA


@pytest.mark.parametrize(
    "name",
    [
        "a.text",
        "a.log",
        "a.json",
        "a.jsonl",
        "a.yaml",
        "a.yml",
        "a.mdx",
        "a.py",
        "a.rs",
        "a.xml",
        "README",
        "LICENSE",
    ],
)
def test_text_files_are_read_as_they_are(read, name):
    assert read(name, "fee: <b>14</b>\n").text == "fee: <b>14</b>\n"


def test_a_notebook_has_its_cells_and_text_outputs(read):
    outputs = [
        {"output_type": "stream", "text": ["14\n"]},
        {"output_type": "execute_result", "data": {"text/plain": ["42"], "image/png": "aGk="}},
        {"output_type": "error", "ename": "KeyError", "evalue": "'fee'", "traceback": ["\u001b[31m"]},
    ]
    cells = [
        {"cell_type": "markdown", "source": ["# Dues\n", "A berth costs 14."]},
        {"cell_type": "code", "source": "print(14)", "outputs": outputs},
    ]
    document = read("a.ipynb", json.dumps({"cells": cells, "nbformat": 4}))
    assert document.text == (
        "# Dues\nA berth costs 14.\n\n```\nprint(14)\n```\n\n```\n14\n```\n\n```\n42\n```\n\n```\nKeyError: 'fee'\n```"
    )
    assert document.media_type == "text/markdown"


def test_a_damaged_notebook(refusal):
    assert "notebook" in refusal("a.ipynb", '{"cells": 1}').message


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_underlined_headings(end):
    text = "Rules\n=====\n\nText.\n\nDues\n----\n\n14 crowns\n\n---\n\n- a\n---\n\n| a |\n---\n".replace("\n", end)
    assert [heading.path for heading in find_headings(text)] == ["Rules", "Rules > Dues"]


def test_a_rule_below_a_paragraph_of_lines_and_front_matter_are_no_headings():
    assert find_headings("---\ntitle: a\n---\n\nOne line\nof two\n---\n") == []


@pytest.mark.parametrize(
    "name",
    [
        "t.tsv",
        "n.text",
        "app.log",
        "conf.yaml",
        "doc.rst",
        "x.mdx",
        "page.xhtml",
        "code.py",
        "README",
        "a.xml",
        "fees.json",
        "notes.ipynb",
    ],
)
def test_the_shared_cases(read, name):
    path = DATA / "cases" / "other" / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    assert read(name, path.read_bytes()).text.strip()


def test_the_command_prints_what_was_read(tmp_path, capsys):
    from rag.__main__ import main

    table, notes = tmp_path / "fees.csv", tmp_path / "rules.md"
    table.write_text("Port,2023,,2024,\n,Summer,Winter,Summer,Winter\nSkarv,14,,15,10\n")
    notes.write_text("Rules\n=====\n\nText.\n")
    assert main(["read", str(table), str(notes), "--json"]) == 0
    fees, rules = map(json.loads, capsys.readouterr().out.splitlines())
    assert fees["tables"][0]["header_rows"] == 2
    assert fees["tables"][0]["rows"][-1] == ["Skarv", "14", "", "15", "10"]
    assert rules["headings"][0]["path"] == "Rules"
    assert rules["pages"] == rules["tables"] == rules["notes"] == []
    assert main(["read", str(notes)]) == 0
    assert "-- heading: Rules" in capsys.readouterr().out
