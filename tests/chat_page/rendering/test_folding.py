"""A very long answer folds when the next question comes, between its lines, and never inside a formula."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from chat_page.conversations.conversation import Conversation
from chat_page.rendering.folding import fold_end
from chat_page.rendering.messages import conversation_messages
from rag.answering.turn import Turn


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
