"""Oversized and malformed input: the server refuses it cleanly and stays up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chat_page.sharing.share import link_fragment
from rag.answering.turn import Turn
from tests.security.conftest import Served
from tests.security.invalid_values import INVALID_VALUES
from tests.security.test_errors import assert_clean
from tests.security.wire import Guest

LONG = "x " * 100_000
# One event per handler; the others with the same name have the same input.
CLICKS = ["example", "choose_option", "retry", "edit", "undo", "remove", "cancel", "open_source"]
CLICKS += ["resume", "select", "rename", "rate", "delete"]
DATA_EVENTS = [
    "export_html",
    "export_markdown",
    "export_json",
    "export_all",
    "share_link",
    "open_link",
    "open_page",
    "follow_uploads",
    "choose",
    "suggest",
    "add_url",
    "delete_data",
]
EVENTS = [
    "submit",
    "respond",
    "finish",
    "stop",
    "follow",
    "new_chat",
    "list_chats",
    "upload",
    "list_targets",
    "warm",
    "ask_documents",
    "search_documents",
    "suggest_next",
    "get_model",
    *CLICKS,
    *DATA_EVENTS,
]


def valid_inputs(guest: Guest, event: str) -> list[Any]:
    if event == "ask_documents":
        return ["How much does the kettle hold?", {"kettle.txt": "The kettle holds 1.7 litres."}, "scripted"]
    if event == "search_documents":
        return ["How much does the kettle hold?", {"kettle.txt": "The kettle holds 1.7 litres."}, 3]
    return guest.inputs(event, question="Why?", samples=False, target="scripted")


def test_every_event_is_reviewed(guest: Guest) -> None:
    """Review an event before you add it here."""
    names = {name.rstrip("0123456789").rstrip("_") for name in guest.events}
    assert names == {*EVENTS, "close_page", "js_fn", "unnamed"}


def test_no_event_accepts_the_conversation_from_the_client(guest: Guest) -> None:
    """The server trusts neither a client's version of the conversation nor the files that messages name."""
    (chat,) = (number for number, component in guest.components.items() if component["type"] == "chatbot")
    assert [name for name, event in guest.events.items() if chat in event["inputs"]] == []


@pytest.fixture(autouse=True)
def no_traceback(served: Served) -> Iterator[None]:
    """Check that no attack is an error in the log: a flood of them would hide the real ones and fill the disk."""
    logged = len(served.app.log.read_bytes())
    yield
    assert b"Traceback" not in served.app.log.read_bytes()[logged:]


@pytest.mark.parametrize("event", EVENTS)
def test_an_invalid_parameter_is_refused_cleanly(served: Served, guest: Guest, event: str) -> None:
    valid, is_answered = valid_inputs(guest, event), True
    for place in range(len(valid)):
        for name, wrong in INVALID_VALUES.items():
            if event == "respond" and is_answered:
                guest.call("new_chat", guest.inputs("new_chat"))
                guest.call("submit", guest.inputs("submit", question="Attack: tag"))  # the answer is immediate
            if name != "a long text" or event not in ("ask_documents", "search_documents"):
                outcome = guest.call(event, [*valid[:place], wrong, *valid[place + 1 :]])
                assert_clean(outcome, served)
                assert outcome.success or outcome.error
                is_answered = outcome.success
    for data in ([], [*valid, *["more"] * 50], valid[:-1]):
        assert_clean(guest.call(event, data), served)
    assert guest.is_alive()


@pytest.mark.parametrize("event", CLICKS)
def test_invalid_event_data_is_refused_cleanly(served: Served, guest: Guest, event: str) -> None:
    """The data of a click comes from the browser too."""
    guest.add_document("kettle.txt", "The kettle holds 1.7 litres.")
    guest.ask("How much does the kettle hold?")
    for wrong in INVALID_VALUES.values():
        parts = dict.fromkeys(
            ("index", "value", "document", "number", "source", "claim", "conversation", "name"), wrong
        )
        for event_data in (wrong, parts, parts | {"source": "1-1", "value": {"text": wrong}}):
            assert_clean(guest.call(event, guest.inputs(event), event_data=event_data), served)
    assert guest.is_alive()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"data": null}',
        b'{"data": [], "fn_index": -1, "session_hash": "x"}',
        b'{"data": [], "fn_index": 10000, "session_hash": "x"}',
        b'{"data": [], "fn_index": "respond", "session_hash": "x"}',
        b'{"data": [], "fn_index": 0, "session_hash": {"a": 1}}',
        b'{"data": [], "fn_index": 0}',
        b'{"data": ' + b"[" * 5_000 + b"]" * 5_000 + b', "fn_index": 0, "session_hash": "x"}',
        b"\xff\xfe\x00",
    ],
    ids=lambda body: repr(body[:50]),
)
def test_a_broken_body_is_refused_cleanly(served: Served, guest: Guest, body: bytes) -> None:
    for route in (
        "queue/join",
        "run/begin",
        "call/ask_documents",
        "call/v2/ask_documents",
        "api/respond",
        "cancel",
        "component_server",
    ):
        headers = {"Content-Type": "application/json", "Connection": "close"}
        answer = guest.http.post(f"/gradio_api/{route}", content=body, headers=headers)
        assert "Traceback" not in answer.text
        assert "site-packages" not in answer.text
    assert guest.is_alive()


def test_a_question_of_200_kilobytes_is_too_long(served: Served, guest: Guest) -> None:
    guest.ask("Why?")
    requests = len(served.model.requests)
    for event, event_data in (
        ("submit", None),
        ("example", {"index": 0, "value": {"text": LONG}}),
        ("edit", {"index": 0, "value": LONG, "previous_value": "Why?"}),
    ):
        outcome = guest.call(event, guest.inputs(event, question=LONG), event_data=event_data)
        assert "up to 10,000 characters" in outcome.stream, event
        guest.call("respond", guest.inputs("respond", samples=False, target="scripted"))
    assert len(served.model.requests) == requests
    assert guest.is_alive()


def test_a_question_above_the_limit_is_too_long_for_the_api(served: Served, guest: Guest) -> None:
    requests = len(served.model.requests)
    outcome = guest.call("ask_documents", ["x " * 10_001, {"x.txt": "x"}, "scripted"])
    assert guest.is_alive()
    assert not outcome.success
    assert len(served.model.requests) == requests


def test_the_api_accepts_only_as_many_documents_as_a_visitor_may_have(served: Served, guest: Guest) -> None:
    documents = {f"{number}.txt": f"The kettle number {number} is red." for number in range(60)}
    outcome = guest.call("ask_documents", ["What is the kettle like?", documents, "scripted"])
    assert not outcome.success
    assert "You already have 50 documents." in outcome.error


def test_a_conversation_of_many_turns_does_not_stop_the_server(served: Served, guest: Guest) -> None:
    turns = [Turn(f"Question {number}?", "So it is. " * 20) for number in range(200)]
    opened = guest.call("open_link", [link_fragment(turns), guest.key])
    assert "Question 199?" in opened.stream
    assert_clean(guest.ask("And now?"), served)
    assert "Question 199?" in guest.call("export_markdown", guest.inputs("export_markdown")).stream
    assert guest.is_alive()
