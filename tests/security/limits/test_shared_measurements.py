"""Strangers on the comparator: its one place for measurements is shared, and made-up sessions leave nothing."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest

from tests.helpers.servers import wait_until
from tests.security.conftest import Comparator
from tests.security.wire import EventOutcome, Guest

FLOOD, HOME = "192.0.2.66", "192.0.2.7"
NewGuest = Callable[[str], Guest]


@pytest.fixture
def new_guest(comparator_guest: NewGuest) -> NewGuest:
    return comparator_guest


def measure(guest: Guest, requests: int, *targets: str, **fields: object) -> EventOutcome:
    inputs = guest.inputs("measure", targets=list(targets), requests=requests, **fields)
    return guest.call("measure", inputs)


def test_a_huge_measurement_is_refused_with_a_way_out(new_guest: NewGuest) -> None:
    outcome = measure(new_guest(FLOOD), 9001, "steady")
    assert "This page measures up to 2,000 requests in all; this would be 9,004." in outcome.stream
    assert "python -m compare run on your own machine" in outcome.stream


@pytest.mark.parametrize("fields", [{"loads": ", ".join(map(str, range(1, 40)))}, {"minutes": 47}], ids=str)
def test_a_measurement_that_would_take_long_is_refused(new_guest: NewGuest, fields: dict[str, object]) -> None:
    assert "This page measures up to" in measure(new_guest(FLOOD), 40, "steady", **fields).stream


def test_another_address_measures_before_the_second_measurement_of_a_flood(
    comparator: Comparator, new_guest: NewGuest
) -> None:
    ended: list[Guest] = []

    def start(guest: Guest, requests: int) -> threading.Thread:
        def run() -> None:
            measure(guest, requests, "steady")
            ended.append(guest)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def sent() -> int:
        return len(comparator.models.requests.get("steady", []))

    first, second, home = new_guest(FLOOD), new_guest(FLOOD), new_guest(HOME)
    sent_before = sent()
    threads = [start(first, 40)]
    wait_until(lambda: sent() > sent_before)
    threads += [start(second, 40), start(home, 4)]
    wait_until(lambda: home in ended)
    assert ended == [first, home]
    second.run("stop_measuring", [second.key])
    for thread in threads:
        thread.join(60)


def test_a_target_that_is_named_many_times_answers_once(comparator: Comparator, new_guest: NewGuest) -> None:
    sent = len(comparator.models.requests.get("slow", []))
    outcome = new_guest(HOME).call("answers", ["Why?", ",".join(["slow"] * 200)])
    assert outcome.success
    assert len(comparator.models.requests["slow"]) == sent + 1


def test_a_call_names_few_targets(new_guest: NewGuest) -> None:
    outcome = new_guest(HOME).call("answers", ["Why?", ",".join(f"t{number}" for number in range(200))])
    assert "200 targets are too many for one call. Name up to 4." in outcome.error


def test_pages_opened_with_made_up_sessions_leave_nothing(comparator: Comparator, new_guest: NewGuest) -> None:
    first = new_guest("192.0.2.9")
    assert first.call("show", first.inputs("show")).success
    before, folders = comparator.stored(), len(list(comparator.temporary.iterdir()))
    for _ in range(10):
        guest = new_guest("192.0.2.9")
        outcome = guest.call("show", guest.inputs("show"))
        assert outcome.success, outcome.error
    assert comparator.stored() - before < 100_000
    assert len(list(comparator.temporary.iterdir())) == folders


def test_a_report_is_sent_and_not_stored(comparator: Comparator, new_guest: NewGuest) -> None:
    guest = new_guest(HOME)
    assert guest.call("show", guest.inputs("show")).success
    before = comparator.stored()
    files = [guest.call(name, guest.inputs(name)).output[0] for name in ("write", "write_1", "write_2")]
    assert [files[0][:9], files[1][:4], "| ---" in files[2]] == ["<!doctype", "run,", True]
    assert comparator.stored() - before < 100_000


def test_the_session_of_another_visitor_shows_no_run(new_guest: NewGuest) -> None:
    """A session hash isn't a secret: it's in addresses."""
    victim, thief = new_guest("192.0.2.10"), new_guest(FLOOD)
    stream = measure(victim, 4, "steady").stream
    (name,) = set(re.findall(r'"(steady, short[^"]*)"', stream))
    assert victim.call("show", victim.inputs("show", run=name)).success
    for guest in (thief, thief.impersonate(session=victim.session), thief.impersonate(session=victim.session, key="")):
        outcome = guest.call("show", guest.inputs("show", run=name))
        assert not outcome.success, outcome.stream
