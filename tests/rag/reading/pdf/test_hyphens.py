"""Hyphens at the line ends of a PDF: part of the word, or only where it was broken."""

from __future__ import annotations

import pytest

from tests.rag import make_documents as make


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("A self-", "employed pilot", "A self-employed pilot"),
        ("A self-", "ish pilot", "A selfish pilot"),
        ("In twenty-", "one years", "In twenty-one years"),
        ("The non-", "refundable fee", "The non-refundable fee"),
        ("It is non-", "sense", "It is nonsense"),
        ("All arri-", "vals by sea", "All arrivals by sea"),
        ("See page 12-", "14 of it", "See page 12-14 of it"),
        ("A write-", "down; two write-downs", "A write-down; two write-downs"),
    ],
)
def test_a_hyphen_at_a_line_end_stays_where_it_belongs_to_the_word(read, first, second, joined):
    assert read("a.pdf", make.pdf(f"{first}\n{second}")).text == joined
    pages = read("b.pdf", make.pdf(f"Above.\n{first}", f"{second}\nBelow.")).text
    assert pages.split() == f"Above. {joined} Below.".split() or first[-2].isdigit()


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("Per E-Mail-", "Adresse", "Per E-Mail-Adresse"),
        ("Die EU-", "Kommission", "Die EU-Kommission"),
        ("DER HAFEN-", "MEISTER", "DER HAFENMEISTER"),
        ("Der Hafen-", "meister", "Der Hafenmeister"),
    ],
)
def test_a_hyphen_before_a_capital_stays(read, first, second, joined):
    assert read("a.pdf", make.pdf(f"{first}\n{second}")).text == joined
