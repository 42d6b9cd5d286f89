"""A sentence without figures holds if a sentence, a row or a list of a passage says the same."""

from __future__ import annotations

import pytest

from rag.answering.verification.verifier import Verifier
from rag.documents import Document, Page, Passage

TOWER = "The Eiffel Tower in Paris was built by Gustave Eiffel."


def is_supported(sentence: str, text: str) -> bool | None:
    """Return the verdict on a sentence about a text; None if there is none."""
    document = Document("t", "text.txt", text, (Page(1, 0, len(text)),), "text/plain")
    passage = Passage(1, "t", "text.txt", 1, "", 0, len(text), text, 1.0, None, None)
    verdict = Verifier([passage], {"t": document}).check(sentence)
    return verdict.supported if verdict else None


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("The documents do not mention the height of the Eiffel Tower in Paris.", None),
        ("The documents do not say who designed the Eiffel Tower in Paris.", None),
        ("The documents do not mention that the Eiffel Tower in Paris was built by Gustave Eiffel.", False),
    ],
)
def test_only_what_a_passage_says_whole_is_not_missing(sentence: str, supported: bool | None) -> None:
    assert is_supported(sentence, TOWER) == supported


@pytest.mark.parametrize(
    ("sentence", "text", "supported"),
    [
        (
            "The report found no evidence that coffee is harmful.",
            "We find no evidence that coffee is harmful.",
            True,
        ),
        (
            "We did not find evidence that coffee is harmful.",
            "The authors found no evidence that coffee is harmful.",
            True,
        ),
        ("We said nothing about the new taxes.", "We did not say anything about the new taxes.", True),
        (
            "Wir haben keine Belege gefunden, dass Kaffee schädlich ist.",
            "Wir finden keine Belege, dass Kaffee schädlich ist.",
            True,
        ),
        (
            "The report found no evidence that coffee is harmful.",
            "We mention evidence that coffee is harmful.",
            False,
        ),
    ],
)
def test_a_verb_is_the_same_in_all_its_forms(sentence: str, text: str, supported: bool) -> None:
    assert is_supported(sentence, text) == supported


NOT_ONLY = {
    "en": "The museum shows not only paintings but also sculptures.",
    "de": "Das Museum zeigt nicht nur Gemälde, sondern auch Skulpturen.",
    "es": "El museo muestra no solo pinturas sino también esculturas.",
    "fr": "Le musée ne montre pas seulement des peintures, mais aussi des sculptures.",
    "both": "The museum shows paintings and sculptures.",
    "bus": "Bus No. 7 stops at the old harbour gate.",
    "ferry": "Ferry no 7 leaves from the old harbour gate.",
}


@pytest.mark.parametrize(
    ("sentence", "source", "supported"),
    [
        ("The museum shows paintings and sculptures.", "en", True),
        ("The museum shows not only paintings but also sculptures.", "both", True),
        ("The museum doesn't just show paintings but also sculptures.", "en", True),
        ("The museum does not show paintings or sculptures.", "en", False),
        ("Das Museum zeigt Gemälde und Skulpturen.", "de", True),
        ("Das Museum zeigt keine Gemälde und Skulpturen.", "de", False),
        ("El museo muestra pinturas y esculturas.", "es", True),
        ("El museo no muestra pinturas.", "es", False),
        ("Le musée montre des peintures et des sculptures.", "fr", True),
        ("Le musée ne montre pas de peintures.", "fr", False),
        ("The bus stops at the old harbour gate.", "bus", True),
        ("The bus does not stop at the old harbour gate.", "bus", False),
        ("The ferry leaves from the old harbour gate.", "ferry", True),
        ("The ferry does not leave from the old harbour gate.", "ferry", False),
    ],
)
def test_not_only_and_number_seven_deny_nothing(sentence: str, source: str, supported: bool) -> None:
    assert is_supported(sentence, NOT_ONLY[source]) == supported


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        ("Not only members may feed the goats.", "Only members may feed the goats."),
        ("Only members may feed the goats.", "Not only members may feed the goats."),
        ("Nicht nur Mitglieder dürfen die Ziegen füttern.", "Nur Mitglieder dürfen die Ziegen füttern."),
        ("Divers of twelve years may enter the cave.", "No 12-year-old divers may enter the cave."),
        ("There are gates with locks of steel.", "There are no 7 gates with locks of steel."),
        ("The ferry sails for a justified reason.", "The ferry does not sail for a not justified reason."),
    ],
)
def test_not_only_is_not_only_and_other_negations_stay(sentence: str, text: str) -> None:
    assert is_supported(sentence, text) is False


@pytest.mark.parametrize(
    ("sentence", "text", "supported"),
    [
        ("Alice founded Acme.", "Alice sued Acme.", False),
        ("Alice founded Acme.", "Alice founded Acme.", True),
        ("The state owns Acme.", "The shepherd owns Acme.", False),
        ("The report says that the state owns the canal.", "The county owns the canal.", False),
        ("Alice called Bob.", "Alice visited Bob.", False),
        ("Alice reported Bob.", "Alice visited Bob.", False),
        ("In Kiel, Bob was reported.", "In Kiel, Bob was visited.", False),
        ("The report says that coffee is harmful.", "Coffee is harmful.", True),
        ("The report also found that coffee is harmful.", "Coffee is harmful.", True),
        ("According to the report, coffee is harmful.", "Coffee is harmful.", True),
        ("The documents state that coffee is harmful.", "Coffee is harmful.", True),
        ("It is stated that coffee is harmful.", "Coffee is harmful.", True),
        ("In den Dokumenten steht, dass Kaffee schädlich ist.", "Der Kaffee ist schädlich.", True),
        ("Le texte dit que le café est nocif.", "Le café est nocif.", True),
    ],
)
def test_only_the_frame_of_a_sentence_needs_no_source(sentence: str, text: str, supported: bool) -> None:
    assert is_supported(sentence, text) == supported


@pytest.mark.parametrize(
    ("sentence", "text", "supported"),
    [
        (
            "Once the door opens, the alarm rings in the hall.",
            "When the door opens, the alarm rings in the hall.",
            True,
        ),
        ("The pump is cleaned once a week by the warden.", "The pump is cleaned by the warden each week.", False),
        ("The pump is cleaned once a week by the warden.", "The pump is cleaned twice a week by the warden.", False),
        ("The pump is cleaned once a week by the warden.", "The warden cleans the pump once a week.", True),
        ("The warden cleaned the pump only once.", "The warden cleaned the pump.", False),
        ("The warden cleaned the pump once.", "The warden cleaned the pump twice.", False),
        (
            "Der Wächter prüft die Pumpe noch einmal und schließt das Tor.",
            "Der Wächter prüft die Pumpe und schließt das Tor.",
            True,
        ),
        (
            "Der Wächter prüft die Pumpe einmal pro Woche und schließt das Tor.",
            "Der Wächter prüft die Pumpe zweimal pro Woche und schließt das Tor.",
            False,
        ),
        (
            "Der Wächter hat die Pumpe einmal geprüft und das Tor geschlossen.",
            "Der Wächter hat die Pumpe zweimal geprüft und das Tor geschlossen.",
            False,
        ),
        ("Le pont neuf est ouvert aux bateaux du port.", "Le pont est ouvert aux bateaux du port.", True),
        ("Le port a neuf bateaux dans le bassin.", "Le port a huit bateaux dans le bassin.", False),
        ("Le port a vingt-neuf bateaux dans le bassin.", "Le port a vingt-huit bateaux dans le bassin.", False),
    ],
)
def test_once_and_neuf_are_not_always_numbers(sentence: str, text: str, supported: bool) -> None:
    assert is_supported(sentence, text) == supported


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("The port has nine boats in the old basin.", True),
        ("The port has eight boats in the old basin.", False),
    ],
)
def test_a_number_in_words_is_the_one_in_digits(sentence: str, supported: bool) -> None:
    assert is_supported(sentence, "The port has 9 boats in the old basin.") == supported


@pytest.mark.parametrize(
    ("sentence", "text", "supported"),
    [
        ("Acme acquired Beta.", "Acme was acquired by Beta.", False),
        ("Acme was acquired by Beta.", "Acme acquired Beta.", False),
        ("Acme was acquired by Beta.", "In a hostile bid, Acme acquired the smaller Beta.", False),
        ("Acme acquired Beta.", "Acme has been quickly acquired by Beta in Kiel.", False),
        ("Beta was acquired by Acme.", "Acme acquired Beta.", True),
        ("Acme acquired Beta in a hostile bid.", "Beta was acquired by Acme in a hostile bid.", True),
        ("Acme was acquired by Beta in a hostile bid.", "Acme was acquired by Beta in a hostile bid.", True),
        ("The gate of the park was closed by noon.", "The gate of the park closed at noon.", True),
        ("Alfa compró Beta en el puerto.", "Alfa fue comprada por Beta en el puerto.", False),
        ("Beta compró los barcos en el puerto.", "Los barcos fueron comprados por Beta en el puerto.", True),
        ("Los pescadores compraron los barcos.", "Los barcos compraron los pescadores.", False),
        ("Scheele y Priestley descubrieron el oxígeno.", "El oxígeno lo descubrieron Scheele y Priestley.", True),
        ("Alpha achète Bêta dans le port.", "Alpha est achetée par Bêta dans le port.", False),
    ],
)
def test_the_passive_turns_who_does_something(sentence: str, text: str, supported: bool) -> None:
    assert is_supported(sentence, text) == supported


PLANS = """| Plan | Support | Backups |
|---|---|---|
| Pro | phone | daily |
| Basic | email. Answers may be late. | none |
| Free | forum | none |
"""


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("The Pro plan includes phone support.", True),
        ("Support by phone comes with the Pro plan.", True),
        ("The Basic plan includes email support.", True),
        ("The Free plan has forum support.", True),
        ("The Pro plan has phone support, and the Basic plan has email support.", True),
        ("The Basic plan includes phone support.", False),
        ("The Free plan includes email support.", False),
        ("The Pro plan does not include phone support.", False),
        ("The Free plan has daily backups.", False),
    ],
)
def test_a_row_has_the_words_of_its_header(sentence: str, supported: bool) -> None:
    assert is_supported(sentence, PLANS) == supported


MODELS = """| Model | Wi-Fi | Battery | Camera | Radio |
|---|---|---|---|---|
| Alpha | yes | no | ✗ | ✓ |
| Beta | no | yes | n/a | – |
"""


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("The Alpha model has Wi-Fi.", True),
        ("The Alpha model has no battery.", True),
        ("The Alpha model has a battery.", False),
        ("The Alpha model has a camera.", False),
        ("The Alpha model has a radio.", True),
        ("The Beta model has Wi-Fi.", False),
        ("The Beta model has a battery.", True),
        ("The Beta model has a camera.", False),
        ("The Beta model has a radio.", False),
    ],
)
def test_a_cell_says_yes_or_no_of_its_column(sentence: str, supported: bool) -> None:
    assert is_supported(sentence, MODELS) == supported


COVERED = """{lead}

{one} dental care
{two} vision care
{three} hearing aids
"""


@pytest.mark.parametrize("marks", ["---", "123"])
@pytest.mark.parametrize(
    ("sentence", "lead", "supported"),
    [
        ("The plan covers dental care, vision care and hearing aids.", "The plan covers:", True),
        ("The plan covers hearing aids.", "**The plan covers:**", True),
        ("The plan covers dental care, vision care and massage chairs.", "The plan covers:", False),
        ("The plan covers dental care, vision care and hearing aids.", "The plan does not cover:", False),
        ("The plan covers hearing aids.", "The plan does not cover:", False),
        ("The plan does not cover hearing aids.", "The plan does not cover:", True),
        ("The plan covers hearing aids.", "It isn't known what is behind the list.", False),
    ],
)
def test_a_list_belongs_to_what_leads_to_it(sentence: str, lead: str, supported: bool, marks: str) -> None:
    one, two, three = (mark if mark == "-" else f"{mark}." for mark in marks)
    assert is_supported(sentence, COVERED.format(lead=lead, one=one, two=two, three=three)) == supported
