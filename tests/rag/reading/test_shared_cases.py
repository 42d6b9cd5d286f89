"""Small documents of the kinds that public bug reports name: what each must and must not have."""

from __future__ import annotations

import pytest

from tests.conftest import DATA

CASES = DATA / "cases"
# By file: what the text has, in this order, and what it doesn't have.
EXPECTED: dict[str, tuple[list[str], list[str]]] = {
    "docx/tracked_changes.docx": (["7,350 crowns", "Term: twenty-four months"], ["9,000", "MOVEDAWAY", "Deleted row"]),
    "docx/vertical_merge.docx": (["| EU | Cable | 12 |", "| EU | Hub | 7 |"], []),
    "docx/long_table_plain_header.docx": (["| Port | Summer fee | Winter fee |\n| --- "], ["|  |"]),
    "docx/header_footnote_comment.docx": (["HX-2291", "40 litres[1]", "1872", "Valid until 31 March", "65 litres"], []),
    "docx/auto_numbered_clauses.docx": (["2. Fees", "2.2. Late payment", "See clause 2.2"], []),
    "docx/text_box_no_fallback.docx": (["the gate code is 4711"], []),
    "docx/hidden_vanish.docx": (["The ferry leaves at 8:15."], ["Ignore"]),
    "docx/macro_document.docm": (["The toll is 6 crowns."], []),
    "html/hidden_text.html": (["The fee is 14 crowns."], ["99", "98", "97", "95", "v94"]),
    "html/table_spans.html": (["| Port | Summer | Winter |", "| Skarv | 15 | 10 |", r"a \| b"], []),
    "html/form_values.html": (["Sandpiper III", "North", "arrives at dawn", "[x]"], ["South"]),
    "html/noscript_content.html": (["The fee is 14 crowns"], []),
    "html/frameset.html": (["The fee is 14 crowns"], []),
    "html/declarative_shadow_dom.html": (["the fee is 14 crowns"], []),
    "html/title_only.html": (["The fee is 14 crowns"], []),
    "html/mhtml_saved.html": (["The fée is 14 crowns."], ["=C3", "Content-Type"]),
    "html/nav_footer_boiler.html": (["The fee is 14 crowns."], ["Home", "cookies"]),
    "other/notes.rtf": (["A berth costs 14 crowns."], ["rtf"]),
    "other/fees.xlsx": (["| Port | Fee |", "| Skarv | 14 |"], []),
}


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases aren't here")
@pytest.mark.parametrize("case", EXPECTED)
def test_case(read, case):
    present, absent = EXPECTED[case]
    text = read(case.rpartition("/")[2], (CASES / case).read_bytes()).text
    positions = [text.find(words) for words in present]
    assert positions == sorted(positions)
    assert positions[0] >= 0
    assert not [words for words in absent if words in text]
