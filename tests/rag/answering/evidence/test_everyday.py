"""Everyday documents: lists with words in their cells, and short prose, asked in other words than theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.answering.evidence.candidates import retrieve_candidates
from rag.answering.evidence.selection import QuoteSelection, find_quotes
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder

TEXTS = {
    "order.md": """# Order

| No | Article | Quantity | Unit price (EUR) | Delivery |
|---|---|---|---|---|
| 501 | Garden bench Malmo | 3 | 129.00 | March |
| 502 | Parasol with stand | 2 | 79.50 | April |
| 503 | Folding table | 5 | 64.00 | March |
""",
    "duties.md": """# Duties of the committee

The committee met in the hall and agreed on these duties for the summer.

| Duty | Who | Until |
|---|---|---|
| Repair the fence | Edda | 3 May |
| Paint the gate | Milo | 17 May |
| Mow the lawn | Ravi | 24 May |
""",
    "oven.md": """# Oven

## Programs

Grill is meant for crisp crusts. It takes 15 minutes and needs 2 kWh of electricity.

Slow roast is meant for large pieces of meat. It takes 4 hours and 30 minutes and needs 3 kWh of electricity.

The timer starts a program up to 12 hours later.
""",
    "club.md": """# Statutes of the Heron Sailing Club

The board consists of the president, the treasurer and two boat masters. It is elected for two years. A bottle of
varnish for the boats holds 30 cups and is kept in the shed.
""",
    "rental.md": """# Rental of the boat house

The house lies at 7 Abbey Lane in Lowick. Before the keys are handed over, the tenant pays a security deposit of
GBP 450, which is returned within ten days after the house was handed back clean. Dogs are welcome.
""",
    "leaflet.md": """# Lowicin

Lowicin is taken against hay fever. Adults take one tablet twice a day. Store the tablets below 25 degrees. The bottle
holds sixty tablets. Do not take it with grapefruit juice.
""",
}


@pytest.fixture(scope="module")
def libraries(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Library]]:
    """A library for each text."""
    folder, opened = tmp_path_factory.mktemp("everyday"), dict[str, Library]()
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
        opened[name] = Library(embedder)
        opened[name].add(Path(folder / name))
    yield opened
    for library in opened.values():
        library.close()


@pytest.fixture
def ask(libraries: dict[str, Library], embedder: Embedder) -> Callable[[str, str], QuoteSelection]:
    def ask(name: str, question: str) -> QuoteSelection:
        library = libraries[name]
        documents = {document.id: document for document in library.documents}
        return find_quotes(question, retrieve_candidates([library], question, embedder), documents, embedder)

    return ask


@pytest.mark.parametrize(
    ("name", "question", "answer"),
    [
        ("order.md", "How many benches were ordered?", "3"),
        ("order.md", "How much is the parasol?", "79.50"),
        ("duties.md", "Who paints the gate?", "Milo"),
        ("duties.md", "When must the fence be repaired?", "3 May"),
        ("oven.md", "How long does the slow roast take?", "4 hours and 30 minutes"),
        ("rental.md", "How large is the deposit?", "GBP 450"),
        ("rental.md", "Can I bring a dog?", "Dogs are welcome."),
        ("leaflet.md", "How should the pills be kept?", "Store the tablets below 25 degrees."),
        ("leaflet.md", "How many pills are in a flask?", "sixty"),
    ],
)
def test_the_first_quote_answers(
    ask: Callable[[str, str], QuoteSelection], name: str, question: str, answer: str
) -> None:
    quotes = ask(name, question).quotes
    assert quotes, "refused"
    assert quotes[0].answer == answer


@pytest.mark.parametrize(
    ("name", "question", "names"),
    [
        ("rental.md", "How large is the house at 9 Priory Lane?", ("9 Priory Lane",)),
        ("order.md", "How much is the hammock?", ()),
        ("duties.md", "How much was paid for the fence?", ()),
        ("club.md", "Who is the president of the club?", ()),
        ("club.md", "How much does a bottle of varnish cost?", ()),
    ],
)
def test_a_near_miss_is_refused(
    ask: Callable[[str, str], QuoteSelection], name: str, question: str, names: tuple[str, ...]
) -> None:
    selection = ask(name, question)
    assert selection.abstention, [quote.text for quote in selection.quotes]
    assert selection.abstention.names == names


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("club.md", "Who is the dentist of the Heron Sailing Club?"),
        ("club.md", "What is the phone number of the Heron Sailing Club?"),
        ("leaflet.md", "What is the blood type of Lowicin?"),
        ("leaflet.md", "How much does Lowicin weigh?"),
        ("rental.md", "What is the maximum speed in Lowick?"),
        ("order.md", "When does Malmo open on Sundays?"),
    ],
)
def test_a_question_that_only_shares_a_name_with_the_document_has_no_sure_answer(
    ask: Callable[[str, str], QuoteSelection], name: str, question: str
) -> None:
    selection = ask(name, question)
    assert selection.abstention or selection.unsure, [quote.text for quote in selection.quotes]
