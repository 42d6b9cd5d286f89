"""Formulas of an answer are drawn, and money isn't."""

from __future__ import annotations

import pytest

from chat_page.rendering.formulas import mark_formulas


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("The area is $a^2$.", r"The area is \(a^2\)."),
        ("$x$ and $f(x)$ and $\\alpha$", r"\(x\) and \(f(x)\) and \(\alpha\)"),
        ("($E = mc^2$)", r"(\(E = mc^2\))"),
        ("$a + b$, $3 + x$", r"\(a + b\), \(3 + x\)"),
        ("$\\frac{1}{2}$ of $n_i$", r"\(\frac{1}{2}\) of \(n_i\)"),
    ],
)
def test_a_formula_between_dollars_is_marked(text: str, marked: str) -> None:
    assert mark_formulas(text) == marked


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $10",
        "from $5 to $10.",
        "between $82,959 and $83,360 million",
        "It costs $5, or $6 = 6 dollars, not $7.",
        "US$5 and CA$10",
        "$5/$10",
        "$1.2 billion ($0.95 a share)",
        "a range of $5-$10 and $12.50-$13",
        "$AAPL and $MSFT",
        "\\$5 and \\$x^2\\$",
        "$$c^2$$",
        "`$x^2$`",
        "```sh\necho $a_b$c_d$\n```",
        "$HOME and $PATH_2 $",
        "revenue <span>$5</span> = $6",
    ],
)
def test_money_and_code_stay_as_they_are(text: str) -> None:
    assert mark_formulas(text) == text
