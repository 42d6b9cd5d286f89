"""A conversation as one HTML file."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from chat_page.sharing.web_page import as_html
from rag.answering.abstention.abstain import Abstention, AbstentionKind, Evidence
from rag.answering.citations.markers import Marker
from rag.answering.quotes import Quote
from rag.answering.turn import ErrorMessage, Turn
from rag.answering.types import Citation, Sentence
from rag.documents import Passage

TEXT = "Sales rose. Net sales were 82,959 million dollars in the third quarter. Costs fell."
PASSAGE = Passage(1, "d", "report.pdf", 3, "Sales", 100, 100 + len(TEXT), TEXT, 0.5, 0.4, None)
SENTENCE = TEXT.index("Net"), TEXT.index(" Costs")
QUOTE = Quote(
    "d", "report.pdf", 3, "Sales", 100 + SENTENCE[0], 100 + SENTENCE[1], TEXT[slice(*SENTENCE)], 127, 141, 0.9
)
TURN = Turn(
    "How much were net sales?",
    "They were **82,959 million** [1].",
    passages=(PASSAGE,),
    citations=(Citation(PASSAGE, False, (SENTENCE,)),),
    markers=(Marker(29, 1),),
    finish_reason="stop",
    target="laptop",
    asked_at="2026-11-29T20:00:00Z",
    quotes=(QUOTE,),
)
HOSTILE = (
    '<script>alert(1)</script><img src="https://evil.example/x"> ![x](https://evil.example/y) [go](javascript:alert(1))'
)


class _Page(HTMLParser):
    """The tags of a page, its addresses, its ids and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.links, self.ids, self.words = set[str](), list[str](), set[str](), ""
        self.attributes = set[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.ids.update(value or "" for name, value in attrs if name == "id")

    def handle_data(self, data: str) -> None:
        self.words += data


def test_each_citation_leads_to_the_words_that_it_cites() -> None:
    html = as_html([TURN, TURN])
    page = _Page(html)
    assert len(page.links) == 4  # the quote's and the answer's, of two turns
    assert all(link.removeprefix("#") in page.ids for link in page.links)
    assert f"<mark>{TEXT[slice(*SENTENCE)]}</mark>" in html
    assert "<strong>82,959 million</strong>" in html
    assert "<title>How much were net sales?</title>" in html
    assert "laptop · 2026-11-29T20:00:00Z" in page.words


def test_hostile_texts_stay_texts() -> None:
    passage = replace(PASSAGE, document=HOSTILE, heading=HOSTILE, text=HOSTILE * 2)
    quote = replace(QUOTE, document=HOSTILE, text=HOSTILE, start=100, end=100 + len(HOSTILE), answer_start=105)
    turn = replace(
        TURN,
        question=HOSTILE,
        answer=f"{HOSTILE}\n\n    {HOSTILE}\n\n`{HOSTILE}`",
        markers=(),
        passages=(passage,),
        citations=(Citation(passage, True, ((0, 8),)),),
        quotes=(quote,),
        target=HOSTILE,
        error=ErrorMessage(HOSTILE, HOSTILE),
    )
    for each in (turn, replace(turn, shared=True)):
        page = _Page(as_html([each]))
        assert not page.tags & {"script", "img", "iframe", "object", "svg", "form"}
        assert not {name for name in page.attributes if name.startswith("on") or name == "src"}
        # The address of a picture is a link at most, which loads nothing until somebody follows it.
        others = {link for link in page.links if not link.startswith("#")}
        assert others <= (set() if each.shared else {"https://evil.example/y"})
        assert "alert(1)" in page.words


def test_a_link_of_a_shared_conversation_is_text() -> None:
    answer = "See [the report](https://evil.example/report)."
    assert "https://evil.example" in "".join(_Page(as_html([replace(TURN, answer=answer, markers=())])).links)
    shared = replace(TURN, answer=answer, markers=(), shared=True, passages=(), quotes=())
    assert not _Page(as_html([shared])).links


def test_a_refusal_says_why_and_has_no_mark() -> None:
    abstention = Abstention(AbstentionKind.NOT_MENTIONED, Evidence(0.1, 0.2, 0.15), names=("Contoso",))
    turn = replace(TURN, answer="", markers=(), citations=(), abstention=abstention, finish_reason="abstained")
    html = as_html([turn])
    assert "Contoso" in html
    assert "<figure" in html and "<mark>" not in html.partition("<article")[0]


def test_what_the_documents_dont_support_is_listed() -> None:
    answer = "They were 82,959 million [1]. The moon is made of cheese."
    end = Sentence(answer.index("The moon"), len(answer), supported=False)
    words = _Page(as_html([replace(TURN, answer=answer, markers=(Marker(25, 1),), sentences=(end,))])).words
    assert words.count("The moon is made of cheese.") == 2


@pytest.mark.parametrize("formula", [r"$E = mc^2$", r"\(E = mc^2\)", r"\[E = mc^2\]"])
def test_code_and_formulas_are_as_the_model_wrote_them(formula: str) -> None:
    code = "template <typename T> auto f = [](int x) { return !x; };"
    words = _Page(as_html([replace(TURN, answer=f"{formula}\n\n```cpp\n{code}\n```", markers=())])).words
    assert code in words
    assert "E = mc^2" in words and re.search(r"\\[(\[]E", words)


def test_an_empty_conversation_is_a_page_too() -> None:
    assert as_html([]).startswith("<!doctype html>")
