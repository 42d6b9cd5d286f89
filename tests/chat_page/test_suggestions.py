"""The questions that a page suggests fit the visitor's documents."""

from __future__ import annotations

from chat_page.documents.suggestions import questions
from rag.documents import Document


def document(name: str, text: str) -> Document:
    return Document(name, name, text, (), "text/markdown")


def test_headings_become_questions() -> None:
    text = (
        "# Guest house\n\n## Contents\n\n## *Kitchen*\n\n## A\n\n## The **garden**\n\n## Kitchen\n\n## Rooms\n\n## Bath"
    )
    assert questions([document("house.md", text)]) == (
        "What does house.md say about “Kitchen”?",
        "What does house.md say about “The garden”?",
        "What does house.md say about “Rooms”?",
    )


def test_the_numbers_of_sections_and_headings_of_every_text_are_left_out() -> None:
    text = (
        "# Manual\n\n## Note\n\n## 8.5.1.\u00a0Date/Time Input\n\n## E.21.1. Overview\n\n## Fixed\n\n"
        "## 1. Kitchen\n\n## 24 hours"
    )
    topics = ("Date/Time Input", "Kitchen", "24 hours")
    assert questions([document("house.md", text)]) == tuple(
        f"What does house.md say about “{each}”?" for each in topics
    )


def test_a_quantity_at_the_beginning_of_a_heading_is_no_section_number() -> None:
    text = "# Report\n\n## 3.5 million users\n\n## 3.6 Growth\n\n## 4.1.2 other costs"
    topics = ("3.5 million users", "Growth", "other costs")
    assert questions([document("report.md", text)]) == tuple(
        f"What does report.md say about “{each}”?" for each in topics
    )


def test_titles_in_the_text_of_a_pdf_become_questions() -> None:
    """Those that a row of a table answers come first, then those that it mentions most."""
    paragraph = "The company sold more in this quarter than in the one before, and expects the same for the next one"
    lines = [
        *("Free Cash Flow", f"{paragraph}, as to free cash flow."),
        *("Research and Development", f"{paragraph}: research and development, research and development."),
        *("Gross Margin", f"{paragraph}.", "Total gross margin | 1 | 2"),
        *("Climate Change", f"{paragraph}."),  # not mentioned again
        *("Sales rose", f"{paragraph}, because sales rose."),
        *("TABLE OF CONTENTS", f"{paragraph}. Table of contents."),
        *("Interest Rate Risk", "Interest rate risk."),  # not above a paragraph
    ]
    topics = ("Gross Margin", "Research and Development", "Free Cash Flow")
    expected = tuple(f"What does report.pdf say about “{topic}”?" for topic in topics)
    assert questions([document("report.pdf", "\n".join(lines))]) == expected


def test_documents_take_turns_and_the_newest_comes_first() -> None:
    prose = "This letter has no heading, but a sentence that says something."
    old, new = document("old.md", "# Old\n\n## Rooms\n\n## Baths"), document("scan.txt", prose)
    assert questions([old, new]) == (
        "What is scan.txt about?",
        "What does old.md say about “Rooms”?",
        "What does old.md say about “Baths”?",
    )
    assert questions([]) == ()


def test_a_document_without_headings_and_sentences_is_not_asked_about() -> None:
    assert questions([document("fees.csv", "name,fee\nboat,14\ncar,3\n")]) == ()
