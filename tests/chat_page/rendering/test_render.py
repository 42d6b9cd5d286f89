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
from chat_page.rendering.markdown import linked_answer
from chat_page.rendering.messages import conversation_messages, reply_messages, turn_index
from chat_page.sources import panel
from rag.answering.citations.markers import Marker, anchors
from rag.answering.measurements import Measurements
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
