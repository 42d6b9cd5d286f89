"""A page without its key is recognised by a ticket that only it knows, and gets its key once."""

from __future__ import annotations

import re
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from ui.access.tickets import Tickets


def ticket() -> str:
    return f"page-{secrets.token_hex(32)}"


def test_every_event_with_a_ticket_finds_the_same_key() -> None:
    tickets, mine = Tickets(), ticket()
    key = tickets.key(mine)
    assert re.fullmatch(r"[\w-]{43}", str(key))
    assert tickets.redeem(mine) == key
    assert tickets.key(mine) == key
    assert tickets.key(ticket()) != key


def test_a_key_is_given_out_once_also_to_many_at_the_same_moment() -> None:
    tickets, mine = Tickets(), ticket()
    with ThreadPoolExecutor(16) as threads:
        keys = list(threads.map(tickets.redeem, [mine] * 200))
    assert len(set(keys)) == 200
    assert tickets.key(mine) in keys


@pytest.mark.parametrize("value", ["", None, 7, ["page-"], "page-", f"page-{'0' * 63}", f"page-{'0' * 64}\n", "k" * 43])
def test_any_other_value_is_returned_as_it_is(value: object) -> None:
    tickets = Tickets()
    assert tickets.key(value) is value
    assert tickets.redeem(value) is value


def test_invented_tickets_take_bounded_memory() -> None:
    tickets, mine = Tickets(capacity=10), ticket()
    key = tickets.key(mine)
    for _ in range(9):
        tickets.key(ticket())
    assert tickets.key(mine) == key
    for _ in range(10):
        tickets.key(ticket())
    assert tickets.key(mine) != key
