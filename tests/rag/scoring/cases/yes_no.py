"""Answers to questions for yes or no."""

from __future__ import annotations

from tests.rag.scoring.cases.case import cases

YES_NO = "Did the company pay a dividend in 2023?"

YES_NO = [
    *cases(
        YES_NO,
        "yes",
        right=("Yes.", "Yes, it paid $99 million.", "yes", "**Yes** [1]", "Ja, 99 Millionen.", "Oui.", "Sí.", "是的。"),
        wrong=(
            "No.",
            "No, it paid none in 2023.",
            "It isn't clear whether yes or no.",
            "Nein.",
            "The board met in 2023.",
        ),
    ),
    *cases(YES_NO, "No", right=("No.", "No, it didn't."), wrong=("Yes.", "Not in the passages.", "Notable dividends.")),
    *cases(
        "Is the lease renewable?",
        "Yes",
        right=("Yes, twice.", "Yes – the tenant may renew it."),
        wrong=("No.", "The tenant may not renew it."),
    ),
    *cases(
        "Did the company pay a dividend in 2023?",
        "yes",
        right=(
            '{"answer": true}',
            '{"answer": "yes"}',
            '{"answer": "Yes", "reason": "It paid $99 million."}',
            '"yes"',
            "Answer: Yes",
            "**Answer:** Yes, it did.",
            "The answer is yes.",
            "The answer is: Yes.",
            '{"answerable": true, "answer": "yes"}',
            "Yes or no: yes",
            "No doubt, yes.",
            "Without a doubt, yes.",
            "Die Antwort ist ja.",
        ),
        wrong=(
            '{"answer": false}',
            '{"answer": "no"}',
            "Answer: No",
            "The answer is no.",
            "No doubt, no.",
            "No doubt about it.",
            '{"answer": null}',
            "The board said yes.",
            '{"answerable": true, "answer": "no"}',
            "Yes or no: no",
        ),
    ),
    *cases(
        "Did Apple disclose the terms?",
        "No",
        right=(
            '{"answer": false}',
            "Answer: No",
            "The answer is no.",
            "No, Apple did not disclose the terms.",
            "No. Apple did not disclose the terms.",
            "No, the terms were not disclosed.",
        ),
        wrong=(
            '{"answer": true}',
            "Answer: Yes",
            "No doubt, yes.",
            "The documents do not mention the terms.",
            "No, the passages don't mention it.",
        ),
    ),
    *cases(
        "According to the filing, did Apple disclose the terms?",
        "No",
        right=("No, Apple did not disclose the terms.",),
        wrong=("The filing doesn't say whether Apple disclosed the terms.",),
    ),
]
