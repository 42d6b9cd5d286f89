"""Downloads of a conversation, and links that anyone may have made."""

from __future__ import annotations

import base64
import json
import re
import resource
import zlib
from dataclasses import asdict, replace
from typing import Any

import pytest

from chat_page.conversations.conversation import Conversation
from chat_page.rendering.markdown import disarm_markdown
from chat_page.rendering.messages import conversation_messages
from chat_page.sharing.export import as_json, as_markdown
from chat_page.sharing.share import MAX_INFLATED, MAX_LINK, VERSION, ShareError, link_fragment, open_turns
from chat_page.strings import ENGLISH
from rag.answering.abstention.abstain import Abstention, AbstentionKind, Evidence
from rag.answering.citations.markers import Marker
from rag.answering.quotes import Quote
from rag.answering.turn import ErrorMessage, Turn, model_messages
from rag.answering.types import Citation, Sentence
from rag.documents import Passage
from tests.chat_page.earlier_version import LINK_FRAGMENT
from ui.static.scripts import download_js

PASSAGE = Passage(1, "d", "report.pdf", 3, "Sales", 10, 31, "Net sales were 82,959", 0.5, 0.4, None)
QUOTE = Quote("d", "report.pdf", 3, "Sales", 10, 31, PASSAGE.text, 25, 31, 0.9)
CELL = replace(QUOTE, labels=("Net sales", "2022", "(In millions)"), row=4, column=2)
TIME = "2026-11-21T16:00:00Z"
TURN = Turn(
    "How much?",
    "It was 82,959 [1].",
    thought="Secret reasoning.",
    passages=(PASSAGE,),
    citations=(Citation(PASSAGE, True, ((15, 21), (0, 0))),),
    markers=(Marker(14, 1, True),),
    finish_reason="stop",
    target="laptop",
    asked_at=TIME,
)
ACTIVE_MARKDOWN = ("![", "](", "][", "]:", "$$", "%%%LATEX", "```mer", "~~~~ MER")
LINK_TURN: dict[str, Any] = {"q": "Why?", "a": "So [1].", "c": [{"n": 1, "d": "a.pdf", "p": 2}], "m": "laptop", "t": ""}


def document(number: int, name: str, page: int | None = None) -> Citation:
    """A citation as it comes from a link: the name and the page, without the passage."""
    return Citation(Passage(number, "", name, page, "", 0, 0, "", 0.0, None, None), False)


def packed(data: object) -> str:
    """Return a fragment with any content."""
    return deflated(data if isinstance(data, bytes) else json.dumps(data).encode())


def deflated(data: bytes) -> str:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.urlsafe_b64encode(packer.compress(data) + packer.flush()).decode().rstrip("=")


def test_json_has_every_question_answer_and_citation_with_its_exact_span() -> None:
    failed = Turn("And now?", "Half", error=ErrorMessage("It broke.", "Try again."), finish_reason="interrupted")
    assert json.loads(as_json([TURN, failed])) == {
        "version": 2,
        "exchanges": [
            {
                "question": "How much?",
                "quotes": [],
                "unsure": False,
                "answer": "It was 82,959 [1].",
                "sentences": [],
                "citations": [
                    {
                        "number": 1,
                        "document": "report.pdf",
                        "page": 3,
                        "heading": "Sales",
                        "start": 10,
                        "end": 31,
                        "text": "Net sales were 82,959",
                        "spans": [[25, 31]],
                        "attributed": True,
                    }
                ],
                "target": "laptop",
                "target_title": "",
                "time": TIME,
            },
            {
                "question": "And now?",
                "quotes": [],
                "unsure": False,
                "answer": "Half",
                "sentences": [],
                "citations": [],
                "target": "",
                "target_title": "",
                "time": "",
            },
        ],
    }


def test_quotes_leave_the_page_with_their_exact_span() -> None:
    turn = Turn("How much?", quotes=(QUOTE, CELL), finish_reason="quotes", target="laptop", writer="A model")
    (exchange,) = json.loads(as_json([turn]))["exchanges"]
    assert (exchange["answer"], exchange["citations"]) == ("", [])
    assert exchange["quotes"][0] == {**asdict(QUOTE), "labels": []}
    assert (exchange["quotes"][1]["labels"], exchange["quotes"][1]["column"]) == (list(CELL.labels), 2)
    text = as_markdown([turn])
    assert "> **report.pdf, page 3**\n>\n> Characters 10 to 31:\n>\n> Net sales were 82,959\n" in text
    assert "> Net sales · 2022 · 82,959 million\n" in text
    assert "### Answer" not in text


def test_a_download_calls_a_model_what_the_page_calls_it() -> None:
    titled = replace(TURN, target_title="SmolLM2 135M")
    assert as_markdown([titled]).endswith(f"*SmolLM2 135M · {TIME}*\n")
    assert json.loads(as_json([titled]))["exchanges"][0]["target_title"] == "SmolLM2 135M"


def test_a_link_has_the_quotes() -> None:
    evil = replace(QUOTE, text="<img src=x onerror=alert(1)>\n\n$$x$$ [a](b)", document="<b>.pdf", answer_end=9_999)
    turns = open_turns(link_fragment([Turn("How much?", quotes=(QUOTE, CELL, evil), finish_reason="quotes")]))
    first, cell, hostile = turns[0].quotes
    assert (first.text, first.answer, first.document, first.page) == (QUOTE.text, "82,959", "report.pdf", 3)
    assert (cell.path, cell.answer, cell.unit) == (("Net sales", "2022"), "82,959", "million")
    assert hostile.answer_end == len(evil.text)
    _, question, quotes = (message["content"] for message in conversation_messages(Conversation(turns)))
    assert question == "How much?"
    assert "Net sales were <mark>82,959</mark>" in quotes
    assert 'Net sales · 2022 · <mark class="sp-cell">82,959</mark> million' in quotes
    assert not any(active in quotes for active in ("<img", "\n", "$$", "<b>.pdf", "href"))
    assert open_turns(link_fragment(turns)) == turns


def test_unsure_quotes_stay_unsure() -> None:
    turn = Turn("How much?", quotes=(QUOTE,), finish_reason="quotes", unsure=True)
    [shared] = open_turns(link_fragment([turn]))
    assert shared.unsure
    assert ENGLISH.unsure in conversation_messages(Conversation((shared,)))[-1]["content"]
    assert f"### {ENGLISH.nearest_label}\n\n{ENGLISH.unsure}\n" in as_markdown([turn])
    (exchange,) = json.loads(as_json([turn]))["exchanges"]
    assert exchange["unsure"] is True


def test_what_the_documents_do_not_support_stays_known() -> None:
    answer = "\nIt was 5. It was 82,959 [1]."
    turn = replace(
        TURN, answer=answer, markers=(Marker(25, 1),), sentences=(Sentence(1, 10, False), Sentence(11, 25, True))
    )
    (exchange,) = json.loads(as_json([turn]))["exchanges"]
    assert [(each["text"], each["supported"]) for each in exchange["sentences"]] == [
        ("It was 5.", False),
        ("It was 82,959 ", True),
    ]
    assert "Not found in the documents:\n\n- It was 5.\n" in as_markdown([turn])
    [shared] = open_turns(link_fragment([turn]))
    assert [shared.answer[each.start : each.end] for each in shared.unsupported] == ["It was 5."]
    assert "Not found in the documents:\n\n- It was 5." in conversation_messages(Conversation((shared,)))[-1]["content"]
    assert open_turns(link_fragment([shared])) == (shared,)
    assert [message.content for message in model_messages([turn])] == ["How much?", "It was 82,959 [1]."]


def test_a_link_without_quotes_opens_in_an_older_page() -> None:
    fragment = link_fragment([TURN])
    data = zlib.decompress(base64.urlsafe_b64decode(fragment + "=" * (-len(fragment) % 4)), -15)
    assert json.loads(data)["v"] == 1


def test_json_is_exact() -> None:
    answer = "It was <b>82,959</b> ![x](http://t/p.png) [1][2]; `a[1]`."
    (exchange,) = json.loads(as_json([Turn("<img src=x>", f"{answer}\n")]))["exchanges"]
    assert (exchange["question"], exchange["answer"]) == ("<img src=x>", answer)


def test_an_export_says_what_is_not_from_the_documents() -> None:
    abstention = Abstention(AbstentionKind.WEAK_EVIDENCE, Evidence(0.1, 0.0))
    refusal = Turn("Why?", abstention=abstention, finish_reason="abstained")
    general = Turn("Why?", "The sky scatters blue light.", abstention=abstention, finish_reason="stop")
    exchanges = json.loads(as_json([refusal, general]))["exchanges"]
    assert exchanges[0]["answer"] == ENGLISH.refusal
    assert exchanges[1]["answer"] == f"{ENGLISH.not_from_documents}\n\nThe sky scatters blue light."
    assert [turn.answer for turn in open_turns(link_fragment([refusal, general]))] == [
        exchange["answer"] for exchange in exchanges
    ]


def test_markdown_is_for_people_and_loads_nothing() -> None:
    evil = "![x](http://t/p.png)\n```mermaid\n<img src=http://t>\n```\nand <script>"
    passage = replace(PASSAGE, start=1_000, end=1_000 + len(evil), text=evil)
    text = as_markdown([replace(TURN, answer="It is.\n" + evil, citations=(Citation(passage, False),)), TURN])
    assert f"> **[1] report.pdf, page 3**\n>\n> Characters 1,000 to {1_000 + len(evil):,}:\n>\n> " in text
    assert text.count("### Question\n\nHow much?") == 2
    assert f"*laptop · {TIME}*" in text
    assert "Secret" not in text
    for active in ("![", "](", "<img", "<script", "```mermaid"):
        assert active not in text


def test_markdown_quotes_the_span_that_supports_the_answer() -> None:
    passage = replace(PASSAGE, document="a.md", page=None)
    text = as_markdown([replace(TURN, citations=(Citation(passage, False, ((15, 21), (15, 21))),))])
    assert text.endswith(f"> **[1] a.md, Sales**\n>\n> Characters 25 to 31:\n>\n> 82,959\n\n*laptop · {TIME}*\n")


def test_a_link_restores_the_conversation_without_the_passages() -> None:
    fragment = link_fragment([TURN, Turn("Ünïcode 東京 🚀?", "Ja.\n\n- a\n- b")])
    first, second = open_turns(fragment)
    assert (first.question, first.answer, first.target, first.asked_at) == ("How much?", TURN.answer, "laptop", TIME)
    assert first.citations == (document(1, "report.pdf", 3),)
    assert (first.thought, first.passages, first.markers, first.shared) == ("", (), (), True)
    assert (second.question, second.answer) == ("Ünïcode 東京 🚀?", "Ja.\n\n- a\n- b")
    assert set(fragment) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert b"Net sales" not in zlib.decompress(base64.urlsafe_b64decode(fragment + "=" * (-len(fragment) % 4)), -15)


def test_a_link_of_the_earlier_version_opens() -> None:
    first, second = open_turns(LINK_FRAGMENT)
    assert (first.question, first.answer) == ("How much?", "It was <b>82,959</b> [1] in `a[1]`. ✓")
    assert (first.target, first.asked_at) == ("laptop", "2026-11-21T16:00:00+00:00")
    assert first.citations == (document(1, "report.pdf", 3),)
    assert (second.question, second.answer) == ("And <img src=x>?", "Half")


def test_a_link_of_a_later_version_is_refused_with_the_reason() -> None:
    with pytest.raises(ShareError, match="later version of this page"):
        open_turns(packed({"v": VERSION + 1, "conversation": "in a format that nobody knows yet"}))


def test_a_shared_conversation_has_plain_numbers_and_reaches_the_model_as_it_is() -> None:
    turns = open_turns(link_fragment([TURN]))
    messages = conversation_messages(Conversation(turns))
    assert [message["role"] for message in messages] == ["assistant", "user", "assistant", "assistant"]
    assert messages[2]["content"] == "It was 82,959 [1]."
    assert messages[3]["content"] == f"[1] report.pdf, page 3\n*laptop · {TIME}*"
    assert [message.content for message in model_messages(turns)] == ["How much?", "It was 82,959 [1]."]


def test_a_shared_conversation_can_be_shared_again() -> None:
    hostile = [Turn("<img src=x>", "$$a$$ ```mermaid\nx``` [a](b) %%%LATEX_BLOCK_0%%% \u202eabc")]
    once = open_turns(link_fragment([TURN, *hostile]))
    assert open_turns(link_fragment(once)) == once
    (exchange, _) = json.loads(as_json(once))["exchanges"]
    [citation] = exchange["citations"]
    assert citation | {"document": "report.pdf", "page": 3, "start": None} == citation
    assert "report.pdf, page 3**\n" in as_markdown(once)


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
def test_a_shared_text_is_displayed_without_anything_active(text: str) -> None:
    turns = open_turns(packed({"v": 1, "turns": [{**LINK_TURN, "q": text, "a": text}]}))
    assert (turns[0].question, turns[0].answer) == (text, text)
    _, question, answer, _ = (message["content"] for message in conversation_messages(Conversation(turns)))
    for displayed in (question, answer):
        assert not any(
            active in displayed for active in ("![", "](", "][", "]:", "$$", "%%%LATEX", "```mer", "~~~~ MER")
        )
        assert "<" not in displayed.replace("<\u200b", "")
        assert re.sub("([`~]{3})text ", r"\1", displayed.replace("\u200b", "")) == text


def test_a_shared_text_keeps_harmless_markdown() -> None:
    text = (
        "# Head\n\n- a < b, 3<4\n- `x[1]` **bold** 100 % $5\n\n```python\nprint(1)\n```\n\n| عربي | עברית |\n|---|---|"
    )
    assert disarm_markdown(text) == text


def test_a_shared_document_name_is_a_name() -> None:
    cited = [{"n": 1, "d": "../../etc/<b>\u202efdp.exe", "p": None}]
    turns = open_turns(packed({"v": 1, "turns": [{**LINK_TURN, "c": cited}]}))
    assert turns[0].citations == (document(1, "<b>fdp.exe"),)
    assert "[1] <\u200bb>fdp.exe" in conversation_messages(Conversation(turns))[-1]["content"]


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        None,
        {"v": 1},
        {"v": 1, "turns": []},
        {"v": 0, "turns": [LINK_TURN]},
        {"v": True, "turns": [LINK_TURN]},
        {"v": "1", "turns": [LINK_TURN]},
        {"v": 1, "turns": [LINK_TURN], "more": 1},
        {"v": 1, "turns": [LINK_TURN] * 201},
        {"v": 1, "turns": [{**LINK_TURN, "thought": "Hm."}]},
        {"v": 1, "turns": [{**LINK_TURN, "q": 1}]},
        {"v": 1, "turns": [{**LINK_TURN, "q": None}]},
        {"v": 1, "turns": [{**LINK_TURN, "a": {"path": "/etc/passwd"}}]},
        {"v": 1, "turns": [{**LINK_TURN, "a": [{"type": "file", "file": {"path": "/etc/passwd"}}]}]},
        {"v": 1, "turns": [{**LINK_TURN, "q": "x" * 20_001}]},
        {"v": 1, "turns": [{**LINK_TURN, "t": "<b>"}]},
        {"v": 1, "turns": [{**LINK_TURN, "m": "x" * 101}]},
        {"v": 1, "turns": [{**LINK_TURN, "c": [{"n": 0, "d": "a", "p": 1}]}]},
        {"v": 1, "turns": [{**LINK_TURN, "c": [{"n": 1, "d": "a", "p": 1, "href": "javascript:1"}]}]},
        {"v": 1, "turns": [{**LINK_TURN, "c": [{"n": 1.0, "d": "a", "p": 1}]}]},
        {"v": 1, "turns": [{**LINK_TURN, "c": [{"n": 1, "d": "x" * 201, "p": 1}]}]},
        {"v": 1, "turns": [{**LINK_TURN, "c": [{"n": 1, "d": "a", "p": 1}] * 100}]},
        {"v": 1, "turns": [{key: LINK_TURN[key] for key in "qacm"}]},
        b"",
        b"{",
        b"\xff\xfe",
        b'{"v":1,"turns":[{"q":"\\ud800","a":"","c":[],"m":"","t":""}]}',
        b"[" * 100_000,
        b'{"v":1,"v":1e999,"turns":[]}',
    ],
)
def test_invalid_data_is_refused(data: object) -> None:
    with pytest.raises(ShareError, match="no conversation"):
        open_turns(packed(data))


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
        link_fragment([TURN])[:-4],
        link_fragment([TURN]) + "AAAA",
        base64.urlsafe_b64encode(zlib.compress(b"{}")).decode(),
    ],
)
def test_an_invalid_fragment_is_refused(text: str) -> None:
    with pytest.raises(ShareError, match="no conversation"):
        open_turns(text)


def test_a_small_fragment_cannot_expand_to_100_megabytes() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(packer.compress(b" " * 1_000_000) for _ in range(100)) + packer.flush()
    short = deflated(b" " * 20_000_000)
    assert len(short) < MAX_LINK < len(base64.b64encode(bomb))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for text in (short, base64.urlsafe_b64encode(bomb).decode(), base64.urlsafe_b64encode(bomb[:20_000]).decode()):
        with pytest.raises(ShareError):
            open_turns(text)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 8_000_000


def test_a_conversation_that_does_not_fit_into_a_link_is_refused() -> None:
    numbers = " ".join(str(number**7) for number in range(10_000))
    with pytest.raises(ShareError, match=r"up to 30,000\. Download"):
        link_fragment([Turn("Count.", numbers)])
    with pytest.raises(ShareError, match="nothing to share"):
        link_fragment([])
    with pytest.raises(ShareError, match="doesn't fit into a link"):
        link_fragment([Turn("Blow up.", "a" * MAX_INFLATED)])


def test_a_download_script_quotes_name_and_type() -> None:
    script = download_js('a"b.md', "text/markdown")
    assert 'link.download = "a\\"b.md";' in script
    assert 'type: "text/markdown"' in script
