"""A conversation to take along, and a link that anybody may have made."""

from __future__ import annotations

import base64
import json
import resource
import zlib
from dataclasses import fields, replace
from typing import Any

import pytest

from backends import Delta, Interrupted
from chat_page import conversation
from chat_page.conversation import Reply
from chat_page.export import Exchange, Quote, as_json, as_markdown, exchanges, harmless
from chat_page.memory import Sources
from chat_page.render import marker
from chat_page.share import MAX_INFLATED, MAX_LINK, ShareError, download_js, fragment, messages, opened
from chat_page.strings import ENGLISH, Words, counted
from rag.answering.answer import Citation, Found
from rag.documents import Passage

PASSAGE = Passage(1, "d", "report.pdf", 3, "Sales", 10, 31, "Net sales were 82,959", 0.5, 0.4, None)
EXCHANGE = Exchange("How much?", "It was 82,959 [1].", (Quote(1, "report.pdf", 3),), "laptop", "2026-11-21T16:00:00Z")
TURN: dict[str, Any] = {"q": "Why?", "a": "So [1].", "c": [{"n": 1, "d": "a.pdf", "p": 2}], "m": "laptop", "t": ""}


def packed(data: object) -> str:
    """A fragment that says whatever one wants."""
    return deflated(data if isinstance(data, bytes) else json.dumps(data).encode())


def deflated(data: bytes) -> str:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.urlsafe_b64encode(packer.compress(data) + packer.flush()).decode().rstrip("=")


def history() -> list[dict[str, Any]]:
    first, second = (
        Reply(1, found=Found((PASSAGE, PASSAGE)), ended=True),
        Reply(2, error=Interrupted("It broke.", "Ask again."), ended=True),
    )
    first.add(Delta("Secret reasoning.", "thought"))
    markers = marker(1, False) + marker(2, True)
    first.add(Delta(f"It was <b>82,959</b> ![x](http://t/p.png) {markers}; `a[1]`."))
    second.add(Delta("Half"))
    asked = [conversation.user_message("How much?"), conversation.user_message("And now?")]
    return [asked[0], *first.messages(), asked[1], *second.messages()]


def test_a_history_gives_questions_answers_and_citations_alone() -> None:
    sources = {1: Sources(1, "How much?", (PASSAGE,), (Citation(PASSAGE, True, ((15, 21), (0, 0))),))}
    first, second = exchanges(history(), sources, {1: ("laptop", "2026-11-21T16:00:00Z")})
    assert first.question == "How much?"
    assert first.answer == "It was <b>82,959</b> ![x](http://t/p.png) [1][2]; `a[1]`."
    assert first.quotes == (Quote(1, "report.pdf", 3, "Sales", 10, 31, "Net sales were 82,959", ((25, 31),), True),)
    assert (first.target, first.time) == ("laptop", "2026-11-21T16:00:00Z")
    assert second == Exchange("And now?", "Half")


def test_json_has_every_citation_with_its_exact_span() -> None:
    (exchange,) = exchanges(history()[:3], {1: Sources(1, "q", (PASSAGE,), (Citation(PASSAGE, False),))})
    (read,) = json.loads(as_json([exchange]))["exchanges"]
    assert (
        read["quotes"][0] | {"number": 1, "document": "report.pdf", "page": 3, "start": 10, "end": 31}
        == (read["quotes"][0])
    )
    assert read["quotes"][0]["text"] == "Net sales were 82,959"
    assert read["answer"] == exchange.answer


def test_markdown_is_for_people_and_loads_nothing() -> None:
    evil = "![x](http://t/p.png)\n```mermaid\n<img src=http://t>\n```\nand <script>"
    quote = Quote(1, "report.pdf", 3, start=1_000, end=1_000 + len(evil), text=evil)
    text = as_markdown([replace(EXCHANGE, answer="It is.\n" + evil, quotes=(quote,)), EXCHANGE])
    assert f"> **[1] report.pdf, page 3**\n>\n> Characters 1,000 to {1_000 + len(evil):,}:\n>\n> " in text
    assert text.count("### Question\n\nHow much?") == 2
    assert "*laptop · 2026-11-21T16:00:00Z*" in text
    for active in ("![", "](", "<img", "<script", "```mermaid"):
        assert active not in text


def test_markdown_quotes_the_span_that_supports() -> None:
    quote = Quote(1, "a.md", None, "Sales", 10, 31, "Net sales were 82,959", spans=((25, 31), (25, 31)))
    text = as_markdown([replace(EXCHANGE, quotes=(quote,))])
    assert text.endswith(
        "> **[1] a.md, Sales**\n>\n> Characters 25 to 31:\n>\n> 82,959\n\n*laptop · 2026-11-21T16:00:00Z*\n"
    )


def test_a_link_brings_the_conversation_back_without_the_passages() -> None:
    full = replace(EXCHANGE, quotes=(Quote(1, "report.pdf", 3, "Sales", 10, 31, "Net sales were 82,959"),))
    made = fragment([full, Exchange("Ünïcode 東京 🚀?", "Ja.\n\n- a\n- b")])
    assert opened(made) == (EXCHANGE, Exchange("Ünïcode 東京 🚀?", "Ja.\n\n- a\n- b"))
    assert set(made) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert b"Net sales" not in zlib.decompress(base64.urlsafe_b64decode(made + "=" * (-len(made) % 4)), -15)


def test_an_opened_conversation_is_shown_with_plain_numbers_and_never_sent_as_more_than_it_is() -> None:
    shown = messages(opened(fragment([EXCHANGE])))
    assert [message["role"] for message in shown] == ["assistant", "user", "assistant", "assistant"]
    assert shown[2]["content"] == "It was 82,959 [1]."
    assert shown[3]["content"] == "[1] report.pdf, page 3\n*laptop · 2026-11-21T16:00:00Z*"
    sent = [message.content for message in conversation.sendable(shown)]
    assert sent == ["How much?", "It was 82,959 [1]."]


def test_what_was_opened_can_be_shared_again_as_it_is() -> None:
    hostile = [Exchange("<img src=x>", "$$a$$ ```mermaid\nx``` [a](b) %%%LATEX_BLOCK_0%%% \u202eabc")]
    once = opened(fragment(hostile))
    assert opened(fragment(once)) == once


@pytest.mark.parametrize(
    "text",
    [
        "<img src=http://t/p.png>",
        "<svg onload=alert(1)>",
        "</think>",
        "<!-- -->",
        "`<img src=x>`",
        "\\`![x](http://t/p.png)\\`",
        "``` ![x](http://t/p.png)",
        "| ` | ![x](http://t/p.png) | ` |",
        "![x][y]\n\n[y]: http://t/p.png",
        "[click](javascript:alert(1))",
        "[1](#source-1-1)",
        "[1](#source-1-1a) and [2](#elsewhere)",
        "<https://t>",
        "```mermaid\n<img src=http://t>\n```",
        "~~~~ MERMAID\nx\n~~~~",
        "$$\n```\n$$ ![x](http://t/p.png)",
        "%%%LATEX_BLOCK_0%%%",
    ],
)
def test_a_strangers_text_has_nothing_active_left(text: str) -> None:
    (exchange,) = opened(packed({"v": 1, "turns": [{**TURN, "q": text, "a": text}]}))
    for shown in (exchange.question, exchange.answer):
        assert not any(active in shown for active in ("![", "](", "][", "]:", "$$", "%%%LATEX", "```mer", "~~~~ MER"))
        assert "<" not in shown.replace("<\u200b", "")
    assert "http" not in text or "http" in exchange.answer  # it is still told, as text
    assert exchange.question.replace("\u200b", "") == text


def test_a_strangers_text_keeps_what_is_harmless() -> None:
    text = (
        "# Head\n\n- a < b, 3<4\n- `x[1]` **bold** 100 % $5\n\n```python\nprint(1)\n```\n\n| عربي | עברית |\n|---|---|"
    )
    assert harmless(text) == text


def test_a_strangers_document_name_is_a_name() -> None:
    cited = [{"n": 1, "d": "../../etc/<b>\u202efdp.exe", "p": None}]
    (exchange,) = opened(packed({"v": 1, "turns": [{**TURN, "c": cited}]}))
    assert exchange.quotes == (Quote(1, "<\u200bb>fdp.exe"),)


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        None,
        {"v": 1},
        {"v": 1, "turns": []},
        {"v": 2, "turns": [TURN]},
        {"v": True, "turns": [TURN]},
        {"v": "1", "turns": [TURN]},
        {"v": 1, "turns": [TURN], "more": 1},
        {"v": 1, "turns": [TURN] * 201},
        {"v": 1, "turns": [{**TURN, "thought": "Hm."}]},
        {"v": 1, "turns": [{**TURN, "q": 1}]},
        {"v": 1, "turns": [{**TURN, "q": None}]},
        {"v": 1, "turns": [{**TURN, "a": {"path": "/etc/passwd"}}]},
        {"v": 1, "turns": [{**TURN, "a": [{"type": "file", "file": {"path": "/etc/passwd"}}]}]},
        {"v": 1, "turns": [{**TURN, "q": "x" * 20_001}]},
        {"v": 1, "turns": [{**TURN, "t": "<b>"}]},
        {"v": 1, "turns": [{**TURN, "m": "x" * 101}]},
        {"v": 1, "turns": [{**TURN, "c": [{"n": 0, "d": "a", "p": 1}]}]},
        {"v": 1, "turns": [{**TURN, "c": [{"n": 1, "d": "a", "p": 1, "href": "javascript:1"}]}]},
        {"v": 1, "turns": [{**TURN, "c": [{"n": 1.0, "d": "a", "p": 1}]}]},
        {"v": 1, "turns": [{**TURN, "c": [{"n": 1, "d": "x" * 201, "p": 1}]}]},
        {"v": 1, "turns": [{**TURN, "c": [{"n": 1, "d": "a", "p": 1}] * 100}]},
        {"v": 1, "turns": [{key: TURN[key] for key in "qacm"}]},
        b"",
        b"{",
        b"\xff\xfe",
        b'{"v":1,"turns":[{"q":"\\ud800","a":"","c":[],"m":"","t":""}]}',
        b"[" * 100_000,
        b'{"v":1,"v":1e999,"turns":[]}',
    ],
)
def test_what_is_not_exactly_a_conversation_is_refused(data: object) -> None:
    with pytest.raises(ShareError, match="no conversation"):
        opened(packed(data))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        "a",
        "é",
        "\ud800",
        "not base64!",
        "AAAA",
        "x" * (MAX_LINK + 1),
        fragment([EXCHANGE])[:-4],
        fragment([EXCHANGE]) + "AAAA",
        base64.urlsafe_b64encode(zlib.compress(b"{}")).decode(),
    ],
)
def test_what_is_no_fragment_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ShareError, match="no conversation"):
        opened(text)


def test_a_small_fragment_cannot_become_hundred_megabytes() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(packer.compress(b" " * 1_000_000) for _ in range(100)) + packer.flush()
    short = deflated(b" " * 20_000_000)
    assert len(short) < MAX_LINK < len(base64.b64encode(bomb))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for text in (short, base64.urlsafe_b64encode(bomb).decode(), base64.urlsafe_b64encode(bomb[:20_000]).decode()):
        with pytest.raises(ShareError):
            opened(text)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 8 * MAX_INFLATED


def test_too_long_a_conversation_is_told_so() -> None:
    numbers = " ".join(str(number**7) for number in range(10_000))
    with pytest.raises(ShareError, match=r"30,000 is what most programs take\. Download"):
        fragment([Exchange("Count.", numbers)])
    with pytest.raises(ShareError, match="nothing to share"):
        fragment([])
    with pytest.raises(ShareError, match="does not fit into a link"):
        fragment([Exchange("Blow up.", " " * MAX_INFLATED)])


def test_a_download_has_its_name_and_kind_as_strings() -> None:
    script = download_js('a"b.md', "text/markdown")
    assert 'link.download = "a\\"b.md";' in script
    assert 'type: "text/markdown"' in script


def test_every_word_can_be_filled_in() -> None:
    """A string whose names are misspelt would fail on the day it is shown."""
    values = dict.fromkeys(
        ("passages", "pages", "chunks", "characters", "most", "thousands", "count", "page", "first", "last"), 2
    )
    values |= {"seconds": 0.5, "rate": 10.0, "input": 1, "output": 2, "share": 0.5, "score": 0.5}
    texts = {
        "name": "a.pdf",
        "parts": "1 page",
        "place": "page 2",
        "text": "x",
        "reason": "No.",
        "meaning": "0.50",
        "words": "1.0",
    }
    for field in fields(Words):
        for text in [getattr(ENGLISH, field.name)] if field.name != "examples" else ENGLISH.examples:
            assert "{" not in text.format(**values, **texts), field.name
    assert counted(ENGLISH.page_count_one, ENGLISH.page_count, pages=1) == "1 page"
    assert counted(ENGLISH.page_count_one, ENGLISH.page_count, pages=1_200) == "1,200 pages"
