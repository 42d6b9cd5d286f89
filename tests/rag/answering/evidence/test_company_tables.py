"""The tables of company reports: which column and row of several that have the question's words is the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rag.answering.abstention.abstain import AbstentionKind
from rag.answering.evidence.candidates import retrieve_candidates
from rag.answering.evidence.selection import QuoteSelection, find_quotes
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder

QUARTERS = """# {name} Corporation

Quarterly report. The last annual report is for the fiscal year ended {year_end}. Amounts are those of all regions.

## Consolidated Statements of Operations (in {scale})

| | Three Months Ended | | Nine Months Ended | |
|---|---|---|---|---|
| | {end} | {end_before} | {end} | {end_before} |
| Net sales | $ 5,120 | $ 4,310 | $ 15,730 | $ 13,240 |
| Cost of sales | 3,075 | 2,610 | 9,310 | 8,050 |
| Operating income (loss) | (412) | 385 | (1,190) | 1,240 |
| Net income (loss) | $ (377) | $ 290 | $ (995) | $ 905 |
"""
FISCAL = {
    "September": QUARTERS.format(
        name="Alba", year_end="September 25, 2021", scale="millions", end="June 25, 2022", end_before="June 26, 2021"
    ),
    "January": QUARTERS.format(
        name="Alba", year_end="January 30, 2022", scale="thousands", end="October 30, 2022",
        end_before="October 31, 2021",
    ),
}  # fmt: skip
SEGMENTS = """# Brio Inc.

Quarterly report for the year ended December 31, 2023. Information on segments is as follows (in millions):

| | 2023 | 2022 | % Change |
|---|---|---|---|
| North America: | | | |
| Net sales | $ 8,254 | $ 7,443 | 11% |
| Operating income (loss) | 321 | (62) | — |
| Cloud: | | | |
| Net sales | 2,214 | 1,973 | 12% |
| Operating income | 536 | 571 | (6)% |
| Consolidated: | | | |
| Net sales | 10,468 | 9,416 | 11% |
| Operating income | 857 | 509 | 68% |
| Other income | 12 | 14 | (14)% |
| Total other income, net | 19 | 23 | (17)% |
"""


@pytest.fixture
def ask(library: Library, embedder: Embedder, write_file: Callable[[str, str], Path]) -> Callable[..., QuoteSelection]:
    """Ask a question of texts."""

    def ask(question: str, *texts: str) -> QuoteSelection:
        for number, text in enumerate(texts):
            library.add(write_file(f"report-{number}.md", text))
        documents = {document.id: document for document in library.documents}
        passages = retrieve_candidates([library], question, embedder)
        return find_quotes(question, passages, documents, embedder)

    return ask


@pytest.mark.parametrize(
    ("year_end", "period", "answer"),
    [
        ("September", "the third quarter of fiscal 2022", "$ (377)"),
        ("September", "the third quarter of fiscal 2021", "$ 290"),
        ("September", "the nine months ended June 25, 2022", "$ (995)"),
        ("September", "the nine months ended June 26, 2021", "$ 905"),
        ("January", "the third quarter of fiscal 2023", "$ (377)"),  # its last day is in October 2022
        ("January", "the third quarter of fiscal 2022", "$ 290"),
        ("January", "Q3 FY22", "$ 290"),
    ],
)
def test_the_column_is_that_of_the_period(
    ask: Callable[..., QuoteSelection], year_end: str, period: str, answer: str
) -> None:
    quote = ask(f"What was Alba's net income in {period}?", FISCAL[year_end]).quotes[0]
    assert quote.answer == answer
    assert quote.labels[-1] == f"in {'millions' if year_end == 'September' else 'thousands'}"


@pytest.mark.parametrize(
    "period", ["fiscal 2019", "the first quarter of fiscal 2020", "the six months ended June 25, 2022"]
)
def test_a_period_that_no_column_has_is_refused(ask: Callable[..., QuoteSelection], period: str) -> None:
    selection = ask(f"What was Alba's net income in {period}?", FISCAL["September"])
    assert not selection.quotes
    assert selection.abstention


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What was Brio's operating income in 2023?", "857"),
        ("What was Brio's operating income in 2022?", "509"),
        ("What were Brio's net sales in 2023?", "10,468"),
        ("What was the operating income of Brio's Cloud segment in 2023?", "536"),
        ("What were the net sales of Brio in North America in 2022?", "$ 7,443"),
        ("What was Brio's operating loss in North America in 2022?", "(62)"),
        ("What was Brio's total other income in 2022?", "23"),
        ("What was the percent change of Brio's consolidated operating income?", "68%"),
        ("What is Brio's consolidated operating income?", "857"),  # the last year, if none is named
    ],
)
def test_the_row_is_that_of_the_company_or_of_the_part_that_the_question_names(
    ask: Callable[..., QuoteSelection], question: str, answer: str
) -> None:
    assert ask(question, SEGMENTS).quotes[0].answer == answer


def test_a_name_that_begins_with_greater_asks_for_no_largest_figure(ask: Callable[..., QuoteSelection]) -> None:
    text = FISCAL["September"].replace("Net sales", "Net sales of Greater Alba")
    quote = ask("What were the net sales of Greater Alba in the third quarter of fiscal 2022?", text).quotes[0]
    assert quote.answer == "$ 5,120"


@pytest.mark.parametrize(
    "question",
    [
        "Compare Alba's and Brio's operating income.",
        "What is the difference in operating income between Alba and Brio?",
    ],
)
def test_a_comparison_shows_the_row_of_each_document(ask: Callable[..., QuoteSelection], question: str) -> None:
    quotes = ask(question, FISCAL["September"], SEGMENTS).quotes
    assert [quote.document for quote in quotes] == ["report-0.md", "report-1.md"]
    assert [quote.labels[0] for quote in quotes] == ["Operating income (loss)", "Consolidated: Operating income"]
    assert quotes[1].answer == "857"


def test_a_question_in_another_language_is_refused_with_the_reason(ask: Callable[..., QuoteSelection]) -> None:
    text = f"{SEGMENTS}\n{'The company sells goods to its customers in all of the regions. ' * 6}\n"
    abstention = ask("Wie hoch war der Krankenstand der Beschäftigten im letzten Winter?", text).abstention
    assert abstention
    assert (abstention.kind, abstention.languages) == (AbstentionKind.OTHER_LANGUAGE, ("English",))


def test_a_question_in_the_language_of_its_document_is_answered(ask: Callable[..., QuoteSelection]) -> None:
    text = "# El puerto\n\nLa señora Lund contó 340 garzas en el puerto. El faro es de 1954.\n"
    assert "340" in ask("¿Cuántas garzas contó la señora Lund en el puerto?", text).quotes[0].text


def test_the_language_of_a_small_table_is_not_guessed(ask: Callable[..., QuoteSelection]) -> None:
    text = "# Alba\n\n| | 2022 | 2021 |\n|---|---|---|\n| Net sales (1) | 1,200 | n/a |\n| Net income | (17) | 12 |\n"
    abstention = ask("What were the net sales in 2021?", text).abstention
    assert abstention
    assert not abstention.languages


NOTES = """# Cove Inc.

Quarterly report for the quarter ended April 30, 2023.

| | Effective Interest Rate | April 30, 2023 | January 29, 2023 |
|---|---|---|---|
| 2.85% Notes Due 2030 | 2.93% | 1,500 | 1,500 |
| 2.00% Notes Due 2031 | 2.09% | 1,250 | 1,250 |

| | Harbour | Fleet | Total |
|---|---|---|---|
| Three Months Ended April 30, 2023 | | | |
| Net sales | 410 | 325 | 735 |
| Three Months Ended May 1, 2022 | | | |
| Net sales | 377 | 402 | 779 |

| | Three Months Ended April 30, 2023 | Three Months Ended May 1, 2022 |
|---|---|---|
| Beginning balances | 5,100 | 4,900 |
| Dividends declared | (311) | (298) |
| Ending balances | 5,289 | 5,002 |
| Payments for berths | 87 | 81 |
| Cash paid for tolls, net | 12 | 14 |
| Moorings (2) | 640 | 590 |
"""


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        # The year of a label isn't a year of the document.
        ("What effective interest rate do Cove's notes due 2031 have?", "2.09%"),
        # The title above the rows names their period.
        ("What were the net sales of Cove's fleet in the three months ended May 1, 2022?", "402"),
        ("What were the net sales of Cove's harbour in the three months ended April 30, 2023?", "410"),
        # "Ending balances" has nothing of the question but that its period ended.
        ("How much did Cove declare in dividends in the three months ended April 30, 2023?", "(311)"),
        ("How much did Cove pay for berths in the three months ended April 30, 2023?", "87"),
        ("How much did Cove pay for tolls in the three months ended May 1, 2022?", "14"),
        ("How much were Cove's moorings in the three months ended May 1, 2022?", "590"),
        # How much there was of it is no change.
        ("How much did Brio's net sales rise in the Cloud segment?", "12%"),
    ],
)
def test_the_label_of_a_row_and_the_title_above_it_are_read(
    ask: Callable[..., QuoteSelection], question: str, answer: str
) -> None:
    assert ask(question, NOTES, SEGMENTS).quotes[0].answer == answer


def test_a_level_is_no_answer_to_how_much_it_changed(ask: Callable[..., QuoteSelection]) -> None:
    selection = ask("How much did Cove's net sales of the fleet fall?", NOTES)
    assert not any(quote.answer in ("402", "325") for quote in selection.quotes)


CHANGES = """# Dune Inc.

Quarterly report of Dune for the quarter ended April 30, 2023 (in millions):

| | April 30, 2023 | May 1, 2022 | $ Change | % Change |
|---|---|---|---|---|
| Revenue | 7,192 | 8,288 | (1,096) | (13) |
| Cost of revenue | 2,544 | 2,857 | (313) | (11) |
| Foreign exchange losses | 12 | 9 | 3 | 33 |

| | 2023 | 2022 |
|---|---|---|
| Cloud: | | |
| Operating expenses | 16,775 | 14,024 |
| Segment operating expenses | 31,583 | 31,451 |
| Total operating expenses | 126,702 | 117,917 |
"""


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("How much did Dune's revenue decrease?", {"(1,096)", "(13)"}),
        ("How much did Dune's foreign exchange losses rise?", {"3", "33"}),
        ("What was Dune's cost of revenue on April 30, 2023?", {"2,544"}),
        ("What was Dune's revenue on May 1, 2022?", {"8,288"}),
    ],
)
def test_the_column_of_changes_and_the_row_of_the_whole_label(
    ask: Callable[..., QuoteSelection], question: str, answers: set[str]
) -> None:
    assert ask(question, CHANGES).quotes[0].answer in answers


SHARES = """# Fabel Inc. for 2024 and 2023

Expenses were as follows (in millions):

| | 2024 | 2023 | % Change |
|---|---|---|---|
| Research and development | $ 320 | $ 200 | 60% |
| As a percentage of revenue | 16% | 11% | |
| Marketing | $ 90 | $ 80 | 13% |
"""
PAYMENTS = """# Tariffs of Hale Energy

Payment by direct debit:

| Region | Standing charge |
|---|---|
| Harlow | 33.60 |
| Marden | 31.20 |

Payment on receipt of a bill:

| Region | Standing charge |
|---|---|
| Harlow | 48.12 |
| Marden | 46.70 |
"""
TRAFFIC = """# Passengers of Juno Air

| | Passengers | Freight |
|---|---|---|
| Oct-2015 | 684,283 | 24,894 |
| Nov-2015 | 642,168 | 24,139 |
| Dec-2015 | 647,152 | 25,500 |
"""


def test_the_share_below_a_row_is_that_of_the_row(ask: Callable[..., QuoteSelection]) -> None:
    selection = ask("What was research and development as a percentage of revenue in 2024?", SHARES)
    assert selection.quotes[0].answer == "16%"
    assert selection.quotes[0].labels[0] == "Research and development: As a percentage of revenue"


def test_a_change_is_no_answer_to_which_share_it_is(ask: Callable[..., QuoteSelection]) -> None:
    selection = ask("What was marketing as a percentage of revenue in 2024?", SHARES.replace("| As a", "| In"))
    assert "13%" not in [quote.answer for quote in (*selection.quotes, *selection.nearest)]


def test_two_figures_with_the_same_labels_leave_doubt(ask: Callable[..., QuoteSelection]) -> None:
    selection = ask("What is the standing charge in Harlow?", PAYMENTS)
    assert {quote.answer for quote in selection.quotes[:2]} == {"33.60", "48.12"}
    assert selection.unsure


def test_a_part_is_no_total(ask: Callable[..., QuoteSelection]) -> None:
    text = SHARES.replace("| Marketing |", "| Current: | | | |\n| Deferred revenue |")
    assert ask("What was the total deferred revenue in 2024?", text).unsure
    assert not ask("What was the current deferred revenue in 2024?").unsure


def test_a_month_names_its_row(ask: Callable[..., QuoteSelection]) -> None:
    assert ask("How many passengers were there in November 2015?", TRAFFIC).quotes[0].answer == "642,168"


def test_an_amount_is_no_answer_to_which_share_it_is(ask: Callable[..., QuoteSelection]) -> None:
    text = SHARES.replace("| As a percentage of revenue | 16% | 11% | |\n", "")
    selection = ask("What was marketing as a percentage of revenue in 2024?", text)
    assert not selection.quotes or selection.unsure or "%" in selection.quotes[0].answer
    assert "$ 90" not in [quote.answer for quote in (*selection.quotes, *selection.nearest)]
