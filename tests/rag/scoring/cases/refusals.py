"""Answers of which some refuse, whatever figure they quote."""

from __future__ import annotations

from tests.rag.scoring.cases.case import cases
from tests.rag.scoring.cases.questions import GOLD_INCOME, INCOME

REFUSALS = [
    *cases(
        INCOME,
        GOLD_INCOME,
        right=(
            "According to the filing, operating income was $23,076 million, which does not include other income.",
            "Based on the report, operating income was $23,076 million and did not include other income.",
        ),
        wrong=(
            "According to the filing, operating income is not disclosed in the document.",
            "The filing does not provide the operating income for 2022.",
        ),
    ),
    *cases(
        "How many days of holiday do employees get?",
        "30 days",
        right=("The document says employees get 30 days; public holidays are not included.",),
        wrong=("The document doesn't say how many days employees get.",),
    ),
    *cases(
        "What were iPhone net sales?",
        "$40,665 million",
        right=("Apple does not break out iPhone units; net sales were $40,665 million.",),
        wrong=("Apple does not break out iPhone net sales.",),
    ),
    *cases(
        "What doesn't the warranty cover?",
        "accidental damage",
        right=(
            "According to the document, the warranty does not cover accidental damage.",
            "Per the contract, the warranty doesn't cover accidental damage.",
        ),
        wrong=("According to the document, the warranty does not cover theft.",),
    ),
]
