"""One visitor against another: only the key gives access to a visitor's data."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.helpers.servers import wait_until
from tests.security.conftest import CANARY, Served
from tests.security.wire import Guest, fetch

NewGuest = Callable[..., Guest]
GUESSES = ["", "0", "guess", "null", "None", "undefined", "*", "%", "../", "a" * 10_000]
QUESTION = "What is the vault code of the lighthouse?"


def ticket() -> str:
    """Return what a page sends while it has no key."""
    return f"page-{secrets.token_hex(32)}"


def add_secret(victim: Guest) -> str:
    """Give the victim a private document; return its id in the page."""
    document = victim.add_document("vault.txt", f"The vault code of the lighthouse is {CANARY}.")
    assert document
    return document


def visible_data(guest: Guest) -> str:
    """Return everything the page sends to a guest: conversation, documents, downloads, an answer and its source."""
    streams = [
        guest.call(name, guest.inputs(name)).stream
        for name in (
            "open_page",
            "export_html",
            "export_markdown",
            "export_json",
            "share_link",
            "follow_uploads",
            "list_chats",
            "export_all",
        )
    ]
    streams += [guest.call("open_source", guest.inputs("open_source"), event_data={"source": "1-1", "claim": 0}).stream]
    return "".join([*streams, guest.ask(QUESTION).stream])


def test_another_visitor_sees_nothing(victim: Guest, guest: Guest) -> None:
    document = add_secret(victim)
    assert CANARY in victim.ask(QUESTION).stream
    data = visible_data(guest)
    assert CANARY not in data
    assert "vault.txt" not in data
    guest.call("remove", guest.inputs("remove"), event_data={"document": document})
    assert CANARY in victim.ask(QUESTION).stream


def test_the_session_of_another_visitor_opens_nothing(victim: Guest, guest: Guest) -> None:
    """A session hash isn't a secret: Gradio doesn't generate it as one."""
    document = add_secret(victim)
    victim.ask(QUESTION)
    other = guest.impersonate(session=victim.session)
    data = visible_data(other)
    assert CANARY not in data
    assert "vault.txt" not in data
    for name in ("new_chat", "finish", "stop", "delete_data"):
        other.call(name, other.inputs(name))
    other.call("remove", other.inputs("remove"), event_data={"document": document})
    other.call("undo", other.inputs("undo"), event_data={"index": 0, "value": ""})
    assert QUESTION in victim.call("export_markdown", victim.inputs("export_markdown")).stream
    assert CANARY in victim.ask(QUESTION).stream


@pytest.mark.parametrize("name", ["open_page", "export_markdown", "follow_uploads", "delete_data", "list_chats"])
def test_nobody_is_given_the_key_of_a_first_time_visitor(guest: Guest, new_guest: NewGuest, name: str) -> None:
    """Session hashes stand in addresses. The visitor's page hasn't left: it's still the one that asked first."""
    first = new_guest()
    for asker in (first, guest.impersonate(session=first.session)):
        for key in ("", None, " ", "page-", first.session):
            inputs = [key, *asker.inputs(name)[1:]]
            for outcome in (asker.call(name, inputs), asker.run(name, inputs)):
                assert first.key not in outcome.stream, key


def test_the_session_of_a_first_time_visitor_opens_no_document(guest: Guest, new_guest: NewGuest) -> None:
    """The visitor adds a document before the page has its key."""
    first = new_guest(key=ticket())
    add_secret(first)
    thief = guest.impersonate(session=first.session)
    for key in ("", None, ticket()):
        assert CANARY not in visible_data(thief.impersonate(key=key))
    key = first.run("open_page", [first.key, ""]).output[0]
    assert len(key) == 43
    assert "vault.txt" in first.impersonate(key=key).call("open_page", [key, ""]).stream


def test_a_page_is_given_its_key_once(new_guest: NewGuest) -> None:
    """A repeated request gets a key, but another one."""
    first = new_guest(key=ticket())
    document = add_secret(first)
    outcomes = [first.run("open_page", [first.key, ""]) for _ in range(3)]
    assert len({outcome.output[0] for outcome in outcomes}) == 3
    assert [document in outcome.stream for outcome in outcomes] == [True, False, False]


def test_events_that_are_on_their_way_when_the_key_arrives_find_their_visitor(new_guest: NewGuest) -> None:
    first = new_guest(key=ticket())
    key = first.run("open_page", [first.key, ""]).output[0]
    document = add_secret(first)  # still with the ticket
    assert document in first.run("open_page", [key, ""]).stream


def test_the_id_of_a_conversation_opens_nothing_without_its_key(victim: Guest, guest: Guest) -> None:
    victim.ask(QUESTION)
    listed = victim.call("list_chats", victim.inputs("list_chats")).output[0]
    conversation = listed.partition('data-chat="')[2].partition('"')[0]
    assert len(conversation) == 16
    for name in ("select", "rename", "delete", "resume"):
        data = {"conversation": conversation, "name": "Mine"}
        outcome = guest.call(name, guest.inputs(name), event_data=data)
        assert QUESTION not in outcome.stream, name
    assert QUESTION not in guest.call("open_page", [guest.key, conversation]).stream
    assert QUESTION in victim.call("list_chats", victim.inputs("list_chats")).stream
    assert QUESTION in victim.call("export_markdown", victim.inputs("export_markdown")).stream


def test_a_visitor_cannot_close_the_page_of_another(victim: Guest, guest: Guest) -> None:
    add_secret(victim)
    victim.ask(QUESTION)
    assert guest.impersonate(session=victim.session).call("close_page", []).success
    assert QUESTION in victim.call("export_markdown", victim.inputs("export_markdown")).stream
    assert CANARY in victim.ask(QUESTION).stream


def test_a_key_is_long_and_random(victim: Guest, guest: Guest) -> None:
    assert len(victim.key) == len(guest.key) == 43
    assert victim.key != guest.key
    assert sum(one == other for one, other in zip(victim.key, guest.key, strict=True)) < 20


def test_an_almost_correct_key_opens_nothing(victim: Guest, guest: Guest) -> None:
    add_secret(victim)
    victim.ask(QUESTION)
    folder = hashlib.sha256(victim.key.encode()).hexdigest()
    similar: list[Any] = [victim.key[:-1], f"{victim.key} ", f"{victim.key}=", victim.key.swapcase(), victim.key[::-1]]
    shaped: list[Any] = [[victim.key], {"key": victim.key}, f"../{folder}", folder, folder[:43], "*" * 43, "." * 43]
    for key in [*similar, *shaped, *GUESSES]:
        data = visible_data(guest.impersonate(key=key, session=secrets.token_hex(6)))
        assert CANARY not in data, key
        assert victim.key not in data.replace(str(key), ""), key
        assert "vault.txt" not in data, key
    # The right key opens the visitor's own page, in another tab.
    assert CANARY in visible_data(guest.impersonate(key=victim.key, session=secrets.token_hex(6)))


def test_deleting_data_leaves_the_data_of_others(victim: Guest, guest: Guest) -> None:
    add_secret(victim)
    guest.call("delete_data", [guest.key])
    for key in ("", "*", "../", hashlib.sha256(victim.key.encode()).hexdigest(), None, [victim.key]):
        guest.call("delete_data", [key])
    assert CANARY in victim.ask(QUESTION).stream


def test_a_key_is_never_stored(served: Served, victim: Guest) -> None:
    """A reader of the disk or the log can't return as the visitor."""
    add_secret(victim)
    victim.ask(QUESTION)
    files = [path for path in [*served.folder.rglob("*"), *served.uploads.rglob("*")] if path.is_file()]
    assert any(CANARY.encode() in path.read_bytes() for path in files)
    assert [path.name for path in files if victim.key.encode() in path.read_bytes()] == []
    assert [path.name for path in files if victim.key in str(path)] == []


def test_a_guessed_session_reveals_nothing(served: Served, victim: Guest) -> None:
    add_secret(victim)
    for guess in GUESSES:
        body = fetch(served.url, f"/gradio_api/queue/data?session_hash={quote(guess)}")[1]
        assert CANARY.encode() not in body
        assert victim.session.encode() not in body
        assert victim.key.encode() not in body
        assert CANARY.encode() not in fetch(served.url, f"/gradio_api/call/respond/{quote(guess[:50])}")[1]


def test_a_visitor_cannot_stop_the_answer_of_another(served: Served, victim: Guest, guest: Guest) -> None:
    question = f"Go on for ever, {secrets.token_hex(4)}."
    victim.call("submit", victim.inputs("submit", question=question))
    response = victim.join("respond", victim.inputs("respond", samples=False, target="scripted"))
    event = response.json()["event_id"]
    reader = threading.Thread(target=victim.read, args=[event], daemon=True)
    reader.start()
    wait_until(lambda: served.model.delta_counts.get(question, 0) > 5, 60, served.app.log.read_text)
    answer_events = [event_["id"] for name, event_ in guest.events.items() if name.startswith("respond")]
    for index in (*answer_events, 0, 10**6):
        for session in (guest.session, "", "guess"):
            for other in ("", "guess", event[:-1], guest.session):
                body = {"session_hash": session, "fn_index": index, "event_id": other}
                assert guest.http.post("/gradio_api/cancel", json=body).status_code == 200
    guest.http.post("/gradio_api/reset", json={"event_id": "guess"})
    for name in ("finish", "stop"):
        guest.impersonate(session=victim.session).run(name, guest.inputs(name))
    sent = served.model.delta_counts[question]
    wait_until(lambda: served.model.delta_counts[question] > sent + 20)
    assert question not in served.model.disconnected

    victim.run("stop", victim.inputs("stop"))
    wait_until(lambda: question in served.model.disconnected, 60, lambda: "the visitor could not stop the answer")
    reader.join(15)


def test_a_saved_page_contains_no_document(served: Served, victim: Guest) -> None:
    """A deep link of Gradio would write the values of a session to a file for everyone who knows its hash."""
    add_secret(victim)
    victim.ask(QUESTION)
    before = served.files()
    spellings = ("gradio_api/deep_link", "gradio_api/deep_link/", "gradio_api//deep_link", "gradio_api/%64eep_link")
    for path in (
        *spellings,
        "/gradio_api/deep_link",
        "gradio_api/./deep_link",
        "gradio_api/x/../deep_link",
        "deep_link",
    ):
        fetch(served.url, f"/{path}?session_hash={victim.session}")
        assert served.files() == before, path


def test_a_page_whose_state_was_dropped_keeps_its_target(guest: Guest) -> None:
    """Gradio drops the state of the oldest pages when others open thousands."""
    dropped = guest.impersonate(session=secrets.token_hex(6))
    outcome = dropped.ask("How much does the kettle hold?", target="gone")
    assert outcome.success, outcome.error
    assert "gone" in outcome.stream
