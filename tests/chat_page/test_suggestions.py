"""The questions that a page suggests fit the visitor's documents."""

from __future__ import annotations

from chat_page.suggestions import questions
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


def test_documents_take_turns_and_the_newest_comes_first() -> None:
    old, new = document("old.md", "# Old\n\n## Rooms\n\n## Baths"), document("scan.txt", "No heading.")
    assert questions([old, new]) == (
        "What is scan.txt about?",
        "What does old.md say about “Rooms”?",
        "What does old.md say about “Baths”?",
    )
    assert questions([]) == ()
