"""Personal data in texts: what is found, and what only looks like it."""

from __future__ import annotations

import pytest

from publishing.scan.personal import find_personal, personal_data

MAIL, PHONE, BANK, CARD, SSN = (
    "e-mail addresses", "telephone numbers", "bank accounts (IBAN)", "card numbers", "social security numbers (US)",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Write to jo.doe+x@mail.seabirds.org.", MAIL),
        ('<a href="mailto:jo@seabirds.co.uk">', MAIL),
        ("Tel. +44 20 7946 0958", PHONE),
        ("call +49 (0)30 123456-78 or", PHONE),
        ("(650) 253-0000", PHONE),
        ("IBAN DE89 3704 0044 0532 0130 00, please", BANK),
        ("GB82WEST12345698765432", BANK),
        ("Card 4111 1111 1111 1111", CARD),
        ("5500-0000-0000-0004", CARD),
        ("378282246310005", CARD),
        ("SSN: 078-05-1120", SSN),
    ],
)
def test_personal_data_is_found(text: str, kind: str) -> None:
    assert list(find_personal(text)) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "jo@example.com, jo@example.org, root@localhost, a@b",
        "pip install package@1.2.3",
        "DE89 3704 0044 0532 0130 01 has wrong digits",
        "4111 1111 1111 1112",
        "0000 0000 0000 0000",
        "revenue 1,234,567 and 2,345,678",
        "2026-11-29T07:15:00+01:00",
        "1.4111111111111111",
        "000-12-3456, 900-12-3456, 123-00-4567, 1123-45-67890",
        "ISBN 978-3-16-148410-0",
        "+5 % and +12 points",
    ],
)
def test_what_only_looks_like_it_is_not(text: str) -> None:
    assert list(find_personal(text)) == []


def test_a_kind_is_one_line_with_the_documents_that_have_most() -> None:
    documents = [(f"{number}.txt", "jo@seabirds.org " * number) for number in range(1, 6)]
    assert personal_data(documents) == [f"{MAIL}: 15, in 5.txt, 4.txt, 3.txt and 2 more"]
    assert personal_data([("a.txt", "nothing")]) == []
