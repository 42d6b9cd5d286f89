"""What an event names: Gradio would keep it for a long time, copy it many times, or fetch it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.security.conftest import Served
from tests.security.wire import Guest, fetch

ADDRESS = "http://127.0.0.1:9/report.txt"


def file(path: str) -> dict[str, Any]:
    return {"path": path, "orig_name": "report.txt", "meta": {"_type": "gradio.FileData"}}


def test_an_event_names_as_many_files_as_a_visitor_may_have(guest: Guest) -> None:
    """Each would be copied before the page sees any: 20,000 stopped the page for a minute."""
    (path,) = guest.upload("report.txt", b"The kettle holds 1.7 litres.").json()
    answer = guest.join("upload", guest.inputs("upload", drop=[file(path)] * 51))
    assert answer.status_code == 413
    assert "50 files" in answer.text
    assert guest.call("upload", guest.inputs("upload", drop=[file(path)] * 50)).success


@pytest.mark.parametrize("event", ["upload", "submit", "open_link", "respond", "ask_documents"])
def test_no_event_makes_the_page_fetch_an_address(served: Served, guest: Guest, event: str) -> None:
    """Gradio fetches any public address, without a limit for what it receives."""
    inputs = guest.inputs(event)
    for place in range(len(inputs)):
        for value in (file(ADDRESS), [file(ADDRESS)], {"a": [file("HTTPS://127.0.0.1:9/x")]}):
            data = [*inputs[:place], value, *inputs[place + 1 :]]
            assert guest.join(event, data).status_code == 422
            assert guest.run(event, data).success is False
    assert "failed validation" not in served.app.log.read_text()


@pytest.mark.parametrize(
    "path", ["file=http://127.0.0.1:9/x", "file=https://127.0.0.1:9/x", "file/http://127.0.0.1:9/"]
)
def test_no_route_makes_the_page_fetch_an_address(served: Served, path: str) -> None:
    status, _ = fetch(served.url, f"/gradio_api/{path}")
    assert status == 404


def test_names_that_a_client_invents_are_short(guest: Guest) -> None:
    """Each is kept, for thousands of sessions and for uploads without an end."""
    long = "x" * 101
    assert guest.impersonate(session=long).join("finish", [guest.key]).status_code == 422
    assert not guest.impersonate(session=long).run("finish", [guest.key]).success
    for path in (f"heartbeat/{long}", f"queue/data?session_hash={long}", f"upload_progress?upload_id={long}"):
        status, _ = fetch(guest.url, f"/gradio_api/{path}")
        assert status == 422
    answer = guest.http.post(f"/gradio_api/upload?upload_id={long}", files={"files": ("a.txt", b"text")})
    assert answer.status_code == 422


@pytest.mark.parametrize("unit", ["[],", "{},", '"",', "1,"])
@pytest.mark.parametrize("path", ["run/ask_documents", "call/ask_documents", "run/predict", "queue/join"])
def test_an_event_has_thousands_of_values_and_not_millions(guest: Guest, unit: str, path: str) -> None:
    """8 MB of empty lists take a second to parse, and several to walk through, while all other visitors wait."""
    number = guest.events["ask_documents"]["id"]
    values = unit * (7_000_000 // len(unit))
    body = f'{{"data": ["Why?", [{values}1], ""], "fn_index": {number}, "session_hash": "{guest.session}"}}'
    headers = {"content-type": "application/json"}
    answer = guest.http.post(f"/gradio_api/{path}", content=body.encode(), headers=headers)
    assert (answer.status_code, "10,000 values" in answer.text) == (413, True)
    assert guest.is_alive()


def test_the_punctuation_of_a_document_is_not_counted(guest: Guest) -> None:
    text = "The kettle holds 1.7 litres. " + ',"[{\\' * 500 + "," * 11_000
    assert guest.call("ask_documents", ["How much does the kettle hold?", {"a.txt": text}, "scripted"]).success


def test_only_the_api_takes_large_inputs(guest: Guest) -> None:
    """Gradio keeps the last inputs of many pages."""
    large = "x " * 500_000
    for event, data in (
        ("submit", guest.inputs("submit", question=large)),
        ("open_link", [large, guest.key]),
        ("list_targets", [large]),
    ):
        assert guest.join(event, data).status_code == 413
        number = guest.events[event]["id"]
        for path in ("run/predict", "run/ask_documents", f"run/{event}", f"call/{event}", f"call/v2/{event}"):
            body = {"data": data, "fn_index": number, "session_hash": guest.session}
            answer = guest.http.post(f"/gradio_api/{path}", json=body)
            assert answer.status_code == 413, path
    answer = guest.call("ask_documents", [large, None, "scripted"])
    assert "10,000" in answer.error  # it reached the page, whose limit for a question is another one
