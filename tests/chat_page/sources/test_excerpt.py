"""The text of a passage on its card."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape

import pytest

from chat_page.sources.excerpt import CONTEXT_CHARACTERS, excerpt_html, prose_html
from rag.documents import Passage

ROWS = "Sales by <segment>, in millions:\nAmericas | 37,472 | 35,870\nEurope | 19,287 | 18,943\nTotal | 82,959 | 81,434"
PASSAGE = Passage(1, "d", "report.pdf", 19, "", 0, len(ROWS), ROWS, 1.0, None, None)


def span(text: str) -> tuple[int, int]:
    return ROWS.index(text), ROWS.index(text) + len(text)


def cells(html: str) -> list[list[str]]:
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", html)]


def test_rows_are_a_table_and_text_stays_text() -> None:
    html = excerpt_html(PASSAGE, [span("82,959")])
    assert html.startswith('Sales by &lt;segment&gt;, in millions:<div class="sp-table"')
    assert cells(html)[2] == ["Total", "<mark>82,959</mark>", "81,434"]


def test_a_mark_across_cells_is_a_mark_in_each() -> None:
    html = excerpt_html(PASSAGE, [span("19,287 | 18,943\nTotal | 82,959")])
    assert cells(html)[1:] == [
        ["Europe", "<mark>19,287</mark>", "<mark>18,943</mark>"],
        ["<mark>Total</mark>", "<mark>82,959</mark>", "81,434"],
    ]


def test_an_excerpt_begins_and_ends_with_whole_rows() -> None:
    rows = [f"Region {number} | {number},100 | {number},200" for number in range(10, 60)]
    text = "\n".join(rows)
    start = text.index("35,100")
    html = excerpt_html(replace(PASSAGE, text=text, end=len(text)), [(start, start + 6)])
    shown = cells(html)
    assert html.startswith("… ") and html.endswith(" …")
    assert all(len(row) == 3 for row in shown)
    assert 4 < len(shown) < 2 * CONTEXT_CHARACTERS / len(rows[0]) + 4


def test_a_mark_that_begins_or_ends_at_a_stroke_is_inside_the_cells() -> None:
    text = "| Pump | Flow |\n| --- | ---: |\n| A1 | 40 |"
    whole = excerpt_html(replace(PASSAGE, text=text, end=len(text)), [(0, len(text))])
    assert cells(whole) == [
        ["<mark>Pump</mark>", "<mark>Flow</mark>"],
        ["<mark>A1</mark>", "<mark>40</mark>"],
    ]
    assert cells(excerpt_html(PASSAGE, [span("| 18,943")]))[1] == ["Europe", "19,287", "<mark>18,943</mark>"]


def test_no_figure_stands_below_the_header_of_another_column() -> None:
    """The text of a PDF has no cell above the labels of the rows."""
    text = "June 25, 2022 | June 26, 2021\nResearch | 6,797 | 5,717\nSelling | 6,012 | 5,412"
    html = excerpt_html(replace(PASSAGE, text=text, end=len(text)), [])
    assert '<tr><td colspan="3" dir="auto">June 25, 2022 · June 26, 2021</td></tr>' in html
    assert cells(html)[1:] == [["Research", "6,797", "5,717"], ["Selling", "6,012", "5,412"]]


def test_a_header_apart_from_its_rows_has_no_strokes() -> None:
    header = "| Three Months Ended | Nine Months Ended |\n| June 25, 2022 | June 26, 2021 | June 25, 2022"
    text = f"{header}\nAmericas:\nNet sales | 37,472 | 35,870\nIncome | 13,914 | 13,096"
    html = excerpt_html(replace(PASSAGE, text=text, end=len(text)), [])
    lines = html.split("\n")
    assert lines[0] == "Three Months Ended · Nine Months Ended"
    assert lines[1] == "June 25, 2022 · June 26, 2021 · June 25, 2022"
    assert cells(html)[0] == ["Net sales", "37,472", "35,870"]
    one = excerpt_html(replace(PASSAGE, text="| 2022 | 2021\nNet sales:", end=24), [])
    assert one == "2022 · 2021\nNet sales:"


@pytest.mark.parametrize(
    "text",
    [
        "ls -l | wc -l",
        "def f(x: int | None) -> str | None:\n    return g(x) || h(x) | 1;",
        "The probability P(A | B) is what the observer believes about A once B is known to be true for sure.\n"
        "It is also written as P(B | A) P(A) / P(B), which is the theorem of Bayes in the form that most people know.",
        "Apple Inc. | Form 10-Q | 19",
        "|x| is the absolute value of x.",
    ],
)
def test_code_and_sentences_keep_their_strokes(text: str) -> None:
    assert excerpt_html(replace(PASSAGE, text=text, end=len(text)), []) == escape(text)


def test_the_line_below_a_header_of_markdown_is_left_out() -> None:
    text = "| Pump | Flow |\n| --- | ---: |\n| A1 | 40 |"
    assert cells(excerpt_html(replace(PASSAGE, text=text, end=len(text)), [])) == [["Pump", "Flow"], ["A1", "40"]]
    assert excerpt_html(replace(PASSAGE, text="| --- | ---: |\nFlow", end=20), []) == "Flow"


def test_a_heading_is_bold_and_a_comment_in_code_stays() -> None:
    text = "# Tower\n\nIt is <high>.\n\n## The deck\n\nOpen.\n\n# add one\nx += 1\n\n## End"
    passage = replace(PASSAGE, text=text, end=len(text))
    start = text.index("deck")
    assert excerpt_html(passage, []) == (
        "<b>Tower</b>\n\nIt is &lt;high&gt;.\n\n<b>The deck</b>\n\nOpen.\n\n# add one\nx += 1\n\n<b>End</b>"
    )
    assert "<b>The <mark>deck</mark></b>" in excerpt_html(passage, [(start, start + 4)])


def test_bold_words_have_no_marks_and_code_keeps_its_own() -> None:
    text = "**How long is it valid?**\n\nNinety **days**. Call f(**options, **more) for 2**3**4."
    html = prose_html(text, 0, len(text), [(27, 42)])
    assert html.startswith("<b>How long is it valid?</b>\n\n<mark>Ninety </mark><b><mark>days</mark></b>")
    html_of_both = prose_html(text, 0, len(text), [(0, 42)])
    assert html_of_both.startswith("<b><mark>How long is it valid?</mark></b>\n\n<mark>Ninety </mark>")
    assert html.endswith("Call f(**options, **more) for 2**3**4.")


def test_italic_words_have_no_marks_and_stars_that_mean_something_else_stay() -> None:
    text = "The ferry *Lapwing* sails."
    html = prose_html(text, 0, len(text), [(4, 19)])
    assert html == "The <mark>ferry </mark><i><mark>Lapwing</mark></i> sails."
    others = "2 * 3 * 4 = 5*3 + 4*2; f(*first, *more); Total* and Rest*; (*) see note (*)\n* one\n* two"
    assert prose_html(others, 0, len(others), []) == others
