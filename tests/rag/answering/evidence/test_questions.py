from __future__ import annotations

import pytest

from rag.answering.evidence.features.kinds import kind_features
from rag.answering.evidence.question_analysis import abbreviations
from rag.answering.evidence.question_analysis.abbreviations import spell_out
from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.evidence.question_analysis.mentions import Missing, covered_years, find_missing
from rag.answering.evidence.question_analysis.periods import years_of
from rag.answering.evidence.question_analysis.quantities import is_unknown_quantity, lacks_answer, lacks_counted
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.question_analysis.typos import read_question
from rag.answering.evidence.units.amounts import has_amount, has_figure
from rag.answering.evidence.units.answer_candidates import candidates, counts
from rag.answering.evidence.units.answer_spans import answer_span
from rag.answering.evidence.units.definitions import defines
from rag.answering.evidence.units.per_document import PerDocument
from rag.answering.evidence.units.sentences import split_sentences
from rag.answering.evidence.units.split import Unit
from rag.documents import Document, Passage
from tests.security.linear_time import assert_linear


def document(text: str, name: str = "report.txt") -> Document:
    return Document("d", name, text, (), "text/plain")


def passage(text: str) -> Passage:
    return Passage(1, "d", "report.txt", None, "", 0, len(text), text, 1.0, None, None)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How much did they pay for the bridge?", Kind.MONEY),
        ("What was the net income in 2022?", Kind.MONEY),
        ("What percentage of sales came from Europe?", Kind.PERCENT),
        ("How many people live there?", Kind.NUMBER),
        ("When did the war end?", Kind.DATE),
        ("In which year was it larger?", Kind.DATE),
        ("Who wrote the report?", Kind.PERSON),
        ("Where was it built?", Kind.PLACE),
        ("Why did sales decline?", Kind.REASON),
        ("How long does the warranty last?", Kind.DURATION),
        ("Did sales decline?", Kind.YES_NO),
        ("What is a heron?", Kind.OTHER),
        ("How large is the deposit?", Kind.MONEY),
        ("What do members pay?", Kind.MONEY),
        ("How much butter do I need?", Kind.NUMBER),  # no money
        ("How loud is it?", Kind.NUMBER),
        ("How much notice must I give?", Kind.DURATION),
        ("What time does it close?", Kind.DATE),
        ("What happens when it rains?", Kind.OTHER),  # asks for no date
        ("How is the tax rate determined?", Kind.OTHER),  # nor for a rate
        ("What is the term for a young heron?", Kind.OTHER),
        ("What were the main reasons for the change of sales?", Kind.OTHER),
    ],
)
def test_the_kind_of_answer(question: str, kind: Kind) -> None:
    assert Question(question).kind is kind


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Wann wurde das Museum in der Stadt gegründet?", Kind.DATE),
        ("Was sind die Aufgaben des Vereins?", Kind.OTHER),  # "was" isn't the English verb
        ("Wie viele Reiher gibt es im Hafen?", Kind.NUMBER),
        ("Wie hoch war der Umsatz in dem Jahr?", Kind.MONEY),
        ("Wer leitet das Museum?", Kind.PERSON),
        ("Ist der Hafen für alle offen?", Kind.YES_NO),
        ("¿Cuántos días dura el viaje a la isla?", Kind.DURATION),
        ("¿En qué año se fundó la empresa?", Kind.DATE),
        ("¿Qué porcentaje de las ventas es en línea?", Kind.PERCENT),
        ("¿Por qué cerraron el puerto de la ciudad?", Kind.REASON),
        ("Combien de hérons y a-t-il dans le port ?", Kind.NUMBER),
        ("Combien de jours dure le voyage vers les îles ?", Kind.DURATION),
        ("Qui dirige le musée de la ville ?", Kind.PERSON),
        ("Où se trouve le musée de la ville ?", Kind.PLACE),
    ],
)
def test_the_kind_of_answer_in_other_languages(question: str, kind: Kind) -> None:
    assert Question(question).kind is kind


@pytest.mark.parametrize(
    ("question", "sentence", "answer"),
    [
        ("How much was paid for it?", "In 2022 it was bought for $1.28 billion, and $3 million left.", "$1.28 billion"),
        ("What share of sales is online?", "Of 12 shops, online sales are 35% of all sales.", "35%"),
        ("When was it founded?", "The company was founded on May 3, 1954 with 12 people.", "May 3, 1954"),
        ("Who became Chief Financial Officer?", "Ada Lund (48) became Chief Financial Officer of the Commission.",
         "Ada Lund"),
        ("Who founded the company?", "The company was founded by Ada M. Lund in 1954.", "Ada M. Lund"),
        ("Why did sales fall?", "Sales fell due to weak demand.", "due to weak demand."),
        ("How long is the lease?", "The lease has a term of 12 years.", "12 years"),
        ("What is a heron?", "A heron is a bird.", "A heron is a bird."),
        ("How much was paid in 2023?", "In 2024 and 2023 $9 and $8 were paid, respectively.", "$8"),
        ("How much is a colour print?", "A page in black and white costs 10p, in colour 40p.", "40p"),
        ("How much is the fee?", "The fee is EUR 1,150 a month.", "EUR 1,150"),
        ("How much is the fee?", "The fee is 40 CHF.", "40 CHF"),
        ("How long does it take?", "It takes 3 hours and 40 minutes.", "3 hours and 40 minutes"),
        ("How hot is the oven?", "Heat the oven to 200 °C.", "200 °C"),
        ("When does it open?", "It opens at 9:30 a.m.", "9:30 a.m"),
        ("When is the market?", "The market is on Saturdays.", "Saturdays"),
        ("How many items are there?", "Within two weeks, for EUR 5, there are 12 items; ring 01628 555 0117.", "12"),
        ("How many people died of stroke?", "Of the deaths, many were from stroke (1).",
         "Of the deaths, many were from stroke (1)."),
        ("How many firms lost?", "One or another of the firms lost, four in all.", "four"),
        ("How many people were killed in the incidents?", "In 272 incidents, they caused 281 deaths.", "281"),
        ("How much was paid?", "$9 and $8 were paid, respectively.", "$9 and $8 were paid, respectively."),
        (
            "What were net sales?",
            "Net sales increased 2% during 2022 compared to 2021, driven by services.",
            "Net sales increased 2% during 2022 compared to 2021, driven by services.",
        ),
        ("Why did net sales rise?", "Net sales rose due to higher sales of\nServices and iPhone.",
         "due to higher sales of\nServices and iPhone."),
    ],
)  # fmt: skip
def test_the_words_that_answer(question: str, sentence: str, answer: str) -> None:
    start, end = answer_span(sentence, Question(question))
    assert sentence[start:end] == answer


@pytest.mark.parametrize(
    ("question", "sentence", "figures"),
    [
        ("What were net sales?", "Net sales increased 2% or $1.5 billion.", []),
        ("What were net sales?", "Net sales increased by $1.5 billion to $83 billion.", ["$83 billion"]),
        ("What were net sales?", "Net sales rose 2% to $83 billion.", ["$83 billion"]),
        ("How many pairs nested?", "The pairs fell by 40 and 310 nested.", ["310"]),
        ("By how much did net sales increase?", "Net sales increased 2% or $1.5 billion.", ["$1.5 billion"]),
        ("How much more was spent?", "Spending grew by $3 million.", ["$3 million"]),
    ],
)
def test_a_change_is_no_answer_to_how_much_there_is(question: str, sentence: str, figures: list[str]) -> None:
    asked = Question(question)
    found = [sentence[start:end] for start, end in candidates(asked.kind, sentence, asked)]
    assert found == figures


def test_a_sentence_does_not_end_at_an_abbreviation_or_a_decimal() -> None:
    text = (
        "# Costs\n\nAcme Inc. paid $1.28 billion to the U.S. Treasury on Jan. 5. Prof. Lund of No. 7 agreed.\n"
        "- First item\n- Second item, e.g. this one\n\n12\n\n* * *\n"
    )
    assert [text[start:end] for start, end in split_sentences(text)] == [
        "Acme Inc. paid $1.28 billion to the U.S. Treasury on Jan. 5.",
        "Prof. Lund of No. 7 agreed.",
        "- First item",
        "- Second item, e.g. this one",
    ]


def test_names_and_years_that_no_document_has() -> None:
    documents = [document("Apple's sales in fiscal 2022 and 2023. Intelligent people.", "apple.txt")]
    assert find_missing(Question("What was Microsoft's revenue in 2022?"), documents).names == ("Microsoft",)
    assert find_missing(Question("What was Intel's revenue?"), documents).names == ("Intel",)
    assert find_missing(Question("What were Apples sales in March 2020?"), documents).years == ("2020",)
    missing = find_missing(Question("What did President Apple say in FY22?"), documents)
    assert (missing.names, missing.years, missing.some) == ((), (), False)
    assert find_missing(Question("What did Apple pay Intel?"), documents).some
    assert find_missing(Question("What are the EPS of Intel in Apple-US?"), documents).some
    assert not find_missing(Question("What does the CEO of Apple say?"), documents).some
    options = [document("`--timeout` is 15 s, and `max_size` is 3 MB.")]
    assert find_missing(Question("What is the default of --read-timeout?"), options).some
    assert not find_missing(Question("What are the defaults of --timeout and max_size?"), options).some
    assert find_missing(Question("Does APPL sell Ryzen?"), [document("APPL is a company.", "a.txt")]) == Missing(
        some=True
    )
    assert Question("What does Mr. Huang say if I'm in Table 3?").names == ("Huang",)
    assert covered_years(documents) == ("2022", "2023")


@pytest.mark.parametrize(
    "question",
    [
        "¿Cuántos linajes hay?",
        "¡Qué torre! ¿Cómo se llama?",
        "“What is paid?” she asked.",
        "(When is it due?)",
    ],
)
def test_the_first_word_of_a_sentence_is_no_name_behind_its_opening_mark(question: str) -> None:
    assert Question(question).names == ()


def test_a_misspelt_word_is_read_as_one_of_the_passages() -> None:
    passages = [passage("The Bendigo office counted 340 herons.")]
    assert read_question("How many herns did Bedigo count in Sydney?", passages).text == (
        "How many herons did Bendigo count in Sydney?"
    )


@pytest.mark.parametrize(
    ("question", "names", "whole"),
    [
        ("Which flat at 12 Dover Street is free?", ("Dover",), ("12 Dover Street",)),
        ("Did Tim Cook meet One Medical's founder?", ("Tim", "Cook", "One", "Medical"), ("Tim Cook", "One Medical")),
        ("What did Square earn on Monday?", ("Square",), ("Square",)),
    ],
)
def test_words_of_one_name_stay_together(question: str, names: tuple[str, ...], whole: tuple[str, ...]) -> None:
    asked = Question(question)
    assert (asked.names, asked.whole_names(asked.names)) == (names, whole)


def test_another_street_is_missing() -> None:
    missing = find_missing(Question("Who lives at 15 Chester Street?"), [document("Flat 4, 12 Dover Street.")])
    assert missing.names == ("Chester",)


@pytest.mark.parametrize(
    ("text", "is_counted"),
    [
        ("The house has six small rooms.", True),
        ("Rooms are cleaned every two weeks.", False),
        ("Rooms cost EUR 12.", False),
    ],
)
def test_a_number_of_what_the_question_counts(text: str, is_counted: bool) -> None:
    assert counts(text, Question("How many rooms are there?")) is is_counted


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("It closes in May.", True),
        ("Membership is free.", True),
        ("Rent is due monthly.", True),
        ("No rest.", True),
        ("The kettle holds a litre.", True),
        ("Income came from rents.", False),
    ],
)
def test_a_text_without_any_figure(text: str, is_there: bool) -> None:
    assert has_figure(text) is is_there


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("In the nine months ended June 25, 2022, the company bought shares.", {"2022"}),
        ("It grew in 2021, 2022, and FY23.", {"2021", "2022", "2023"}),
        ("The 2,022 rooms cost $2022, or 2,022,500 in all, up 2019%.", set()),
    ],
)
def test_years_of_a_text(text: str, years: set[str]) -> None:
    assert years_of(text) == years


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("How much did net sales in Japan fall in the third quarter of 2022?", True),
        ("By how much have operating expenses increased?", True),
        ("By what percentage did Mac net sales change?", True),
        ("How much has the population grown since 1990?", True),
        ("How much did the change in fair value cost?", False),
        ("How much did sales increase to?", False),
        ("How much were net sales?", False),
        ("How much were gaming sales up from a year ago?", True),
        ("How much do I pay up front?", False),
        ("How much does it cost to set up a berth?", False),
        ("How much inventory did NVIDIA write down?", False),
        ("How much did Apple spend on climate change?", False),
    ],
)
def test_some_questions_ask_by_how_much_something_changed(question: str, asks: bool) -> None:
    assert Question(question).asks_change is asks


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("Total purchase commitments as of April 30, 2023 are as follows:", False),
        ("As of April 30, 2023, they were $10.5 billion.", True),
        ("They were 12 in 2023.", True),
        ("The boat costs 2000 euros.", True),
        ("The hall seats 2000 people.", True),
        ("The rent is £1950 per month.", True),
        ("In Q2 2023 it was higher.", False),
        ("Rates differ by age (Table 2).", False),
        ("The 2007–2009 data show that the share is stable.", False),
        ("Most deaths are from heart disease, fewer from stroke (1).", False),
        ("Sparse models are the common method [12, 13].", False),
        ("The net result was (5) that year.", True),
        ("Notes worth 40 million are due.", True),
    ],
)
def test_the_figures_of_dates_and_references_are_no_amount(text: str, has: bool) -> None:
    assert has_amount(text) is has


VIDEO = (
    "Total video expense was $3.7 billion and $4.4\nbillion in Q2 2022 and Q2 2023, and $7.3 billion and $8.4 billion"
    " for the six months ended June 30, 2022 and 2023."
)
RECEIVABLES = (
    "As of December 31, 2022 and June 30, 2023, customer receivables were $26.6 billion and $25.3 billion, and vendor"
    " receivables were $6.9 billion and $5.6 billion."
)
BERTHS = "Berths had a value of $2.9 billion and $2.6 billion as of December 31, 2022 and June 30, 2023."
TWICE = (
    "For the three months ended June 30, 2022 and 2023, sales were $5 million and $6 million, and for the six months"
    " ended June 30, 2022 and 2023, sales were $9 million and $11 million."
)
HARBOUR = "We sold the Harbour and the Fleet in 2021 and 2022 for $5 million and $6 million, respectively."
SALES = "Sales were $5 million and $6 million in 2021 and 2022, respectively."


@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [
        ("What was total video expense in Q2 2023?", VIDEO, "$4.4\nbillion"),
        ("What was total video expense in the six months ended June 30, 2022?", VIDEO, "$7.3 billion"),
        ("How much were vendor receivables on June 30, 2023?", RECEIVABLES, "$5.6 billion"),
        ("How much were customer receivables on December 31, 2022?", RECEIVABLES, "$26.6 billion"),
        ("What was the value of the berths on June 30, 2023?", BERTHS, "$2.6 billion"),
        ("What is the value of the berths?", BERTHS, "$2.6 billion"),  # the last one, if no day is named
        ("What were sales in 2021?", SALES, "$5 million"),
        ("What were sales in 2019?", SALES, SALES),  # no figure is of that year
        ("What were sales in the three months ended June 30, 2023?", TWICE, "$6 million"),
        ("What were sales in the six months ended June 30, 2022?", TWICE, "$9 million"),
        ("How much was the Harbour sold for?", HARBOUR, HARBOUR),  # it isn't respectively by period alone
        ("How much were vendor receivables on June 30, 2022?", RECEIVABLES, RECEIVABLES),  # of no day here
        ("What was total video expense in Q1 2023?", VIDEO, VIDEO),  # nor of this quarter
        ("How much did sales grow?", "Sales grew to $6 million.", "Sales grew to $6 million."),
        ("By how much did sales grow?", "Sales were $296 million, up 114% from a year ago.", "114%"),
        ("How much were sales down?", "Sales were $2.24 billion, down 38% from a year ago.", "38%"),
    ],
)
def test_the_figure_of_the_period_is_marked(question: str, text: str, answer: str) -> None:
    start, end = answer_span(text, Question(question))
    assert text[start:end] == answer


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What is research as a percentage of revenue?", False),
        ("What percentage change did sales have?", True),
        ("What was the growth of sales?", True),
        ("What were sales in percent?", True),
    ],
)
def test_a_share_is_no_change(question: str, names: bool) -> None:
    assert Question(question).names_change is names


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("What was rent as a percentage of sales?", True),
        ("What share of sales is online?", True),
        ("By what percentage did sales rise?", False),
        ("What was the percentage change of sales?", False),
    ],
)
def test_some_questions_ask_for_a_share(question: str, asks: bool) -> None:
    assert Question(question).asks_ratio is asks


@pytest.mark.parametrize(
    ("text", "question", "read"),
    [
        ("Ada Lund, Chief Financial Officer, signed it.", "Who is the CFO?", "Who is the chief financial officer?"),
        (
            "Earnings per share rose. Diluted earnings per share were $2.",
            "What was EPS?",
            "What was earnings per share?",
        ),
        (
            "The CFO is the chief financial officer. A chief financial officer pays.",
            "Who is the CFO?",
            "Who is the CFO?",
        ),
        ("Customers find order forms here.", "Who is the CFO?", "Who is the CFO?"),  # once, by chance
        ("", "Who is the CFO?", "Who is the CFO?"),
        ("Seen longest ago. It was seen longest ago.", "What is the SLA?", "What is the SLA?"),
        ("Seen Longest Ago", "What is the SLA?", "What is the SLA?"),  # a heading, by chance
        ("SEEN LONGEST AGO. SEEN LONGEST AGO.", "What is the SLA?", "What is the SLA?"),
        ("A value of another type isn't a value of another type.", "What is the VAT?", "What is the VAT?"),
        ("This value added tax is due.", "What is the VAT?", "What is the value added tax?"),
        ("He pays upon such date. Upon Such Date.", "What is it in USD?", "What is it in USD?"),
        ("Coastal Harbour Forum. Coastal Harbour Forum.", "How much is it in CHF?", "How much is it in CHF?"),
        (
            "The Joint Harbour Council meets. The joint harbour council.",
            "Who is the JHC?",
            "Who is the joint harbour council?",
        ),
        (
            "Joint Harbour Council. Joint Harbour Council. John H. Clark. Jane Hill Carr.",
            "Who is the JHC?",
            "Who is the JHC?",
        ),
        ("White Hats Only. White Hats Only. Boats of Silver Sails.", "WHO IS THE BOSS?", "WHO IS THE BOSS?"),
        ("Never Old Times. Never Old Times. It's not.", "What is NOT old?", "What is NOT old?"),
        ("High Old Mill Estate. High Old Mill Estate. His home.", "Who is at HOME?", "Who is at HOME?"),
    ],
)
def test_an_abbreviation_that_no_document_has_is_read_as_its_words(text: str, question: str, read: str) -> None:
    assert spell_out(question, [document(text)]) == read


def test_a_few_abbreviations_of_a_question_are_read() -> None:
    text = "Chief executive officer. Chief financial officer. Gross domestic product. Earnings per share."
    read = spell_out("Are CEO, CFO, GDP, EPS and CEO listed?", [document(text)])
    assert read == (
        "Are chief executive officer, chief financial officer, gross domestic product, EPS and chief executive officer"
        " listed?"
    )


def test_what_is_known_of_abbreviations_can_be_cleared_by_another_question(monkeypatch: pytest.MonkeyPatch) -> None:
    text = document("Ada Lund, Chief Financial Officer")

    class Cleared(dict[str, object]):
        """Forgets all when somebody looks something up, as if another thread had cleared it."""

        def __contains__(self, letters: object) -> bool:
            found = super().__contains__(letters)
            self.clear()
            return found

    known = Cleared()
    monkeypatch.setattr(abbreviations, "_known", PerDocument(lambda _: known))
    for _ in range(2):
        assert spell_out("Who is the CFO?", [text]) == "Who is the chief financial officer?"


@pytest.mark.parametrize("part", ["c", "cf ", "chief ", "chief financial ", "chief and ", "c \n"])
def test_the_words_of_an_abbreviation_are_found_in_linear_time(part: str) -> None:
    assert_linear(lambda size: spell_out("Who is the CFO?", [document(part * (size // len(part)))]))


@pytest.mark.parametrize(
    ("question", "text", "is_unknown"),
    [
        ("What was Acme's dividend per share?", "Earnings per share were $2.", True),
        ("What was Acme's dividend per share?", "Dividends of $2 were paid.", False),
        ("What was the inventory in May?", "Inventories were $12.", False),
        ("How much did Acme pay for it?", "It cost $12.", False),
    ],
)
def test_an_amount_that_no_document_mentions(question: str, text: str, is_unknown: bool) -> None:
    assert is_unknown_quantity(Question(question), [document(text)]) is is_unknown


@pytest.mark.parametrize(
    ("question", "text", "lacks"),
    [
        ("How many trucks did Acme sell?", "Acme delivered 721 vehicles.", True),
        ("How many trucks did Acme sell?", "Acme sold 12 trucks.", False),
        ("How many people died?", "The fire caused 12 deaths.", False),
        ("How much did the trucks cost?", "Acme paid $12.", False),
    ],
)
def test_a_sentence_can_lack_what_the_question_counts(question: str, text: str, lacks: bool) -> None:
    assert lacks_counted(Question(question), Unit(document(text), 0, len(text), text)) is lacks


@pytest.mark.parametrize(
    ("question", "text", "does"),
    [
        ("How is shift work defined?", "The term “shift work” is used to refer to work in succession.", True),
        ("What does ASK stand for?", "ASK = available seat kilometers", True),
        ("What is the definition of a heron?", "A heron is defined as a wading bird.", True),
        ("What is meant by a slip?", "A slip means a place for one boat.", True),
        ("How is shift work defined?", "Education is defined as training for shift work.", False),
        ("How is shift work defined?", "Shift work is hard.", False),
        ("Who does shift work?", "Shift work means to work in succession.", False),
    ],
)
def test_a_sentence_can_define_what_the_question_names(question: str, text: str, does: bool) -> None:
    assert defines(Question(question), Unit(document(text), 0, len(text), text)) is does


@pytest.mark.parametrize(
    ("question", "text", "lacks"),
    [
        ("What was the death rate?", "The death rate masks the differences by age (Table 2).", True),
        ("What was the death rate?", "The death rate was 135 per 100,000.", False),
        ("What is the interest rate?", "Federal loans have lower interest rates.", True),
        ("What is the interest rate?", "The interest rate is 5%.", False),
    ],
)
def test_a_sentence_can_lack_a_rate(question: str, text: str, lacks: bool) -> None:
    asked, unit = Question(question), Unit(document(text), 0, len(text), text)
    assert lacks_answer(asked, unit, kind_features(asked, unit)) is lacks
