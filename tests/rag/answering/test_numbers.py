"""Written numbers, as a sentence, a cell and an answer have them: a part of one must never pass for the whole."""

from __future__ import annotations

import pytest

from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.figures import is_figure, value
from rag.answering.evidence.units.answer_candidates import candidates
from rag.answering.evidence.units.sentences import split_sentences
from rag.answering.verification.sentences.figures import find_figures

NARROW, THIN, HARD = "\u202f", "\u2009", "\u00a0"
# The amount as it is written, its value and the unit that an answer's figure gets.
AMOUNTS = [
    ("12,50 €", 12.5, "€"),
    ("€ 12,50", 12.5, "€"),
    ("12.50 EUR", 12.5, "€"),
    ("12.50EUR", 12.5, "€"),
    ("1 234,56 €", 1234.56, "€"),
    (f"1{NARROW}234,56{HARD}€", 1234.56, "€"),
    (f"1{THIN}234{THIN}567 €", 1234567, "€"),
    (f"1{HARD}234 €", 1234, "€"),
    ("12 345 €", 12345, "€"),
    ("€ 12 345", 12345, "€"),
    ("1.234,56 €", 1234.56, "€"),
    ("1.234 €", 1234, "€"),
    ("€1,234.56", 1234.56, "€"),
    ("CHF 1'234.50", 1234.5, "chf"),
    ("CHF 1’234.50", 1234.5, "chf"),
    ("1 234,56 zł", 1234.56, "zł"),
    ("R$ 1.234,56", 1234.56, "r$"),
    ("¥1,234", 1234, "¥"),
    ("₹12,34,567", 1234567, "₹"),
    ("Rs. 12,34,567", 1234567, "₹"),
    ("$1.234 million", 1.234e6, "$"),
    ("€1.2m", 1.2e6, "€"),
    ("1,2 Mio. €", 1.2e6, "€"),
    ("3 Mrd. EUR", 3e9, "€"),
    ("450 crowns", 450, "crown"),
    ("12 k€", 12e3, "€"),
    ("5 millions €", 5e6, "€"),
    ("-$5", -5, "$"),
    ("−12,50 €", -12.5, "€"),
    ("1900 €", 1900, "€"),
    ("EUR 2000", 2000, "€"),
    ("£.50", 0.5, "£"),
    ("EUR1.234", 1234, "€"),
    ("CHF 1'234.–", 1234, "chf"),
    ("1.234,- €", 1234, "€"),
]


@pytest.mark.parametrize(("amount", "number", "unit"), AMOUNTS)
def test_an_amount_is_read_whole(amount: str, number: float, unit: str) -> None:
    text = f"The rent is {amount} now."
    spans = candidates(Kind.MONEY, text, Question("What does it cost?"))
    assert [text[start:end] for start, end in spans] == [amount]
    [figure] = find_figures(text)
    assert figure.value * figure.scale * (-1 if figure.negative else 1) == pytest.approx(number)
    assert figure.unit == unit
    assert is_figure(amount)


@pytest.mark.parametrize(
    ("kind", "text", "spans"),
    [
        (Kind.MONEY, "It costs 10–12 € a day.", ["10–12 €"]),
        (Kind.MONEY, "It costs €10–12 a day.", ["€10–12"]),
        (Kind.MONEY, "It costs 10 €–12 € a day.", ["10 €–12 €"]),
        (Kind.MONEY, "It was a300/$62 then.", ["$62"]),
        (Kind.MONEY, "On page 12 345 € were named.", []),
        (Kind.MONEY, "The cells 5 12 345 € follow.", []),
        (Kind.PERCENT, "It rose 12,5 % then.", ["12,5 %"]),
        (Kind.PERCENT, f"It rose 1{NARROW}234,5{NARROW}% then.", [f"1{NARROW}234,5{NARROW}%"]),
        (Kind.PERCENT, "It has 71%/79% of them.", ["71%", "79%"]),
        (Kind.PERCENT, "Between 10–12 % of them.", ["10–12 %"]),
        (Kind.NUMBER, "The town has 12 345 inhabitants.", ["12 345"]),
        (Kind.NUMBER, f"The town has 12{NARROW}345 Einwohner.", [f"12{NARROW}345"]),
        (Kind.NUMBER, "In 2023 450 people came.", ["450"]),
        (Kind.NUMBER, "On page 12 345 people are named.", []),
        (Kind.NUMBER, "On May 12 345 people came.", []),
        (Kind.NUMBER, "Mac 7 382 8 235", []),
        (Kind.NUMBER, "It has 4,210³ members.", ["4,210"]),
        (Kind.NUMBER, "It has 10³ cells.", []),
        (Kind.NUMBER, "Take 2½ eggs.", ["2½"]),
        (Kind.NUMBER, "Take ½ an egg.", ["½"]),
        (Kind.NUMBER, "Take 1/2 egg.", []),
        (Kind.NUMBER, "The 21st was on 12.05.2023 at 14:20.", []),
        (Kind.NUMBER, "See 12/05/2023 and version 3.11.2.", []),
        (Kind.NUMBER, "From 2023–2024 there were 10–12 boats.", ["10–12"]),
        (Kind.NUMBER, "There are 1.234.567 of them.", ["1.234.567"]),
        (Kind.NUMBER, "It holds １，２３４ boats.", ["１，２３４"]),
        (Kind.NUMBER, "There are ٣٤ boats.", ["٣٤"]),
        (Kind.NUMBER, "Call 01628 555 0117 or +44 20 7946 0958.", []),
        (Kind.NUMBER, "Pay to GB29 NWBK 6016 1331 9268 19.", []),
        (Kind.NUMBER, "Pay to CH93 0076 2011 6238 5295 7.", []),
        (Kind.DURATION, "It takes 1 1/2 hours or 5–7 days.", ["5–7 days"]),
    ],
)
def test_a_sentence_offers_whole_numbers_only(kind: Kind, text: str, spans: list[str]) -> None:
    found = candidates(kind, text, Question("What is it?"))
    assert [text[start:end] for start, end in found] == spans


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1 234,56", 1234.56),
        (f"1{NARROW}234,56", 1234.56),
        (f"1{THIN}234", 1234),
        ("1 234", 1234),
        ("1’234.50", 1234.5),
        ("1.234", 1234),
        ("0.234", 0.234),
        ("$1.234", 1.234),
        ("12,34,567", 1234567),
        ("12,5 %", 12.5),
        ("-12,50 €", -12.5),
        ("(1 234)", -1234),
        ("4,210 (note 3)", 4210),
        ("4,210³", 4210),
        ("2½", 2.5),
        ("１，２３４", 1234),
        ("٣٤", 34),
        ("1,2 Mio. €", 1.2),
        (".75", 0.75),
    ],
)
def test_a_cell_has_the_value_of_its_number(text: str, number: float) -> None:
    assert is_figure(text)
    assert value(text) == number


@pytest.mark.parametrize(
    "text", ["2023–2024", "12.05.2023", "12/05/2023", "14:20", "+44 20 7946 0958", "21st", "3.11.2", "2B"]
)
def test_a_cell_with_a_date_a_time_or_a_telephone_number_has_no_figure(text: str) -> None:
    assert not is_figure(text)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1 234", [1234]),  # a cell
        ("(1 234)", [-1234]),
        ("The town has 12 345 inhabitants, 4 000 of them old.", [12345, 4000]),
        ("The total was 12 345.", [12345]),
        ("In 2023 450 people came.", [450]),
        ("On page 12 345 people are named.", [12, 345]),
        ("Mac 120 345", [120, 345]),
        ("Mac 7 382 8 235", [7, 382, 8, 235]),
        ("Mac 1 234,50 2 345,60", [1234.5, 2345.6]),
        ("It costs 10–12 € a day.", [10, 12]),
        ("It costs 10 €–12 € a day.", [10, 12]),
        ("It rose 1.085 % then.", [1.085]),
        ("It is 12.636 now.", [12.636]),
        ("It is version 3.11.2 of 12.05.2023.", [300110002, 1200052023]),  # compared as a whole
        ("It is 1.234,5 and 1,234.5 and 0,125.", [1234.5, 1234.5, 0.125]),
        ("It has 4,210³ members.", [4210]),
        ("Take 2½ eggs.", [2.5]),
        ("It holds １，２３４ boats and ٣٤ others.", [1234, 34]),
    ],
)
def test_an_answer_has_the_numbers_of_its_text(text: str, numbers: list[float]) -> None:
    assert [figure.value * (-1 if figure.negative else 1) for figure in find_figures(text)] == pytest.approx(numbers)


@pytest.mark.parametrize(
    "text", ["It costs 3 Mrd. EUR now.", "It costs 1,2 Mio. € now.", "It costs Rs. 12,34,567 now."]
)
def test_a_sentence_does_not_end_inside_an_amount(text: str) -> None:
    assert list(split_sentences(text)) == [(0, len(text))]
