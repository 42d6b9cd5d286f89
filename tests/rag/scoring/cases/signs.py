"""Losses, declines and other figures with a sign."""

from __future__ import annotations

from tests.rag.scoring.cases.case import cases

CHANGE = "By how much did Greater China net sales change?"
LOSS = "What was the net loss in 2022?"
CASH = "What was net cash from investing activities?"
NET_LOSS = "What was Amazon's net loss in the second quarter of 2022?"
GROWTH = "How much did NVIDIA's Data Center revenue change from a year ago?"
MAC = "How did Mac net sales change?"
RESULT = "What was the result of the segment?"

SIGNS = [
    # Signs: parentheses, a minus, and the words for it.
    *cases(
        CASH,
        "(1,234) million",
        right=(
            "$(1,234) million",
            "-1,234 million",
            "−$1,234 million",
            "Net cash used in investing activities was $1,234 million.",
            "There was an outflow of $1.234 billion.",
            "($1,234 million)",
        ),
        wrong=(
            "$1,234 million",
            "Investing activities provided $1,234 million.",
            "(1,234) thousand",
            "(1,243) million",
        ),
    ),
    *cases(
        LOSS,
        "$2.7 billion",
        right=(
            "$2.7 billion",
            "The net loss was $2.7 billion.",
            "$(2.7) billion",
            "Net income was -$2.7 billion.",
            "$2,722 million",
        ),
        wrong=("A net income of $2.7 billion.", "$27 billion", "$2.7 million"),
    ),
    *cases(
        CHANGE,
        "-1%",
        right=("-1%", "(1)%", "They decreased by 1%.", "Down 1%", "Net sales in Greater China fell 1%."),
        wrong=("1%", "They increased by 1%.", "+1%", "-10%", "They decreased by 1 percentage point."),
    ),
    *cases(
        "What was the change in inventories?",
        "(549) million",
        right=(
            "-549 million",
            "A decrease of $549 million",
            "$(549) million",
            "($549) million",
            "Inventories decreased by $549 million.",
        ),
        wrong=("549 million", "An increase of $549 million", "Inventories rose $549 million."),
    ),
    *cases(
        "What was the operating margin?",
        "-3.2%",
        right=("-3.2%", "(3.2)%", "−3.2 %", "negative 3.2%", "minus 3.2 percent", "The operating margin was (3.2%)."),
        wrong=("3.2%", "3.2 percent", "-32%"),
    ),
    *cases(
        NET_LOSS,
        "$2,028 million",
        right=(
            "$2,028 million",
            "The net loss was $(2,028) million.",
            "Amazon had a net loss of $2.0 billion in Q2 2022.",
            "Net loss: $2,028 million (Q2 2023: net income of $6,750 million)",
            "-$2.028 billion",
        ),
        wrong=(
            "Amazon had net income of $2,028 million.",
            "$6,750 million",
            "$5,872 million",
            "The net loss was $2.8 billion.",
        ),
    ),
    *cases(
        "What is the maximum operating temperature?",
        "-5 °C",
        right=("-5 °C", "−5°C", "minus 5 °C"),
        wrong=("5 °C", "+5 °C", "-15 °C"),
    ),
    *cases(
        GROWTH,
        "up 14%",
        right=(
            "It was up 14%.",
            "Data Center revenue increased 14% year over year.",
            "+14%",
            "14%",
            "Data Center revenue was up 14% from a year ago and up 18% sequentially.",
            "Revenue from Data Center grew by 14%.",
        ),
        wrong=(
            "down 14%",
            "-14%",
            "It decreased by 14%.",
            "18%",
            "Data Center revenue was up 18% from a year ago and up 14% sequentially.",
        ),
    ),
    *cases(
        "What was the company's net income (loss)?",
        "net loss of $1.2 million",
        right=("A net loss of $1.2 million.", "$(1.2) million", "-$1.2 million", "The company lost $1.2 million."),
        wrong=("Net income of $1.2 million.", "$1.2 billion loss"),
    ),
    *cases(
        MAC,
        "decreased by 10%",
        right=("Mac net sales decreased by 10%.", "They fell 10%.", "-10%", "Down 10%", "(10)%"),
        wrong=("They rose 10%.", "Mac net sales increased by 10%.", "+10%", "They fell 11%."),
    ),
    *cases(
        MAC,
        "a 10% decline",
        right=("A 10% decline.", "Mac net sales decreased by 10%."),
        wrong=("A 10% increase.", "Mac net sales rose 10%."),
    ),
    *cases(
        MAC,
        "increased by 10%",
        right=("They rose 10%.", "10%", "Mac net sales increased by 10%."),
        wrong=("They fell 10%.", "-10%"),
    ),
    *cases(
        RESULT,
        "a loss of $5 million",
        right=(
            "$(5) million",
            "A $5 million loss.",
            "a loss of $5 million",
            "-$5 million",
            "The segment lost $5 million.",
        ),
        wrong=("a profit of $5 million", "$5 million of profit", "a loss of $6 million"),
    ),
    *cases(
        "What was the result?", "ein Verlust von 5 Millionen Euro", right=("-5 Mio. €",), wrong=("5 Mio. € Gewinn",)
    ),
    *cases(
        RESULT, "a $5 million loss", right=("a loss of $5 million", "-$5 million"), wrong=("a profit of $5 million",)
    ),
    *cases(
        RESULT, "income (loss) of $5 million", right=("$5 million", "$5 million of income"), wrong=("$(5) million",)
    ),
    *cases(
        "What drove it?", "a decline in units of 5%", right=("units fell 5%",), wrong=("an increase in units of 5%",)
    ),
]
