from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering.abstention.abstain import AbstentionKind
from rag.answering.evidence.candidates import retrieve_candidates, with_similarities
from rag.answering.evidence.comparison import compared_documents
from rag.answering.evidence.ranking import has_other_figure, plain_words_first
from rag.answering.evidence.selection import QuoteSelection, find_quotes
from rag.answering.quotes import Quote
from rag.documents import Document, Passage
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder

Ask = Callable[..., QuoteSelection]


@pytest.fixture
def ask(library: Library, embedder: Embedder, write_file: Callable[[str, str], Path]) -> Ask:
    """Ask a question of texts by name."""

    def ask(question: str, **texts: str) -> QuoteSelection:
        for name, text in texts.items():
            library.add(write_file(f"{name}.md", text))
        documents = {document.id: document for document in library.documents}
        passages = retrieve_candidates([library], question, embedder)
        selection = find_quotes(question, passages, documents, embedder)
        for quote in (*selection.quotes, *selection.nearest):
            assert quote.text == documents[quote.document_id].text[quote.start : quote.end]
            assert quote.start <= quote.answer_start < quote.answer_end <= quote.end
            assert 0 <= quote.probability <= 1
        return selection

    return ask


BIRDS = """# Birds of the harbour

The grey heron stands at the old pier every morning. It eats 12 fish a day. Dr. Ada Lund of the U.S. National Museum
counted 340 herons in May 2021. The harbour was built for $1.28 billion in 1954 by Acme Inc. and two partners.

## Food

- Cormorants dive for eels.
- Terns take 35 % of the sand eels.
"""
FEES = """# Fees of {year}

Fees were as follows (in thousands):

| | {year} | {before} |
|---|---|---|
| Audit fees (1) | $1.234.567 | $ 2,345 |
| Tax fees | (1,250) | n/a |
| Other fees | {other} | 17 |
"""


@pytest.mark.parametrize(
    ("question", "answer", "text"),
    [
        ("How much did the harbour cost to build?", "$1.28 billion", "The harbour was built for"),
        ("Who counted the herons?", "Ada Lund", "counted 340 herons in May 2021."),
        ("When were the herons counted?", "May 2021", "Dr. Ada Lund of the U.S. National Museum"),
        ("What share of the sand eels do the terns take?", "35 %", "Terns take 35 % of the sand eels."),
        ("How many herns were counted?", "340", "counted 340 herons"),  # a typo
    ],
)
def test_the_answer_is_marked_inside_its_sentence(ask: Ask, question: str, answer: str, text: str) -> None:
    quote = ask(question, birds=BIRDS).quotes[0]
    assert text in quote.text
    assert answer in quote.answer


def test_a_cell_is_quoted_with_its_labels(ask: Ask) -> None:
    quote = ask("What were the tax fees in 2022?", fees=FEES.format(year=2022, before=2021, other=9)).quotes[0]
    assert (quote.answer, quote.labels) == ("(1,250)", ("Tax fees", "2022", "in thousands"))
    assert (quote.row, quote.column) == (2, 1)
    assert quote.text.startswith("Tax fees")


def test_thousands_with_points_and_a_footnote_mark(ask: Ask) -> None:
    quote = ask("What were the audit fees in 2022?", fees=FEES.format(year=2022, before=2021, other=9)).quotes[0]
    assert (quote.answer, quote.labels[0]) == ("$1.234.567", "Audit fees")


def test_a_document_of_only_tables(ask: Ask) -> None:
    table = "| | 2022 | 2021 |\n|---|---|---|\n| Rent | 12 | 13 |\n| Wages | 30 | 31 |\n"
    quote = ask("What were the wages in 2021?", table=table).quotes[0]
    assert (quote.answer, quote.labels) == ("31", ("Wages", "2021"))


def test_two_documents_with_the_same_table_for_other_years(ask: Ask) -> None:
    texts = {"new": FEES.format(year=2022, before=2021, other=9), "old": FEES.format(year=2018, before=2017, other=5)}
    quote = ask("What were the other fees in 2018?", **texts).quotes[0]
    assert (quote.document, quote.answer) == ("old.md", "5")


def test_an_abstention_says_which_years_the_documents_cover(ask: Ask) -> None:
    texts = {"new": FEES.format(year=2022, before=2021, other=9)}
    selection = ask("What were the other fees in 2015?", **texts)
    assert selection.abstention
    assert (selection.abstention.kind, selection.abstention.years) == (AbstentionKind.OTHER_YEARS, ("2015",))
    assert selection.abstention.covered_years == ("2021", "2022")
    assert selection.quotes == ()
    assert selection.nearest


def test_a_summary_has_key_sentences_in_the_order_of_the_text(ask: Ask) -> None:
    quotes = ask("What is this about?", birds=BIRDS).quotes
    assert 1 <= len(quotes) <= 3
    assert [quote.start for quote in quotes] == sorted(quote.start for quote in quotes)


@pytest.mark.parametrize(
    "question",
    [
        "What is food.md about?",
        "Worum geht es in food.md?",
        "De quoi parle food.md ?",
        "¿De qué trata food.md?",
        "food.md 讲了什么？",
    ],
)
def test_a_question_about_a_document_by_its_name_gets_its_key_sentences(ask: Ask, question: str) -> None:
    food = (
        "The kitchen serves soup at noon on each day of the week. The cook buys the fish at the market every morning."
    )
    selection = ask(question, birds=BIRDS, food=food)
    assert selection.abstention is None
    assert {quote.document for quote in selection.quotes} == {"food.md"}
    assert len(selection.quotes) == 2


def test_a_comparison_quotes_each_document(ask: Ask) -> None:
    texts = {
        "Alba": "# Alba\n\nAlba had 120 employees in 2022.\n",
        "Brio": "# Brio\n\nBrio had 75 employees in 2022.\n",
    }
    quotes = ask("Compare the number of employees of Alba and Brio", **texts).quotes
    assert {quote.document for quote in quotes} == {"Alba.md", "Brio.md"}


def test_the_difference_between_two_things_compares_no_documents(ask: Ask) -> None:
    texts = {
        "locks": "# Locks\n\nA lock is held to the end of a transaction. A latch is held for one access only.\n",
        "birds": BIRDS,
    }
    quotes = ask("What is the difference between a lock and a latch?", **texts).quotes
    assert {quote.document for quote in quotes} == {"locks.md"}
    quotes = ask("What differs between the two documents on herons?", **texts).quotes
    assert {quote.document for quote in quotes} <= {"locks.md", "birds.md"}


@pytest.mark.parametrize(
    ("question", "count"),
    [
        ("What are the differences between the two annual reports?", 2),
        ("Compare the uploaded files.", 2),
        ("Compare revenue across documents.", 2),
        ("What is the difference between a lock and a latch?", 0),
        ("What is the difference between the company's revenue and costs?", 0),
    ],
)
def test_which_questions_compare_all_documents(question: str, count: int) -> None:
    documents = {name: Document(name, f"{name}.md", name, (), "text/markdown") for name in ("one", "two")}
    assert len(compared_documents(question, documents)) == count


def test_quotes_in_another_language_can_be_unsure(ask: Ask) -> None:
    text = (
        "# Unterstützung\n\nDie Version mit dem Namen Stable wird für fünf Jahre unterstützt. Das Team für Sicherheit"
        " kümmert sich um alle Fehler. Die Version mit dem Namen Testing wird vor jeder Veröffentlichung eingefroren.\n"
    )
    sure = ask("Für wie viele Jahre wird die Version mit dem Namen Stable unterstützt?", text=text)
    assert not sure.unsure
    assert "fünf Jahre" in sure.quotes[0].text
    other = ask("Welche Farbe hat das Logo der Sicherheit?", text=text)
    assert other.unsure or other.abstention


def test_without_passages_the_documents_do_not_answer(embedder: Embedder) -> None:
    selection = find_quotes("How tall is the tower?", [], {}, embedder)
    assert selection.abstention
    assert selection.abstention.kind == AbstentionKind.NO_PASSAGES


def test_a_name_that_no_document_has_is_the_reason(ask: Ask) -> None:
    texts = {"fees": FEES.format(year=2022, before=2021, other=9)}
    selection = ask("What were the tax fees of Microsoft in 2022?", **texts)
    assert selection.abstention
    assert (selection.abstention.kind, selection.abstention.names) == (AbstentionKind.NOT_MENTIONED, ("Microsoft",))


@pytest.mark.parametrize(
    ("question", "is_answered"), [("港口的守夜人晚上几点锁门？", True), ("歌剧塞维利亚理发师是谁作曲的？", False)]
)
def test_questions_in_another_script(question: str, is_answered: bool, ask: Ask) -> None:
    text = "港口的守夜人每天晚上十点锁门。船只必须在九点以前进港。灯塔有四十一级台阶。"
    assert (ask(question, harbour=text).abstention is None) is is_answered


def test_a_document_without_the_name_is_not_quoted(ask: Ask) -> None:
    table = "# {name}\n\n| | 2022 | 2021 |\n|---|---|---|\n| Net sales | {value} | 13 |\n"
    texts = {"a": table.format(name="Alba", value=12), "b": table.format(name="Brio", value=75)}
    quotes = ask("What were the net sales of Brio in 2022?", **texts).quotes
    assert {quote.document for quote in quotes} == {"b.md"}
    assert quotes[0].answer == "75"


def test_a_figure_of_another_name_is_not_quoted(ask: Ask) -> None:
    prose = "Alba sells cheese in many towns and villages of the region. " * 60
    end = "We use software by Brio. Dairy revenue was $3 million in 2022.\n"
    report = f"# Alba report\n\nThe revenue was $12 million in 2022.\n\n{prose}\n\n{end}"
    selection = ask("What was Brio's revenue in 2022?", report=report)
    assert all("million" not in quote.text for quote in selection.quotes)


def test_the_label_of_a_row_has_its_section(ask: Ask) -> None:
    table = "| | 2022 | 2021 |\n|---|---|---|\n| AWS | | |\n| Operating income | 12 | 13 |\n| Other costs | 30 | 31 |\n"
    quote = ask("What was the operating income of AWS in 2021?", table=table).quotes[0]
    assert (quote.answer, quote.labels) == ("13", ("AWS: Operating income", "2021"))


SPANISH = """La estación meteorológica se fundó en 1952.

Un amarre cuesta 14 euros por noche.

El faro mide 31 metros de altura.

El transbordador sale los días laborables a las 8:15.
"""
GERMAN = """Die Wetterstation wurde 1952 gegründet.

Ein Liegeplatz kostet 14 Euro je Nacht.

Der Leuchtturm ist 31 Meter hoch.

Die Fähre fährt werktags um 8:15 Uhr.
"""


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        (SPANISH, "¿Cuánto cuesta un amarre?", "14 euros"),
        (SPANISH, "¿Cuántos metros mide el faro?", "31 metros"),
        (SPANISH, "¿Cuándo se fundó la estación meteorológica?", "1952"),
        (SPANISH, "¿Quién ganó el campeonato del mundo?", None),
        (SPANISH, "¿Quién escribió la ópera?", None),
        (GERMAN, "Was kostet ein Liegeplatz?", "14 Euro"),
        (GERMAN, "Wie hoch ist der Leuchtturm?", "31 Meter"),
        (GERMAN, "Wann fährt die Fähre?", "8:15"),
        (GERMAN, "Wer gewann die Weltmeisterschaft?", None),
    ],
)
def test_other_languages_are_answered_or_refused(ask: Ask, text: str, question: str, answer: str | None) -> None:
    selection = ask(question, island=text)
    if answer is None:
        assert selection.abstention
    else:
        assert answer in selection.quotes[0].text


CLOUD = """# Highlights

We announced Meridian Cloud, a managed service that runs in Acme Azure, and support Acme 365 applications, such as Acme
Teams. Herons stand at the pier.
"""
PRODUCTS = """# Highlights

Revenue was $7.2 billion in the first quarter. We announced Meridian Cloud, a managed service that runs in Acme Azure.
Our software now supports Acme 365 applications, such as Acme Teams and Acme Outlook. We employ 26,196 people.
The iPump is our best seller.

| Net sales by product (in millions) | 2023 | 2022 |
|---|---|---|
| iPump | $ 40,665 | $ 39,570 |
| Wearables | $ 8,084 | $ 8,775 |
"""


@pytest.mark.parametrize("question", ["How much does Acme charge?", "What did Acme earn?"])  # 0.19 and 0.34
def test_a_question_for_a_figure_isnt_answered_by_words_that_hardly_fit(ask: Ask, question: str) -> None:
    selection = ask(question, cloud=CLOUD)
    assert (selection.quotes, bool(selection.nearest)) == ((), True)
    assert selection.abstention


def test_quotes_that_may_not_answer_are_unsure(ask: Ask) -> None:
    assert ask("How many iPumps were sold in 2023?", products=PRODUCTS).unsure
    assert not ask("What was the revenue in the first quarter?", products=PRODUCTS).unsure


CENSUS = """# Census of 1901

In the Census of 1901, Warsaw had 711,988 inhabitants; 56.2 % of them were Catholic. Its computers had 2 GB of RAM.
"""


def test_quotes_about_a_name_that_no_document_has_are_unsure(ask: Ask) -> None:
    """Another name of the question is in the document, which says nothing of the first one."""
    assert not ask("How many inhabitants did Warsaw have in the Census of 1901?", census=CENSUS).unsure
    assert ask("How many inhabitants did Marlowe have in the Census of 1901?", census=CENSUS).unsure
    spanish = "# Censo de 1901\n\nEn el Censo de 1901, Varsovia tenía 711 988 habitantes."
    assert ask("¿Cuántos habitantes tenía Marlowe en el Censo de 1901?", censo=spanish).unsure


def test_an_abbreviation_in_a_document_answers_nothing_about_a_name_that_it_lacks(ask: Ask) -> None:
    assert ask("How much RAM did the computers of Warsaw have?", census=CENSUS).quotes
    assert ask("How much RAM did the computers of Ubuntu have?", census=CENSUS).unsure


def test_a_question_about_a_name_that_no_document_has_is_refused_beside_an_abbreviation(ask: Ask) -> None:
    manual = f"# Installation\n\n{'Unpack the archive and start the program. ' * 100}\n\nIt needs 2 GB of RAM."
    abstention = ask("How much RAM does Ubuntu need?", manual=manual).abstention
    assert abstention
    assert (abstention.kind, abstention.names) == (AbstentionKind.NOT_MENTIONED, ("Ubuntu",))


def test_words_that_are_no_names_make_no_quote_unsure(ask: Ask) -> None:
    for words in ("in English", "on Page 3", "I'm told", "in the PDF", "in USD"):
        assert not ask(f"How many inhabitants did Warsaw have in 1901, {words}?", census=CENSUS).unsure


def test_a_passage_that_only_words_found_has_its_similarity_too(embedder: Embedder) -> None:
    passage = Passage(1, "d", "d.md", None, "", 0, 30, "Le héron mange du poisson.", 0.5, None, 3.0)
    known = replace(passage, dense=0.9)
    question = "Que mange le héron ?"
    found, kept = with_similarities([passage, known], question, embedder)
    assert kept is known
    assert found.dense is not None
    assert found.dense > 0.4


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The spare key hangs behind the blue door in the hall. ", "Where does the spare key hang?"),
        ("Der Ersatzschlüssel hängt hinter der blauen Tür im Flur. ", "Wo hängt der Ersatzschlüssel?"),
    ],
)
def test_words_that_stand_in_many_places_count_together(ask: Ask, sentence: str, question: str) -> None:
    selection = ask(question, note=sentence * 30)
    assert selection.quotes[0].text == sentence.strip()
    assert not selection.unsure


def cell_quote(answer: str, *labels: str, probability: float = 0.5) -> Quote:
    text = f"{labels[0]} | {answer}"
    return Quote("d", "d.pdf", 7, "", 0, len(text), text, len(text) - len(answer), len(text), probability, labels)


def sentence_quote(text: str, answer: str, probability: float = 0.5) -> Quote:
    start = text.index(answer)
    return Quote("d", "d.pdf", 7, "", 0, len(text), text, start, start + len(answer), probability)


def test_a_sentence_with_the_amount_of_a_cell_in_brackets_is_first() -> None:
    cell = cell_quote("(99)", "Dividends paid", "April 30, 2023", "In millions")
    sentence = sentence_quote("We paid $99 million in cash dividends.", "$99 million")
    other = sentence_quote("We paid $100 million a year ago.", "$100 million")
    assert plain_words_first((cell, other, sentence)) == (sentence, cell, other)
    assert plain_words_first((cell, other)) == (cell, other)
    plain = cell_quote("99", "Sales", "April 30, 2023", "In millions")
    assert plain_words_first((plain, sentence)) == (plain, sentence)
    assert plain_words_first(()) == ()


@pytest.mark.parametrize(
    ("sentence", "answer", "probability", "is_first"),
    [
        ("It has 5 offices.", "5", 0.9, False),
        ("A loss of 5 was reported.", "5", 0.9, True),
        ("A loss of 5 was reported.", "5", 0.3, False),
        ("The fee is $5.", "$5", 0.9, False),
    ],
)
def test_a_sentence_with_the_same_number_about_something_else_is_not_first(
    sentence: str, answer: str, probability: float, is_first: bool
) -> None:
    cell, other = cell_quote("(5)", "Net loss", "2023", probability=0.9), sentence_quote(sentence, answer, probability)
    assert plain_words_first((cell, other)) == ((other, cell) if is_first else (cell, other))


def test_a_sentence_with_the_same_amount_of_money_in_the_same_unit_is_first() -> None:
    cell = cell_quote("(5)", "Net loss", "2023", "in millions")
    sentence, count = (
        sentence_quote("We lost $5 million.", "$5 million"),
        sentence_quote("5 million came.", "5 million"),
    )
    assert plain_words_first((cell, sentence)) == (sentence, cell)
    assert plain_words_first((cell, count)) == (cell, count)


@pytest.mark.parametrize(
    ("first", "other", "is_other"),
    [
        (("$ 1,234", ""), ("1,234", ""), False),
        (("1,234", "in millions"), ("1,234,000", "in thousands"), False),
        (("1,234", "in millions"), ("1,234,456", "in thousands"), False),  # rounded
        (("1.2", "in billions"), ("1,234", "in millions"), False),
        (("1.2", "in billions"), ("1,934", "in millions"), True),
        (("1,234", "in millions"), ("1,234", ""), False),  # its unit wasn't found
        (("1,234", "in millions"), ("1,234", "in thousands"), True),
        (("1,234", ""), ("1,235", ""), True),
        (("$ 1,234", ""), ("$ 1,500", ""), True),
        (("(5)", ""), ("5", ""), True),
        (("1,234", ""), ("4%", ""), False),  # another measure
        (("$ 1,234", ""), ("€ 1,100", ""), False),
        (("4%", ""), ("5%", ""), True),
        (("12", ""), ("12 (a)", ""), False),
    ],
)
def test_cells_with_the_same_labels_have_other_figures(
    first: tuple[str, str], other: tuple[str, str], is_other: bool
) -> None:
    quotes = [cell_quote(answer, "Net sales", "2022", *filter(None, [unit])) for answer, unit in (first, other)]
    assert has_other_figure(quotes) is is_other
    assert has_other_figure(quotes[::-1]) is is_other


FAQ = """# About the pass

**How long is my ticket valid?**

Ninety days from the day on which you bought it.

**What happens if I lose my card?**

Tell us at once. We block the old card and send you a new one for 5 euros.

**Do children need a ticket of their own?**

Children below six travel free with an adult.
"""


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How long is the ticket valid?", "Ninety days"),
        ("I lost my card, what happens?", "a new one for 5 euros"),
        ("Does my four-year-old need a ticket?", "travel free"),
    ],
)
def test_a_question_that_the_document_asks_itself_is_quoted_with_its_answer(
    ask: Ask, question: str, answer: str
) -> None:
    assert answer in ask(question, faq=FAQ).quotes[0].text
