"""Events of the comparator with values of any kind are refused with a sentence, and aren't errors in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.security.conftest import Comparator
from tests.security.invalid_values import INVALID_VALUES
from tests.security.wire import Guest

# One event per handler; the others with the same name have the same inputs.
EVENTS = [
    "begin",
    "race",
    "finish",
    "vote_3",  # for a column that the race hasn't
    "votes",
    "measure",
    "stop_measuring",
    "show",
    "write",
    "open_run",
    "update_earlier",
    "share_run",
    "open_link",
    "open_page",
    "check_targets",
    "load_example",
    "answers",
]
VALUES = list(INVALID_VALUES.values())


@pytest.fixture
def guest(comparator_guest: Callable[[str], Guest]) -> Guest:
    return comparator_guest("192.0.2.20")


@pytest.fixture(autouse=True)
def no_traceback(comparator: Comparator) -> Iterator[None]:
    logged = len(comparator.app.log.read_bytes())
    yield
    log = comparator.app.log.read_bytes()[logged:].decode()
    assert "Traceback" not in log, log[-3000:]


def inputs(guest: Guest, event: str) -> list[Any]:
    """Return inputs that the handler itself refuses: what looks valid costs little then."""
    if event == "answers":
        return ["Why?", "nowhere"]
    run = {"run": None} if event in ("show", "write") else {}
    return guest.inputs(event, targets=[], **run)


def test_every_event_is_reviewed(guest: Guest) -> None:
    """Review an event before you add it here."""
    names = {name.rstrip("0123456789").rstrip("_") for name in guest.events}
    assert names - {"js_fn", "unnamed"} == {event.removesuffix("_3") for event in EVENTS}


@pytest.mark.parametrize("event", EVENTS)
def test_an_invalid_value_is_refused_with_a_sentence(guest: Guest, event: str) -> None:
    valid = inputs(guest, event)
    wrong = [[*valid[:place], value, *valid[place + 1 :]] for place in range(len(valid)) for value in VALUES]
    for data in (*wrong, [], valid[:-1], [*valid, *["more"] * 50]):
        outcome = guest.call(event, data)
        assert outcome.success or outcome.error, data
