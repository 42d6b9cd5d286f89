"""Quotes on the page: above the answer, with their places, and what is said if they may not answer."""

from __future__ import annotations

import re
from dataclasses import replace

from chat_page.rendering.messages import reply_messages
from chat_page.rendering.quotes import ShownQuotes
from chat_page.sources import panel
from chat_page.strings import Strings
from rag.answering.abstention.abstain import Abstention, AbstentionKind, Evidence
from rag.answering.citations.markers import Marker
from rag.answering.quotes import Quote
from rag.answering.turn import Turn, model_messages
from rag.answering.types import Citation, Sentence
from rag.documents import Passage

WORDS = "Net <b>sales</b>\n\nwere $$82,959$$ [a](b), *not* 2*3."
QUOTE = Quote("d", "report.pdf", 3, "Sales", 2, 2 + len(WORDS), WORDS, 27, 33, 0.9)
REPORT = Passage(1, "d", "report.pdf", 3, "Sales", 0, 60, f"a {WORDS} and so on", 0.5, 0.4, None)
SECOND = replace(REPORT, number=2)
QUOTED = Turn("q", passages=(REPORT,), quotes=(QUOTE,), finish_reason="quotes", target="small", writer="Small *model*")


def test_quotes_stand_above_the_answer_and_lead_to_their_place() -> None:
    [message] = reply_messages(QUOTED, 3)
    html = message["content"]
    assert html.startswith('<div class="sp-quotes"')
    assert "Net &lt;b&gt;sales&lt;/b&gt; were $<wbr>$<mark>82,959</mark>$<wbr>$ [a](b), <i>not</i> 2*3." in html
    assert '<a href="#source-3-1"><b>1</b> report.pdf, page 3</a>' in html
    assert "\n" not in html  # an empty line would end the HTML, and Markdown would read the words
    assert message["options"] == [
        {"value": "write", "label": "Write an answer with Small *model* (a small model, it may be wrong)"}
    ]
    written = replace(QUOTED, answer="So.", finish_reason="stop", writer="")
    quotes, answer = reply_messages(written, 3)
    assert (quotes["content"], "options" in quotes, answer["content"]) == (html, False, "So.")
    streaming = replace(QUOTED, finish_reason=None, writer="")
    assert [message["content"] for message in reply_messages(streaming, 3, "Writing")] == [html, ""]


def test_quotes_that_were_drawn_before_stay_above_the_answer_and_count_its_links() -> None:
    drawn = ShownQuotes.of(QUOTED, 3)
    written = replace(QUOTED, answer="So [1].", markers=(Marker(3, 1),), finish_reason=None, writer="")
    assert reply_messages(written, 3, "Writing", shown=drawn) == reply_messages(written, 3, "Writing")
    assert "#source-3-1-1" in str(reply_messages(written, 3, shown=drawn))  # the quote's own place comes first


def test_a_cell_is_quoted_with_its_row_and_column() -> None:
    cell = replace(QUOTE, labels=("Net <sales>", "Q2 2022", "in millions, except per share data"), row=1, column=1)
    [message] = reply_messages(replace(QUOTED, quotes=(cell,)), 1)
    words = 'Net &lt;sales&gt; · Q2 2022 · <mark class="sp-cell">82,959</mark> million</blockquote>'
    assert words in message["content"]
    without = replace(cell, labels=("", "Q2 2022"))
    [message] = reply_messages(replace(QUOTED, quotes=(without,)), 1)
    assert '"auto">Q2 2022 · <mark class="sp-cell">82,959</mark></blockquote>' in message["content"]
    for label in ("Net income per share", "Net income per diluted share", "Dividends per Class A common share"):
        share = replace(cell, labels=(label, "in millions, except per share data"))
        [message] = reply_messages(replace(QUOTED, quotes=(share,)), 1)
        assert f'"auto">{label} · <mark class="sp-cell">82,959</mark></blockquote>' in message["content"]
    shares = replace(cell, labels=("Shares sold per broker", "in millions"))
    [message] = reply_messages(replace(QUOTED, quotes=(shares,)), 1)
    assert "82,959</mark> million" in message["content"]


def test_the_nearest_quotes_of_an_abstention_stand_below_the_refusal() -> None:
    abstention = Abstention(AbstentionKind.WEAK_EVIDENCE, Evidence(0.1, 0.0))
    messages = reply_messages(replace(QUOTED, abstention=abstention, finish_reason="abstained", writer=""), 1)
    assert "<mark" in str(reply_messages(QUOTED, 1))
    assert "<mark" not in str(messages)  # a mark says "this is the answer"
    refusal, quotes, hint = (message["content"] for message in messages)
    assert refusal == "The documents do not answer this question."
    assert "82,959" in quotes
    assert "general knowledge" in hint


def test_unsure_quotes_say_so() -> None:
    [message] = reply_messages(replace(QUOTED, unsure=True), 1)
    assert Strings().unsure in message["content"]
    assert "<mark" in message["content"]
    assert 'aria-label="The closest words in the documents"' in message["content"]
    assert Strings().unsure not in str(reply_messages(QUOTED, 1))
    for turn in (QUOTED, replace(QUOTED, unsure=True)):
        assert ("Not sure" in str(model_messages([turn])[-1].content)) is turn.unsure


def test_a_refusal_has_its_reason() -> None:
    evidence = Evidence(0.1, 0.0)
    names = Abstention(AbstentionKind.NOT_MENTIONED, evidence, names=("Microsoft",))
    years = Abstention(AbstentionKind.OTHER_YEARS, evidence, years=("2020",), covered_years=("2022", "2023"))
    turn = Turn("q", finish_reason="abstained")
    assert reply_messages(replace(turn, abstention=names), 1)[0]["content"].endswith("No document mentions Microsoft.")
    assert reply_messages(replace(turn, abstention=years), 1)[0]["content"].endswith("The documents cover 2022, 2023.")


def test_an_answer_without_a_quote_says_so() -> None:
    [message] = reply_messages(replace(QUOTED, quotes=()), 1)
    assert "closest passages are under Sources" in message["content"]
    assert message["options"]


def test_the_places_of_quotes_come_before_those_of_citations() -> None:
    second = replace(QUOTE, start=20, end=31, text=REPORT.text[20:31], answer_start=20, answer_end=31)
    citation = Citation(REPORT, False, ((5, 9),))
    turn = replace(QUOTED, quotes=(QUOTE, second), answer="So [1].", markers=(Marker(3, 1),), citations=(citation,))
    quotes, answer = (message["content"] for message in reply_messages(turn, 2))
    assert re.findall(r"#([\w-]+)", quotes) == ["source-2-1", "source-2-1-1"]
    assert answer == "So [1](#source-2-1-2)."
    turns = [Turn("other"), turn]
    spans = [panel.find_source(turns, "2-1", claim).span for claim in range(3)]
    assert spans == [(QUOTE.start, QUOTE.end), (20, 31), (5, 9)]
    html = panel.sources_html(turns)
    assert all(f'id="source-2-1{end}"' in html for end in ("", "-1", "-2", "-2a"))


def test_the_marked_part_of_a_quoted_cell_is_the_cell() -> None:
    cell = replace(QUOTE, labels=("Net sales", "2022"), row=1, column=1)
    source = panel.find_source([replace(QUOTED, quotes=(cell,))], "1-1", 0)
    assert REPORT.text[slice(*source.span)] == "82,959"


def test_a_quoted_passage_is_a_cited_source() -> None:
    html = panel.sources_html([replace(QUOTED, passages=(REPORT, SECOND))])
    assert html.index('id="source-1-1"') < html.index("Also retrieved (1)") < html.index('id="source-1-2"')
    assert '<span class="sp-how">Quoted</span>' in html


def test_an_answer_of_which_nothing_is_in_the_documents_is_folded() -> None:
    turn = replace(QUOTED, answer="It was 5.", sentences=(Sentence(0, 9, False),), finish_reason="stop", writer="")
    quotes, answer = reply_messages(turn, 1)
    assert "82,959" in quotes["content"]
    assert answer["content"].startswith("<details><summary>The model wrote an answer, but none of it was found")
    assert "<details>" not in reply_messages(replace(turn, finish_reason=None), 1)[1]["content"]  # while it streams
    assert [message.content for message in model_messages([turn])] == ["q", f"{QUOTE.text} [1]"]


def test_a_model_reads_the_quotes_of_earlier_turns() -> None:
    assert [message.content for message in model_messages([QUOTED])] == ["q", f"{QUOTE.text} [1]"]
