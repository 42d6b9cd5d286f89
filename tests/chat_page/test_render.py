from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from backends import Delta, Interrupted
from chat_page import conversation, panel, render
from chat_page.conversation import Reply
from chat_page.memory import Sources
from rag.answering.answer import Citation
from rag.documents import Document, Passage
from rag.library.ingest import File, Snapshot
from ui.markdown import plain, safe_markdown

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
PASSAGE = Passage(1, "d", f"{EVIL}.pdf", None, EVIL, 0, 5, f"Text {EVIL}", 0.5, 0.4, None)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("![x](http://t/p.png)", "!\u200b[x](http://t/p.png)"),
        ("<img src='http://t/q.png'>", "<\u200bimg src='http://t/q.png'>"),
        ("a < b and 3<4", "a < b and 3<4"),
        ("`![x](y)` and ```\n<b>\n```", "`!\u200b[x](y)` and ```\n<\u200bb>\n```"),
        ("<!-- x --></p>", "<\u200b!-- x --><\u200b/p>"),
        ("```mermaid\nA@{ img: 'http://t/p.png' }", "`\u200b``mermaid\nA@{ img: 'http://t/p.png' }"),
    ],
)
def test_a_models_text_loads_nothing(text: str, safe: str) -> None:
    assert safe_markdown(text) == safe
    assert plain(safe) == text


def test_markers_become_links_and_nothing_else_does() -> None:
    one, two, far = render.marker(1, False), render.marker(2, True), render.marker(3, False)
    text = f"It is {one} and {two}, not {far} or [1] or [2+]; again {one}{two}; `rows{one}` stays. Great!{one}"
    assert render.linked(text, 4, 2) == (
        "It is [1](#source-4-1) and [2](#source-4-2a), not  or [1] or [2+]; again [1](#source-4-1-1)"
        "[2](#source-4-2-1a); `rows[1]` stays. Great!\u200b[1](#source-4-1-3)"
    )


@pytest.mark.parametrize(
    "address", ["#source-1-1", "http://t/#source-1-1", "&#35;source-1-1", "#&#115;ource-1-1", "&num;source-1-1"]
)
def test_a_models_own_link_never_leads_to_the_panel(address: str) -> None:
    shown = render.linked(safe_markdown(f"see [1]({address}) and [2][x]\n\n[x]: {address}"), 1, 3)
    assert "#source-" not in unescape(shown)


def test_documents_are_escaped_everywhere() -> None:
    files = Snapshot((File(1, EVIL, EVIL, 0.5), File(2, EVIL, result=EVIL)))
    html = render.documents_html([Document("id", EVIL, "text", (), "text/plain")], files)
    assert "<script" not in html
    assert "<img" not in html


def test_passages_are_escaped_everywhere() -> None:
    marked = Citation(PASSAGE, False, ((0, len(PASSAGE.text)),))
    sources = Sources(1, EVIL, (PASSAGE, replace(PASSAGE, number=2)), (marked,), 2)
    html = panel.sources_html([replace(sources, turn=0), sources])
    assert "<script" not in html
    assert "<img" not in html


def test_cited_passages_come_first_the_rest_is_folded() -> None:
    second = replace(PASSAGE, number=2)
    html = panel.sources_html([Sources(1, "q", (PASSAGE, second), (Citation(second, True),))])
    assert html.index('id="source-1-2"') < html.index("Also retrieved (1)") < html.index('id="source-1-1"')
    assert "matched by us" in html
    assert "cited by the model" in panel.sources_html([Sources(1, "q", (PASSAGE,), (Citation(PASSAGE, False),))])


def test_a_card_shows_the_marked_part_of_a_long_passage() -> None:
    text = "before " * 60 + "The kettle holds 1.7 litres." + " after" * 60
    start = text.index("The kettle")
    long = replace(PASSAGE, text=text, end=len(text))
    cited = Citation(long, False, ((start, start + 28), (start, start + 28), (start + 4, start + 10)))
    html = panel.sources_html([Sources(1, "q", (long,), (cited,))])
    assert "<mark>The kettle holds 1.7 litres.</mark>" in html
    assert html.count("<mark>") == 1
    assert "… before" in html
    assert html.count("before") < 30
    assert text.strip() in panel.sources_html([Sources(1, "q", (long,))])


def test_every_link_of_an_answer_has_its_place_in_the_panel() -> None:
    spans = ((0, 1), (1, 2), (2, 3))
    html = panel.sources_html([Sources(4, "q", (PASSAGE,), (Citation(PASSAGE, False, spans),))])
    text = "".join(render.marker(1, attributed) for attributed in (False, True, False))
    for link in re.findall(r"#([\w-]+)", render.linked(text, 4, 1)):
        assert f'id="{link}"' in html


def test_a_card_opens_what_its_citation_names() -> None:
    spans = ((2, 6), (7, 9))
    answers = [Sources(3, "q", (PASSAGE, replace(PASSAGE, number=2)), (Citation(PASSAGE, False, spans),))]
    assert 'data-open="3-1" aria-expanded="false" aria-controls="preview-3-1"' in panel.sources_html(answers)
    assert panel.find(answers, "3-1", 1) == panel.Opened(3, PASSAGE, (7, 9), 1)
    whole = (0, len(PASSAGE.text))
    assert [panel.find(answers, "3-1", claim).mark for claim in (0, 2, -1, 10**9)] == [(2, 6), whole, whole, whole]
    assert panel.find(answers, "3-2", 0).mark == whole
    opened = panel.opened_html(panel.find(answers, "3-1", 1), "<p>x</p>")
    assert opened == '<div data-preview="3-1" data-claim="1"><p>x</p></div>'


@pytest.mark.parametrize(
    "source", ["", "3", "4-1", "3-9", "3-1-1", "../3-1", "3-1\n", "None", "٣-١ ", "9" * 5000 + "-1"]
)
def test_an_event_that_names_nothing_opens_nothing(source: str) -> None:
    assert panel.find([Sources(3, "q", (PASSAGE,))], source, 0) is None


def test_thoughts_errors_and_pending_parts_are_never_sent() -> None:
    reply = Reply(1, error=Interrupted("It broke.", "Ask again."), ended=True)
    reply.add(Delta("Hm.", "thought"))
    reply.add(Delta("Half an answer"))
    history = [conversation.user_message("Why?"), *reply.messages()]
    assert [message.content for message in conversation.sendable(history)] == ["Why?", "Half an answer"]


def test_stop_leaves_nothing_pending() -> None:
    thinking = Reply(1)
    thinking.add(Delta("Hm.", "thought"))
    searching = Reply(1, status="Searching")
    assert searching.messages()[0]["metadata"]["status"] == "pending"
    assert conversation.settled(searching.messages()) == []
    assert conversation.settled(thinking.messages())[0]["metadata"] == {"title": "Thoughts", "status": "done"}


def test_an_empty_answer_is_said() -> None:
    assert "No answer came" in Reply(1, ended=True).messages()[0]["content"]


def test_back_to_the_question_of_an_answer() -> None:
    history = [
        conversation.user_message("a"),
        {"role": "assistant", "content": "1"},
        conversation.user_message("b"),
        {"role": "assistant", "content": [{"type": "text", "text": "2"}]},
    ]
    assert conversation.back_to_question(history, 3) == history[:3]
    assert conversation.back_to_question(history, 1) == history[:1]
    assert conversation.turn_of(history) == 2
    assert conversation.text_of(history[3]) == "2"
