"""Error messages say what to do and reveal nothing about the server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import ROOT
from tests.security.conftest import CANARY, IN_PATH, IN_REPEATED_PATH, Served
from tests.security.wire import EventOutcome, Guest

INVALID_TARGETS: list[Any] = [
    "nowhere",
    "",
    " scripted",
    "__class__",
    "../scripted",
    "/etc/passwd",
    "http://127.0.0.1:9/v1",
    "openai",
    "backends.kinds.openai",
    "x" * 100_000,
    "\x00",
    None,
    True,
    0,
    1.5,
    [],
    ["scripted"],
    {},
    {"kind": "openai", "url": "http://127.0.0.1:9/v1"},
    {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
]


def assert_clean(outcome: EventOutcome, served: Served) -> None:
    for internal in (CANARY, "Traceback", "site-packages", '.py"', str(ROOT), str(served.folder), str(served.uploads)):
        assert internal not in outcome.stream, (internal, outcome.stream[:2000])


@pytest.mark.parametrize("target", ["broken", "refused", "gone", "gone_by_path"])
def test_the_error_of_a_failing_server_has_no_key(served: Served, guest: Guest, target: str) -> None:
    logged = len(served.app.log.read_text())
    outcome = guest.call(
        "ask_documents", ["How much does it hold?", {"kettle.txt": "The kettle holds a litre."}, target]
    )
    assert not outcome.success
    assert "The server at http://127.0.0.1:" in outcome.error
    assert_clean(outcome, served)
    assert IN_PATH not in outcome.stream
    assert "Traceback" not in served.app.log.read_text()[logged:]  # it isn't an error of the page


def test_the_list_of_models_has_no_key_and_no_path(served: Served, guest: Guest) -> None:
    outcome = guest.call("list_targets", guest.inputs("list_targets", target="scripted"))
    assert outcome.success
    for name in ("broken", "refused", "gone", "gone_by_path"):
        assert name in outcome.stream
    assert_clean(outcome, served)
    assert IN_PATH not in outcome.stream


def test_the_answer_of_a_server_that_repeats_its_address_has_no_path(guest: Guest) -> None:
    outcome = guest.call("list_targets", guest.inputs("list_targets", target="scripted"))
    assert "broken_by_path" in outcome.stream
    assert IN_REPEATED_PATH not in outcome.stream


def test_the_page_accepts_only_targets_of_the_catalogue(served: Served, guest: Guest) -> None:
    for target in INVALID_TARGETS:
        requests = len(served.model.requests)
        outcome = guest.ask("Why?", target=target)
        assert not outcome.success or "There is no such target" in outcome.stream, repr(target)[:60]
        assert_clean(outcome, served)
        assert len(served.model.requests) == requests, repr(target)[:60]


def test_the_api_accepts_only_targets_of_the_catalogue(served: Served, guest: Guest) -> None:
    for target in INVALID_TARGETS:
        requests = len(served.model.requests)
        outcome = guest.call("ask_documents", ["What is the exclusion zone?", {}, target])
        assert not outcome.success, repr(target)[:60]
        assert_clean(outcome, served)
        assert len(served.model.requests) == requests, repr(target)[:60]
