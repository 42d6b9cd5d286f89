"""One visitor against another: what belongs to a visitor is reached with their key or not at all."""

from __future__ import annotations

import hashlib
import secrets
import threading
from typing import Any
from urllib.parse import quote

from tests.helpers.servers import wait_until
from tests.security.conftest import CANARY, Served
from tests.security.wire import Guest, fetch

GUESSES = ["", "0", "guess", "null", "None", "undefined", "*", "%", "../", "a" * 10_000]
QUESTION = "What is the vault code of the lighthouse?"


def keep(victim: Guest) -> str:
    """Give the victim a private document, and its id in the page."""
    document = victim.keep("vault.txt", f"The vault code of the lighthouse is {CANARY}.")
    assert document
    return document


def told(guest: Guest) -> str:
    """All that the page tells somebody: what was said, what is kept, what can be taken along, an answer, its source."""
    shown = [guest.call(name, guest.inputs(name)).said for name in ("enter", "markdown", "json", "link", "follow")]
    shown += [guest.call("open_source", guest.inputs("open_source"), event_data={"source": "1-1", "claim": 0}).said]
    return "".join([*shown, guest.ask(QUESTION).said])


def test_another_visitor_finds_nothing(victim: Guest, guest: Guest) -> None:
    document = keep(victim)
    assert CANARY in victim.ask(QUESTION).said
    shown = told(guest)
    assert CANARY not in shown
    assert "vault.txt" not in shown
    guest.call("remove", guest.inputs("remove"), event_data={"document": document})
    assert CANARY in victim.ask(QUESTION).said


def test_the_session_of_another_opens_nothing(victim: Guest, guest: Guest) -> None:
    """Its hash is no secret: Gradio makes it of a random number that is not meant for one."""
    document = keep(victim)
    victim.ask(QUESTION)
    other = guest.telling(session=victim.session)
    shown = told(other)
    assert CANARY not in shown
    assert "vault.txt" not in shown
    for name in ("clear", "rest", "delete_data"):
        other.call(name, other.inputs(name))
    other.call("remove", other.inputs("remove"), event_data={"document": document})
    other.call("undo", other.inputs("undo"), event_data={"index": 0, "value": ""})
    assert QUESTION in victim.call("markdown", victim.inputs("markdown")).said
    assert CANARY in victim.ask(QUESTION).said


def test_nobody_is_made_to_leave_by_another(victim: Guest, guest: Guest) -> None:
    keep(victim)
    victim.ask(QUESTION)
    assert guest.telling(session=victim.session).call("leave", []).success
    assert QUESTION in victim.call("markdown", victim.inputs("markdown")).said
    assert CANARY in victim.ask(QUESTION).said


def test_a_key_is_long_and_of_no_pattern(victim: Guest, guest: Guest) -> None:
    assert len(victim.key) == len(guest.key) == 43
    assert victim.key != guest.key
    assert sum(one == other for one, other in zip(victim.key, guest.key, strict=True)) < 20


def test_a_key_that_is_nearly_right_opens_nothing(victim: Guest, guest: Guest) -> None:
    keep(victim)
    victim.ask(QUESTION)
    folder = hashlib.sha256(victim.key.encode()).hexdigest()
    nearly: list[Any] = [victim.key[:-1], f"{victim.key} ", f"{victim.key}=", victim.key.swapcase(), victim.key[::-1]]
    shaped: list[Any] = [[victim.key], {"key": victim.key}, f"../{folder}", folder, folder[:43], "*" * 43, "." * 43]
    for key in [*nearly, *shaped, *GUESSES]:
        shown = told(guest.telling(key=key, session=secrets.token_hex(6)))
        assert CANARY not in shown, key
        assert victim.key not in shown.replace(str(key), ""), key
        assert "vault.txt" not in shown, key
    # With the right one it is the visitor's own page, in another tab.
    assert CANARY in told(guest.telling(key=victim.key, session=secrets.token_hex(6)))


def test_who_deletes_their_data_leaves_that_of_others(victim: Guest, guest: Guest) -> None:
    keep(victim)
    guest.call("delete_data", [guest.key])
    for key in ("", "*", "../", hashlib.sha256(victim.key.encode()).hexdigest(), None, [victim.key]):
        guest.call("delete_data", [key])
    assert CANARY in victim.ask(QUESTION).said


def test_a_key_is_written_nowhere(served: Served, victim: Guest) -> None:
    """Who reads the disk or the log some day cannot come back as a visitor."""
    keep(victim)
    victim.ask(QUESTION)
    files = [path for path in [*served.folder.rglob("*"), *served.kept.rglob("*")] if path.is_file()]
    assert any(CANARY.encode() in path.read_bytes() for path in files)
    assert [path.name for path in files if victim.key.encode() in path.read_bytes()] == []
    assert [path.name for path in files if victim.key in str(path)] == []


def test_a_guessed_session_tells_nothing(served: Served, victim: Guest) -> None:
    keep(victim)
    for guess in GUESSES:
        body = fetch(served.url, f"/gradio_api/queue/data?session_hash={quote(guess)}")[1]
        assert CANARY.encode() not in body
        assert victim.session.encode() not in body
        assert victim.key.encode() not in body
        assert CANARY.encode() not in fetch(served.url, f"/gradio_api/call/respond/{quote(guess[:50])}")[1]


def test_nobody_stops_anothers_answer(served: Served, victim: Guest, guest: Guest) -> None:
    question = f"Go on for ever, {secrets.token_hex(4)}."
    victim.call("begin", victim.inputs("begin", question=question))
    joined = victim.join("respond", victim.inputs("respond", samples=False, target="scripted"))
    event = joined.json()["event_id"]
    reading = threading.Thread(target=victim.read, args=[event], daemon=True)
    reading.start()
    wait_until(lambda: served.model.sent.get(question, 0) > 5, 60, served.app.log.read_text)
    answering = [known["id"] for name, known in guest.events.items() if name.startswith("respond")]
    for index in (*answering, 0, 10**6):
        for session in (guest.session, "", "guess"):
            for other in ("", "guess", event[:-1], guest.session):
                body = {"session_hash": session, "fn_index": index, "event_id": other}
                assert guest.http.post("/gradio_api/cancel", json=body).status_code == 200
    guest.http.post("/gradio_api/reset", json={"event_id": "guess"})
    guest.call("rest", guest.inputs("rest"))
    sent = served.model.sent[question]
    wait_until(lambda: served.model.sent[question] > sent + 20)
    assert question not in served.model.left

    body = {"session_hash": victim.session, "fn_index": victim.events["respond"]["id"], "event_id": event}
    victim.http.post("/gradio_api/cancel", json=body)
    wait_until(lambda: question in served.model.left, 60, lambda: "its own visitor could not stop it")
    reading.join(15)


def test_a_saved_page_holds_no_document(served: Served, victim: Guest) -> None:
    """Gradio would write what a session's components hold to a file, for whoever knows its hash."""
    keep(victim)
    victim.ask(QUESTION)
    before = served.files()
    spelled = ("gradio_api/deep_link", "gradio_api/deep_link/", "gradio_api//deep_link", "gradio_api/%64eep_link")
    for path in (*spelled, "/gradio_api/deep_link", "gradio_api/./deep_link", "gradio_api/x/../deep_link", "deep_link"):
        fetch(served.url, f"/{path}?session_hash={victim.session}")
        assert served.files() == before, path
