"""Too much of anything, and the wrong kind of everything: a clean refusal, and a server that lives."""

from __future__ import annotations

from typing import Any

import pytest

from chat_page.export import Exchange
from chat_page.share import fragment
from tests.security.conftest import Served
from tests.security.test_errors import assert_clean
from tests.security.wire import Guest

LONG = "x " * 500_000
DEEP: Any = "end"
for _ in range(500):
    DEEP = [DEEP]
WRONG: dict[str, Any] = {
    "nothing": None,
    "a truth": True,
    "a number": -1,
    "a huge number": 10**9,
    "an endless number": 10**300,
    "a fraction": 0.5,
    "a word": "word",
    "a long text": "x " * 50_000,
    "a list": [1, "a", None],
    "an object": {"a": 1},
    "a tag": "<img src=x>",
    "a deep list": DEEP,
    "an update": {"__type__": "update", "value": "x", "visible": False},
    "a file": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
    "files": [{"path": "/etc/passwd", "url": "file:///etc/passwd", "meta": {"_type": "gradio.FileData"}}],
}
# One of each function; the others of the same name take the same input.
PRESSED = ["example", "retry", "edit", "undo", "remove", "cancel", "open_source"]
TAKEN = ["markdown", "json", "link", "open_link", "enter", "follow", "delete_data"]
EVENTS = ["begin", "respond", "rest", "clear", "upload", "survey", "warm", "ask_documents", *PRESSED, *TAKEN]


def good_inputs(guest: Guest, event: str) -> list[Any]:
    if event == "ask_documents":
        return ["How much does the kettle hold?", {"kettle.txt": "The kettle holds 1.7 litres."}, "scripted"]
    return guest.inputs(event, question="Why?", samples=False, target="scripted")


def test_the_events_are_known(guest: Guest) -> None:
    """What an upgrade or a change adds is looked at before it is added here."""
    named = {name.rstrip("0123456789").rstrip("_") for name in guest.events}
    assert named == {*EVENTS, "leave", "js_fn", "unnamed"}


def test_no_event_takes_the_conversation_from_the_client(guest: Guest) -> None:
    """What a client says that was said is not believed, nor are the files that messages name."""
    (chat,) = (number for number, known in guest.components.items() if known["type"] == "chatbot")
    assert [name for name, event in guest.events.items() if chat in event["inputs"]] == []


@pytest.mark.parametrize("event", EVENTS)
def test_a_wrong_parameter_is_refused_cleanly(served: Served, guest: Guest, event: str) -> None:
    good = good_inputs(guest, event)
    for place in range(len(good)):
        for name, wrong in WRONG.items():
            if event == "respond":
                guest.call("clear", guest.inputs("clear"))
                guest.call("begin", guest.inputs("begin", question="Attack: tag"))  # is answered at once
            if name != "a long text" or event != "ask_documents":
                assert_clean(guest.call(event, [*good[:place], wrong, *good[place + 1 :]]), served)
    for data in ([], [*good, *["more"] * 50], good[:-1]):
        assert_clean(guest.call(event, data), served)
    assert guest.alive()


@pytest.mark.parametrize("event", PRESSED)
def test_a_wrong_event_is_refused_cleanly(served: Served, guest: Guest, event: str) -> None:
    """What a visitor pressed comes from the browser as well."""
    guest.keep("kettle.txt", "The kettle holds 1.7 litres.")
    guest.ask("How much does the kettle hold?")
    for wrong in WRONG.values():
        parts = dict.fromkeys(("index", "value", "document", "number", "source", "claim"), wrong)
        for told in (wrong, parts, parts | {"source": "1-1", "value": {"text": wrong}}):
            assert_clean(guest.call(event, guest.inputs(event), event_data=told), served)
    assert guest.alive()


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
        heads = {"Content-Type": "application/json", "Connection": "close"}
        answer = guest.http.post(f"/gradio_api/{route}", content=body, headers=heads)
        assert "Traceback" not in answer.text
        assert "site-packages" not in answer.text
    assert guest.alive()


def test_a_question_of_a_megabyte_is_too_long(served: Served, guest: Guest) -> None:
    guest.ask("Why?")
    asked = len(served.model.asked)
    for event, told in (
        ("begin", None),
        ("example", {"index": 0, "value": {"text": LONG}}),
        ("edit", {"index": 0, "value": LONG, "previous_value": "Why?"}),
    ):
        ended = guest.call(event, guest.inputs(event, question=LONG), event_data=told)
        assert "20,000 characters at most" in ended.said, event
        guest.call("respond", guest.inputs("respond", samples=False, target="scripted"))
    assert len(served.model.asked) == asked
    assert guest.alive()


def test_a_question_above_the_limit_is_too_long_for_the_api(served: Served, guest: Guest) -> None:
    asked = len(served.model.asked)
    ended = guest.call("ask_documents", ["x " * 10_001, {"x.txt": "x"}, "scripted"])
    assert guest.alive()
    assert not ended.success
    assert len(served.model.asked) == asked


def test_the_api_takes_no_more_documents_than_a_visitor_may_keep(served: Served, guest: Guest) -> None:
    documents = {f"{number}.txt": f"The kettle number {number} is red." for number in range(60)}
    ended = guest.call("ask_documents", ["What is the kettle like?", documents, "scripted"])
    assert not ended.success
    assert "There are 50 documents already." in ended.error


def test_a_conversation_of_many_turns_does_not_stop_the_server(served: Served, guest: Guest) -> None:
    turns = [Exchange(f"Question {number}?", "So it is. " * 20) for number in range(200)]
    opened = guest.call("open_link", [fragment(turns), guest.key])
    assert "Question 199?" in opened.said
    assert_clean(guest.ask("And now?"), served)
    assert "Question 199?" in guest.call("markdown", guest.inputs("markdown")).said
    assert guest.alive()
