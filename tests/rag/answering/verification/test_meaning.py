"""A sentence with the words of a passage doesn't hold if it says something else with them."""

from __future__ import annotations

import pytest

from tests.rag.answering.verification.test_sentences import is_supported

DEAL = "Alda Mills said on Monday that it will buy Bero Farms for $410 million. Bero Farms sold its dairy to Corvo."
VALVE = "The valve was invented by Ida Holm, who was working in a shed that the miller Olaf Berg had rented to her."
RESCUE = "In 1951, the harbour pilots rescued the crew of the ferry, and the coast guard rewarded them."


@pytest.mark.parametrize(
    ("sentence", "text", "supported"),
    [
        ("Alda Mills will buy Bero Farms for $410 million.", DEAL, True),
        ("Bero Farms will be bought by Alda Mills.", DEAL, True),
        ("Bero Farms will buy Alda Mills for $410 million.", DEAL, False),
        ("Bero Farms will buy Alda Mills.", DEAL, False),
        ("Alda Mills will be bought by Bero Farms.", DEAL, False),
        ("Ida Holm invented the valve.", VALVE, True),
        ("Olaf Berg had rented a shed to Ida Holm.", VALVE, True),
        ("Olaf Berg invented the valve.", VALVE, False),
        ("The harbour pilots rescued the crew of the ferry in 1951.", RESCUE, True),
        ("The crew of the ferry was rescued by the harbour pilots.", RESCUE, True),
        ("The crew of the ferry rescued the harbour pilots.", RESCUE, False),
        ("The coast guard rescued the crew of the ferry.", RESCUE, False),
        ("The tenant pays the landlord a deposit.", "The tenant shall pay the landlord a deposit.", True),
        ("The landlord pays the tenant a deposit.", "The tenant shall pay the landlord a deposit.", False),
        ("The club gave the school books.", "The club gave books to the school.", True),
        ("Talks began in the old ministry in May.", "The union began talks in the old ministry in May.", True),
        (
            "The clerk, Mr Orme, accused the guard of theft.",
            "Mr Orme accused his colleague, the guard, of theft.",
            True,
        ),
    ],
)
def test_who_does_what_to_whom(sentence: str, text: str, supported: bool) -> None:
    assert is_supported(sentence, text) == supported


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("Corvo bought the dairy of Bero Farms.", True),
        ("Bero Farms sold its dairy to Corvo.", True),
        ("Bero Farms bought its dairy.", False),
        ("Corvo sold its dairy to Bero Farms.", False),
    ],
)
def test_who_buys_something_has_it_sold_to_them(sentence: str, supported: bool) -> None:
    assert is_supported(sentence, DEAL) == supported


PLANS = "The port plans to extend the north quay, and work is expected to begin in 2031. Boats may use the old quay."


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("The port plans to extend the north quay.", True),
        ("The port will extend the north quay.", True),
        ("The port has extended the north quay.", False),
        ("The port extended the north quay.", False),
        ("The work is expected to begin in 2031.", True),
        ("Boats may use the old quay.", True),
        ("Boats must use the old quay.", False),
    ],
)
def test_what_is_planned_or_possible_has_not_happened_and_is_not_necessary(sentence: str, supported: bool) -> None:
    assert is_supported(sentence, PLANS) == supported


RULES = (
    "Divers must be at least 18 years old and have trained for no more than five years. The permit covers up to 30"
    " dives."
)


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("Divers must be at least 18 years old.", True),
        ("Divers must be 18 years old or older.", True),
        ("Divers must be at most 18 years old.", False),
        ("Divers must have trained for at most five years.", True),
        ("Divers must have trained for at least five years.", False),
        ("Divers must have trained for more than five years.", False),
        ("The permit covers no more than 30 dives.", True),
        ("The permit covers at least 30 dives.", False),
    ],
)
def test_a_bound_is_not_the_opposite_one(sentence: str, supported: bool) -> None:
    assert is_supported(sentence, RULES) == supported


FEES = (
    "A fee of $45 is charged unless the visitor has a pass. Dogs are not allowed in the garden except guide dogs."
    " Fishing is allowed in the lake but forbidden in the river."
)


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("A fee of $45 is charged unless the visitor has a pass.", True),
        ("No fee is charged if the visitor has a pass.", True),
        ("A fee of $45 is charged if the visitor has a pass.", False),
        ("Guide dogs are allowed in the garden.", True),
        ("Dogs are not allowed in the garden.", True),
        ("Dogs are not allowed in the garden except guide dogs.", True),
        ("Guide dogs are not allowed in the garden.", False),
        ("Dogs are allowed in the garden.", False),
        ("Fishing is forbidden in the river.", True),
        ("Fishing is allowed in the lake.", True),
        ("Fishing is allowed in the river.", False),
    ],
)
def test_conditions_and_exceptions(sentence: str, supported: bool) -> None:
    assert is_supported(sentence, FEES) == supported


MINE = "The copper mine of Arn closed in 1830 and reopened after 1850."
CAUSE = "The mill closed because the river had dried up. The dam supplies water to Ferro and power to Lund."


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("The mill closed because the river had dried up.", True),
        ("Because the river had dried up, the mill closed.", True),
        ("The river had dried up because the mill closed.", False),
        ("The dam supplies water to Ferro.", True),
        ("The dam supplies power to Lund.", True),
        ("The dam supplies power to Ferro.", False),
    ],
)
def test_cause_and_effect_and_what_belongs_together(sentence: str, supported: bool) -> None:
    assert is_supported(sentence, CAUSE) == supported


@pytest.mark.parametrize(
    ("sentence", "text", "supported"),
    [
        ("The copper mine of Arn reopened after 1850.", MINE, True),
        ("The copper mine of Arn reopened before 1850.", MINE, False),
        ("The bank raised its rate to 3.5%.", "The bank raised its rate from 3% to 3.5% because of inflation.", True),
        ("The bank cut its rate to 3.5%.", "The bank raised its rate from 3% to 3.5% because of inflation.", False),
        ("The dam opened in 2023.", "The dam was due to open in 2020, but it opened in 2023.", True),
        ("The club doesn't admit more than 40 boys.", "The club admits at most 40 boys.", True),
    ],
)
def test_a_sentence_with_a_figure_is_read_in_the_same_way(sentence: str, text: str, supported: bool) -> None:
    assert is_supported(sentence, text) == supported


@pytest.mark.parametrize(
    ("sentence", "text", "supported"),
    [
        ("The harbour is closed because of ice.", "Because of ice the harbour is closed.", True),
        ("The harbour was forced to close because of ice.", "Ice forced the harbour to close.", True),
        ("Acme bought Beta.", "Acme, which sold Delta in 2019, bought Beta.", True),
        ("Cove bought Acme.", "When Acme was in trouble, Cove bought the company.", True),
        ("Juno made steel at the plant.", "Juno used the plant to make steel.", True),
        ("Parcels lighter than 20 kg are free.", "Parcels under 20 kg are free.", True),
        ("Parcels heavier than 20 kg are free.", "Parcels under 20 kg are free.", False),
        ("A group may have at least twenty members.", "A group may have at most 20 members.", False),
    ],
)
def test_clauses_between_and_other_words_for_a_bound(sentence: str, text: str, supported: bool) -> None:
    assert is_supported(sentence, text) == supported
