"""Small talk isn't a question to documents; everything else is."""

from __future__ import annotations

import pytest

from rag.answering.small_talk import SmallTalk, find_small_talk, small_talk_reply


@pytest.mark.parametrize(
    ("text", "kind", "language"),
    [
        ("Hello", "greeting", "en"),
        ("hi there!", "greeting", "en"),
        ("Hello! How are you?", "greeting", "en"),
        ("Thanks a lot.", "thanks", "en"),
        ("thank you :)", "thanks", "en"),
        ("Hello, what can you do?", "ability", "en"),
        ("What can I ask you?", "ability", "en"),
        ("Help", "ability", "en"),
        ("Bye", "farewell", "en"),
        ("Hallo!", "greeting", "de"),
        ("Vielen Dank!", "thanks", "de"),
        ("Was kannst du?", "ability", "de"),
        ("¡Hola!", "greeting", "es"),
        ("¿Qué puedes hacer?", "ability", "es"),
        ("Bonjour", "greeting", "fr"),
        ("Merci beaucoup !", "thanks", "fr"),
        ("Qu’est-ce que tu peux faire ?", "ability", "fr"),
        ("你好！", "greeting", "zh"),
        ("谢谢", "thanks", "zh"),
        ("你能做什么？", "ability", "zh"),
    ],
)
def test_small_talk(text: str, kind: str, language: str) -> None:
    assert find_small_talk(text) == SmallTalk(kind, language)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "Hello, what were net sales?",
        "What can you do with a harbour permit?",
        "Who are you allowed to call in an emergency?",
        "thanks to whom did sales grow?",
        "goodwill?",
        "And in 2019?",
        "Hilfe für Eltern",
        "help desk hours",
        "Summarize this.",
        "hello " * 40,
    ],
)
def test_a_question_is_no_small_talk(text: str) -> None:
    assert find_small_talk(text) is None


def test_the_reply_names_the_documents() -> None:
    reply = small_talk_reply(SmallTalk("greeting", "en"), ["a.pdf", "b.pdf"])
    assert reply.startswith("Hello! Ask me about a.pdf, b.pdf.")
    assert "Summarize this" in reply
    assert "a, b, c and 2 more" in small_talk_reply(SmallTalk("ability", "en"), ["a", "b", "c", "d", "e"])
    assert "add some first" in small_talk_reply(SmallTalk("greeting", "en"), [])
    for language in ("en", "de", "es", "fr", "zh"):
        for kind in ("greeting", "thanks", "farewell", "ability"):
            assert "{" not in small_talk_reply(SmallTalk(kind, language), ["a"] * 5)
