from __future__ import annotations

from dataclasses import replace

import pytest

import page
from backends import Delta, Interrupted
from rag import conversation, render
from rag.answer import Citation
from rag.conversation import Reply
from rag.documents import Document
from rag.retrieve import Passage
from rag.visitors import Sources

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
PASSAGE = Passage(1, "d", f"{EVIL}.pdf", None, EVIL, 0, 5, f"Text {EVIL}", 0.5, 0.4, None)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("![x](http://t/p.png)", "!\u200b[x](http://t/p.png)"),
        ("<img src='http://t/q.png'>", "&lt;img src='http://t/q.png'>"),
        ("a < b and 3<4", "a < b and 3<4"),
        ("`![x](y)` and ```\n<b>\n```", "`![x](y)` and ```\n<b>\n```"),
        ("```\n<b> not closed", "```\n<b> not closed"),
        ("<!-- x --></p>", "&lt;!-- x -->&lt;/p>"),
    ],
)
def test_a_models_text_loads_nothing(text: str, safe: str) -> None:
    assert page.safe_markdown(text) == safe


def test_markers_become_links_and_nothing_else_does() -> None:
    text = "It is [1] and [2+], not [3]; `rows[1]` stays."
    assert render.linked(text, 4, 2) == "It is [1](#source-4-1) and [2](#source-4-2a), not [3]; `rows[1]` stays."


def test_documents_and_passages_are_escaped_everywhere() -> None:
    sources = Sources(1, EVIL, (PASSAGE, replace(PASSAGE, number=2)), (Citation(PASSAGE, False),), 2)
    older = replace(sources, turn=0)
    html = render.sources_html([older, sources])
    html += render.documents_html([Document("id", EVIL, "text", (), "text/plain")], [(EVIL, False)])
    html += render.progress_html(EVIL, "Reading", 0.5)
    assert "<script" not in html
    assert "<img" not in html


def test_cited_passages_come_first_the_rest_is_folded() -> None:
    second = replace(PASSAGE, number=2)
    html = render.sources_html([Sources(1, "q", (PASSAGE, second), (Citation(second, True),))])
    assert html.index('id="source-1-2"') < html.index("Also retrieved (1)") < html.index('id="source-1-1"')
    assert "matched by words" in html


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
