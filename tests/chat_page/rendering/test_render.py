"""Turns and documents as the page shows them: messages, the source panel and the document list."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from urllib.parse import unquote

import pytest

from backends import Delta, Done, Interrupted
from chat_page.answers.reply import Reply
from chat_page.conversations.conversation import Conversation
from chat_page.rendering.documents import documents_html, file_summary, note_text
from chat_page.rendering.folding import fold_end
from chat_page.rendering.markdown import linked_answer
from chat_page.rendering.messages import conversation_messages, reply_messages, turn_index
from chat_page.rendering.quotes import ShownQuotes
from chat_page.sources import panel
from chat_page.strings import Strings
from rag.answering.abstention.abstain import Abstention, AbstentionKind, Evidence
from rag.answering.citations.markers import Marker, anchors
from rag.answering.measurements import Measurements
from rag.answering.quotes import Quote
from rag.answering.turn import Turn, model_messages
from rag.answering.types import AnswerEnd, Citation, Retrieval, Sentence
from rag.documents import Document, Note, NoteKind, Passage
from rag.errors import DocumentError
from rag.library.progress import FileProgress, FileSummary, Snapshot, Step
from ui.markdown import safe_markdown

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
PASSAGE = Passage(1, "d", f"{EVIL}.pdf", None, EVIL, 0, 5, f"Text {EVIL}", 0.5, 0.4, None)
SECOND = replace(PASSAGE, number=2)


def markers_in(answer: str, *attributed: bool) -> tuple[Marker, ...]:
    """A marker for each `[n]` of an answer, in order, as far as `attributed` goes."""
    matches = re.finditer(r"\[(\d)\]", answer)
    return tuple(Marker(match.start(), int(match[1]), each) for match, each in zip(matches, attributed, strict=False))


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("![x](http://t/p.png)", "!\u200b[x](http://t/p.png)"),
        ("<img src='http://t/q.png'>", "<\u200bimg src='http://t/q.png'>"),
        ("a < b and 3<4", "a < b and 3<4"),
        ("`![x](y)` and ```\n<b>\n```", "`!\u200b[x](y)` and ```\n<\u200bb>\n```"),
        ("<!-- x --></p>", "<\u200b!-- x --><\u200b/p>"),
        ("```mermaid\nA@{ img: 'http://t/p.png' }", "```text mermaid\nA@{ img: 'http://t/p.png' }"),
        ("~~~ CPP\nint x;", "~~~c  CPP\nint x;"),
    ],
)
def test_the_text_of_a_model_loads_nothing(text: str, safe: str) -> None:
    assert safe_markdown(text) == safe


def test_only_markers_become_links() -> None:
    text = "It is [1] and [2]; again [1][2]; `rows[1]` stays. Great![1] But not [1] or [2+] or [3]."
    markers = markers_in(text, False, True, False, True, False, False)
    assert linked_answer(text, markers, 4) == (
        "It is [1](#source-4-1) and [2](#source-4-2a); again [1](#source-4-1-1)[2](#source-4-2-1a); `rows[1]` stays. "
        "Great!\u200b[1](#source-4-1-3) But not [1] or [2+] or [3]."
    )


def test_a_marker_without_its_text_is_no_link_yet() -> None:
    markers = (Marker(3, 1), Marker(9, 2))
    assert linked_answer("So [1] a", markers, 1) == "So [1](#source-1-1) a"
    assert linked_answer("", markers, 1) == ""


OWN_LINKS = [
    "#source-1-1",
    "http://t/#source-1-1",
    "&#35;source-1-1",
    "#&#115;ource-1-1",
    "&num;source-1-1",
    "#%73ource-1-1",
    "#%73%6Furce%2d1-1",
    "#&percnt;73ource-1-1",
    "#source\\-1-1",
    "#\\%73ource-1-1",
    "#so&Tab;urce-1-1",
    "#&#x00000000073;ource-1-1",
]


@pytest.mark.parametrize("address", OWN_LINKS)
@pytest.mark.parametrize(
    "answer",
    [
        "see [1]({}) and [2][x]\n\n[x]: {}",
        "```mermaid\n[1]({})\n```",  # a renderer no longer takes it for code
        "` [1]({}) ``",  # a renderer never takes it for code
    ],
    ids=["text", "diagram", "uneven backticks"],
)
def test_the_own_link_of_a_model_never_leads_to_the_panel(address: str, answer: str) -> None:
    markdown = linked_answer(answer.replace("{}", address), (), 1)
    assert "#source-" not in as_a_browser_reads(markdown)


def as_a_browser_reads(markdown: str) -> str:
    """Return Markdown with the spellings of its addresses resolved."""
    return unquote(re.sub(r"[\t\n\\]", "", unescape(re.sub(r"&#x0+", "&#x", markdown))))


def test_an_address_without_a_citation_stays_as_it_is() -> None:
    text = "See [the page](https://t/a#part) and #5 of `a & b`.\n\n# A heading"
    assert linked_answer(text, (), 1) == text


def test_documents_are_escaped_everywhere() -> None:
    files = Snapshot(
        (
            FileProgress(1, EVIL, Step.READING, 0.5),
            FileProgress(2, EVIL, result=DocumentError(EVIL)),
            FileProgress(3, EVIL, result=FileSummary(EVIL, 1, 1, 1, False)),
        )
    )
    html = documents_html([Document("id", EVIL, "text", (), "text/plain")], files)
    assert "4 characters" in html
    assert "<script" not in html
    assert "<img" not in html


def test_the_page_names_each_step_and_sums_up_each_result() -> None:
    files = [FileProgress(1, "a.txt", step, 0.5) for step in Step if step is not Step.DONE]
    html = documents_html([], Snapshot(tuple(files)))
    assert all(f"{word} 50%" in html for word in ("Waiting", "Reading", "Embedding", "Saving", "Stopping"))
    assert file_summary(FileSummary("a.txt", 0, 41, 1, False)) == "a.txt: 41 characters, 1 passage"
    assert file_summary(FileSummary("b.pdf", 3, 4100, 12, True)) == (
        "b.pdf: 3 pages, 4,100 characters, 12 passages (already added)"
    )


def test_passages_are_escaped_everywhere() -> None:
    citation = Citation(PASSAGE, False, ((0, len(PASSAGE.text)),))
    turn = Turn(EVIL, passages=(PASSAGE, SECOND), citations=(citation,), invalid_markers=2)
    html = panel.sources_html([turn, turn])
    assert "<script" not in html
    assert "<img" not in html


def test_cited_passages_come_first_the_rest_is_folded() -> None:
    html = panel.sources_html([Turn("q", passages=(PASSAGE, SECOND), citations=(Citation(SECOND, True),))])
    assert html.index('id="source-1-2"') < html.index("Also retrieved (1)") < html.index('id="source-1-1"')
    assert "Added by Spaceport" in html
    cited = Turn("q", passages=(PASSAGE,), citations=(Citation(PASSAGE, False),))
    assert "Cited by the model" in panel.sources_html([cited])


def test_the_newest_answer_comes_first_and_earlier_ones_are_folded() -> None:
    turns = [Turn("Old?", passages=(PASSAGE,)), Turn("Plain chat?"), Turn("New?", passages=(PASSAGE,))]
    html = panel.sources_html(turns)
    assert html.index('id="source-3-1"') < html.index("<summary>Old?</summary>") < html.index('id="source-1-1"')


def test_a_card_shows_the_highlighted_part_of_a_long_passage() -> None:
    text = "before " * 60 + "The kettle holds 1.7 litres." + " after" * 60
    start = text.index("The kettle")
    long = replace(PASSAGE, text=text, end=len(text))
    citation = Citation(long, False, ((start, start + 28), (start, start + 28), (start + 4, start + 10)))
    html = panel.sources_html([Turn("q", passages=(long,), citations=(citation,))])
    assert "<mark>The kettle holds 1.7 litres.</mark>" in html
    assert html.count("<mark>") == 1
    assert "… before" in html
    assert html.count("before") < 30
    assert text.strip() in panel.sources_html([Turn("q", passages=(long,))])


def test_every_link_of_an_answer_has_its_place_in_the_panel() -> None:
    spans = ((0, 1), (1, 2), (2, 3))
    html = panel.sources_html([Turn("q"), Turn("q", passages=(PASSAGE,), citations=(Citation(PASSAGE, False, spans),))])
    text = "[1][1][1]"
    markers = markers_in(text, False, True, False)
    links = re.findall(r"#([\w-]+)", linked_answer(text, markers, 2))
    assert links == [anchor for _, anchor in anchors(markers, 2)]
    for link in links:
        assert f'id="{link}"' in html


def test_a_card_opens_the_passage_of_its_citation() -> None:
    spans = ((2, 6), (7, 9))
    turn = Turn("q", passages=(PASSAGE, SECOND), citations=(Citation(PASSAGE, False, spans),))
    turns = [Turn("a"), Turn("b"), turn]
    assert 'data-open="3-1" aria-expanded="false" aria-controls="preview-3-1"' in panel.sources_html(turns)
    assert panel.find_source(turns, "3-1", 1) == panel.OpenSource(3, PASSAGE, (7, 9), 1)
    whole = (0, len(PASSAGE.text))
    assert [panel.find_source(turns, "3-1", claim).span for claim in (0, 2, -1, 10**9)] == [(2, 6), whole, whole, whole]
    assert panel.find_source(turns, "3-2", 0).span == whole
    value = panel.preview_value(panel.find_source(turns, "3-1", 1), "<p>x</p>")
    assert value == '<div data-preview="3-1" data-view="1-0"><p>x</p></div>'


@pytest.mark.parametrize(
    "source", ["", "3", "4-1", "0-1", "3-9", "3-1-1", "../3-1", "3-1\n", "None", "٣-١ ", "9" * 5000 + "-1"]
)
def test_an_event_without_a_source_opens_nothing(source: str) -> None:
    assert panel.find_source([Turn("a"), Turn("b"), Turn("q", passages=(PASSAGE,))], source, 0) is None


WORDS = "Net <b>sales</b>\n\nwere $$82,959$$ [a](b), *not* 2*3."
QUOTE = Quote("d", "report.pdf", 3, "Sales", 2, 2 + len(WORDS), WORDS, 27, 33, 0.9)
REPORT = Passage(1, "d", "report.pdf", 3, "Sales", 0, 60, f"a {WORDS} and so on", 0.5, 0.4, None)
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


def test_a_sentence_that_is_not_in_the_documents_is_underlined() -> None:
    answer = "It was 5 <img> #source-1-1. It was 82,959 [1]. `It was 6.`"
    sentences = (Sentence(0, 27, False), Sentence(28, 41, True, (1,)), Sentence(48, 57, False))
    turn = Turn("q", answer, markers=(Marker(42, 1),), sentences=sentences, finish_reason="stop")
    [message] = reply_messages(turn, 1)
    assert message["content"] == (
        '<span class="sp-unsupported" title="not found in the documents">It was 5 <\u200bimg> #\u200bsource-1-1.</span>'
        " It was 82,959 [1](#source-1-1). `It was 6.`"
    )
    assert "metadata" not in message


def test_an_answer_of_which_nothing_is_in_the_documents_is_folded() -> None:
    turn = replace(QUOTED, answer="It was 5.", sentences=(Sentence(0, 9, False),), finish_reason="stop", writer="")
    quotes, answer = reply_messages(turn, 1)
    assert "82,959" in quotes["content"]
    assert answer["content"].startswith("<details><summary>The model wrote an answer, but none of it was found")
    assert "<details>" not in reply_messages(replace(turn, finish_reason=None), 1)[1]["content"]  # while it streams
    assert [message.content for message in model_messages([turn])] == ["q", f"{QUOTE.text} [1]"]


def test_a_model_reads_the_quotes_of_earlier_turns() -> None:
    assert [message.content for message in model_messages([QUOTED])] == ["q", f"{QUOTE.text} [1]"]


def test_thoughts_and_errors_are_never_sent_to_the_model() -> None:
    reply = Reply(Turn("Why?"), error=Interrupted("It broke.", "Try again."))
    reply.add(Delta("Hm.", "thought"))
    reply.add(Delta("Half an answer"))
    turn = reply.turn(ended=True)
    assert [message.content for message in model_messages([turn])] == ["Why?", "Half an answer"]
    assert "> **It broke.**\n>\n> Try again." in [message["content"] for message in reply_messages(turn, 1)]


def test_a_hostile_answer_reaches_the_model_as_it_was_and_the_page_as_text() -> None:
    answer = "Look ![x](http://t/p.png) <b>"
    turn = Turn("<img src=x>", answer, finish_reason="stop")
    assert [message.content for message in model_messages([turn])] == ["<img src=x>", answer]
    assert [message["content"] for message in conversation_messages(Conversation((turn,)))] == [
        "<\u200bimg src=x>",
        "Look !\u200b[x](http://t/p.png) <\u200bb>",
    ]


def test_nothing_is_pending_unless_an_answer_streams() -> None:
    thinking = Reply(Turn("q"))
    assert reply_messages(thinking.turn(), 1, thinking.status)[0]["metadata"]["status"] == "pending"
    assert reply_messages(thinking.turn(), 1) == []
    thinking.add(Delta("Hm.", "thought"))
    assert reply_messages(thinking.turn(), 1, thinking.status)[0]["metadata"]["title"] == "Thinking"
    assert reply_messages(thinking.turn(), 1)[0]["metadata"] == {"title": "Thoughts", "status": "done"}


def test_the_status_says_what_happens_before_the_first_word() -> None:
    reply = Reply(Turn("q"))
    assert reply.status == "Searching the documents"
    assert Reply(Turn("q"), loads_search=True).status == "Loading the search model"
    reply.add(Retrieval((PASSAGE, SECOND)))
    assert reply.status == "Reading 2 passages"
    assert reply.starts_section(Delta("So"))
    reply.add(Delta("So"))
    assert not reply.starts_section(Delta(" it"))
    assert not reply.starts_section(Marker(2, 1))
    reply.add(Marker(3, 1))
    reply.add(Delta(" [1]"))
    reply.add(AnswerEnd((), 0, Done("length", None)))
    assert (reply.turn().answer, reply.turn().markers, reply.turn().finish_reason) == (
        "So [1]",
        (Marker(3, 1),),
        "length",
    )


def test_an_empty_answer_is_reported() -> None:
    turn = Reply(Turn("q")).turn(ended=True)
    assert turn.finish_reason == "stopped"
    assert [message["content"] for message in reply_messages(turn, 1)] == ["*Stopped.*"]
    empty = replace(turn, finish_reason="stop")
    assert "no answer" in reply_messages(empty, 1)[0]["content"]


@pytest.mark.parametrize(
    ("reason", "note"), [("stopped", "*Stopped.*"), ("length", "*Stopped at the length limit"), ("stop", "")]
)
def test_an_answer_that_ended_early_says_so(reason: str, note: str) -> None:
    turn = Turn("q", "Half an", finish_reason=reason, target="<b>", measurements=Measurements(total_seconds=2.5))
    answer, *notes, line = [message["content"] for message in reply_messages(turn, 1)]
    assert answer == "Half an"
    assert [each.startswith(note) for each in notes] == [True] * bool(note)
    assert line == '<div class="sp-line">&lt;b&gt; · 2.5 s</div>'


def test_the_line_under_an_answer_has_its_details_folded() -> None:
    measured = Measurements(0.5, 1.25, 2.5, 20, 1_500, 31, 3_000, omitted_passages=1)
    turn = Turn("q", "So.", finish_reason="stop", target="laptop", measurements=measured)
    line = reply_messages(turn, 1)[-1]["content"]
    assert "<summary>laptop · 2.5 s · 31 tokens</summary>quotes found in 0.50 s · first token 1.25 s" in line
    assert "1,500 of 3,000 tokens sent (50%) · 1 passage didn't fit" in line
    titled = replace(turn, target_title="SmolLM2 <135M>")  # as the composer calls it
    assert "<summary>SmolLM2 &lt;135M&gt; · 2.5 s" in reply_messages(titled, 1)[-1]["content"]
    assert "sp-line" not in str(reply_messages(replace(turn, finish_reason=None), 1))
    quotes = replace(turn, finish_reason="quotes", measurements=Measurements(0.5))
    assert reply_messages(quotes, 1)[-1]["content"] == '<div class="sp-line">quotes found in 0.50 s</div>'


def test_a_message_belongs_to_its_turn() -> None:
    turns = (Turn("a", "1", thought="Hm.", finish_reason="stop"), Turn("b", "2", finish_reason="stop"), Turn("c"))
    conversation = Conversation(turns)
    assert [message["role"] for message in conversation_messages(conversation)].count("user") == 3
    assert [turn_index(conversation, index) for index in range(7)] == [0, 0, 0, 1, 1, 2, None]
    shared = Conversation((Turn("a", "1", shared=True, target="laptop"), Turn("b")))
    assert len(conversation_messages(shared)) == 5
    assert [turn_index(shared, index) for index in range(6)] == [0, 0, 0, 0, 1, None]


def test_a_document_shows_the_notes_of_its_reader():
    notes = (Note(NoteKind.PICTURE_PAGES, 1, ("2",)), Note(NoteKind.ENCODING_UNSURE, places=("cp1252", "<cp850>")))
    document = Document("id", "a.txt", "text", (), "text/plain", notes=notes)
    html = documents_html([document])
    assert "1 page is a picture that was not read: 2" in html
    assert "cp1252, or &lt;cp850&gt;" in html
    assert "was not read: 2" in file_summary(FileSummary("a.txt", 0, 4, 1, False, notes))


def test_each_kind_of_note_has_its_own_sentence():
    sentences = [note_text(Note(kind, count, ("a", "b"))) for kind in NoteKind for count in (1, 1_234)]
    assert len(set(sentences)) == 2 * len(NoteKind) - 1  # a guess of the encoding has no number
    assert "1,234 hidden sheets were not read: a, b" in sentences


def test_a_very_long_answer_folds_when_the_next_question_comes() -> None:
    text = "\n\n".join(
        [("A paragraph of an answer. " * 20).strip()] * 6
        + ["```\ncode\n\n\nmore\n```"]
        + [("The end. " * 60).strip()] * 10
    )
    turn = Turn("q", text, finish_reason="stop")
    _, newest = conversation_messages(Conversation((turn,)))
    assert newest["content"] == text
    _, older, *_ = conversation_messages(Conversation((turn, Turn("next"))))
    beginning, summary, rest = re.split("<details>(<summary>.*</summary>)", older["content"])
    assert 3_000 <= len(beginning) < 4_000
    assert beginning.count("```") % 2 == rest.count("```") % 2 == 0
    assert f"{beginning.strip()}\n\n{rest.removesuffix('</details>').strip()}" == text.strip()
    assert "Show the rest (" in summary
    short = replace(turn, answer=text[:5_000])
    assert "<details>" not in str(conversation_messages(Conversation((short, Turn("next")))))


ITEMS = [f"{number}. An item of a long list, with some words.\n" for number in range(1, 301)]
ROWS = [f"| row {number} | some words of a cell |\n" for number in range(300)]
HEAD = "| Name | Words |\n|---|---|\n"


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("".join(ITEMS), ""),
        ("\n".join(ITEMS), ""),
        (f"Here:\n\n{HEAD}{''.join(ROWS)}", HEAD),
        (f"{HEAD}{''.join(ROWS)}\nThe end.", HEAD),
    ],
    ids=["list", "loose list", "table", "table and words"],
)
def test_a_list_or_table_that_is_very_long_folds_between_its_lines(text: str, again: str) -> None:
    beginning, rest = folded(text)
    assert rest.startswith(again)
    assert 3_000 <= len(beginning) < 3_200
    assert f"{beginning}\n{rest.removeprefix(again)}".split() == text.split()
    assert re.match(r"\d+\. |\| row", rest.removeprefix(again))


def test_code_that_is_very_long_folds_as_a_whole_and_stays_closed() -> None:
    code = "~~~python\n" + "print('a line of code')\n\n- no list\n" * 300
    assert folded(f"{code}~~~") == ("", f"{code}~~~")
    assert folded(f"So:\n\n{code}") == ("So:", f"{code.strip()}\n~~~")  # it was stopped
    assert folded(f"So:\n\n{code}~~~\n\nThat's it.")[1] == f"{code}~~~\n\nThat's it."


def test_a_formula_is_never_cut() -> None:
    assert folded("```x``` is code.\n\n" + "Some words.\n\n" * 900)[0].startswith("```x``` is code.")  # no fence
    assert "<details>" not in fold_end("$$\n" + "1. x\n" * 3_000 + "$$")


def folded(text: str) -> tuple[str, str]:
    """Return what stays of a long answer, and what is folded."""
    beginning, _, rest = re.split("<details>(<summary>.*</summary>)", fold_end(text))
    return beginning.strip(), rest.removesuffix("</details>").strip()
