"""Answers that make patterns and parsers slow, or that aren't text that anybody would write."""

from __future__ import annotations

import time

import pytest

from rag.scoring.questions import Gold
from rag.scoring.score import Scorer
from rag.scoring.workload import AskedQuestion, read_passage

QUESTION = "What was the gross profit in the first quarter of fiscal 2024?"
TEXT = "Gross profit was $4,648 million in the first quarter of fiscal 2024."
N = 5_000
LONG = {
    "figures": "4,648 million or " * N,
    "digits": "1" * 10 * N,
    "grouped digits": "1,234," * N,
    "spaced digits": "1 234 " * N,
    "dates": "30 April " * N,
    "months": "may " * N,
    "other dates": "april 30, 2023 gross, may 1, 2023 profit, " * N,
    "number words": "twenty-one no " * N,
    "spelled quarters": "the third quarter of the fiscal year " * N,
    "bounds": "no more than 3 " * N,
    "keys": '{"value": 1, ' + '"unit": "million", ' * N + '"scale": "EUR"}',
    "denials": "not " * N,
    "refusals": "the passages do not " * N,
    "refusals without an end": "there is no the document this information " * N,
    "german refusals": "die dokumente sagen ich kann " * N,
    "parentheses": "(" * 10 * N,
    "brackets": "[" * 10 * N,
    "markers": "[1]" * N,
    "operators": "4 + " * N,
    "equals": "= " * N,
    "spaces": " " * 10 * N + "x",
    "lines": "\n" * 10 * N,
    "rows": "| a | 4,648 million |\n" * N,
    "emphasis": "*" * 10 * N,
    "latex": "\\text{" * N,
    "json": '{"a": [' * N,
    "nested json": '{"a": ' * 900 + "1" + "}" * 900,
    "nested lists": "[" * 900 + "]" * 900,
    "many fields": "{" + ", ".join(f'"k{n}": {n}' for n in range(N)) + "}",
    "fence": "```json\n" * N,
    "chinese": "文件没有" * N,
    "half of a character": "\ud83d" * N,
    "null": "\0" * N,
    "gold": "april 30, 2023 " * N,
}


@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("gold", ["4,648 million", "April 30, 2023", "gross profit", "3", "yes", "Q3 2022"])
def test_an_answer_is_scored_in_a_second_or_two(kind: str, gold: str) -> None:
    passage = read_passage(1, {"text": TEXT, "source": "a.txt", "page": 1})
    asked = AskedQuestion("a", QUESTION, Gold((gold,), (TEXT,), answerable=True), (passage,))
    scorer = Scorer({"a": asked}, {})
    scorer.score(asked, TEXT)  # the passages are read
    start = time.process_time()
    scorer.score(asked, LONG[kind])
    assert time.process_time() - start < 3
