"""Events that are one request: a refusal is an answer to the client, and no error of the page."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.helpers.servers import wait_until
from tests.security.conftest import CANARY, Served
from tests.security.wire import Guest

DOCUMENTS = {"kettle.txt": "The kettle holds 1.7 litres."}


@pytest.fixture(autouse=True)
def no_traceback(served: Served) -> Iterator[None]:
    logged = len(served.app.log.read_bytes())
    yield
    log = served.app.log.read_bytes()[logged:].decode()
    assert "Traceback" not in log, log[-3000:]


def ask(guest: Guest, *data: object, timeout: float = 60) -> httpx2.Response:
    body = {"data": data, "session_hash": guest.session}
    return guest.http.post("/gradio_api/run/ask_documents", json=body, timeout=timeout)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (["x " * 10_001, DOCUMENTS, "scripted"], "up to 10,000 characters"),
        (["Why?", DOCUMENTS, "nowhere"], "There is no such target"),
        (
            ["Why?", {"kettle.txt": 1.7}, "scripted"],
            "The value of 'documents' is invalid: it should be a valid string.",
        ),
        (["Why?", {"kettle.txt": "  "}, "scripted"], "is empty"),
    ],
    ids=["question", "target", "type", "document"],
)
def test_a_refusal_is_the_callers_error(guest: Guest, data: list[object], sentence: str) -> None:
    answer = ask(guest, *data)
    assert (answer.status_code, sentence in answer.json()["error"]) == (422, True), answer.text


def test_a_call_that_must_wait_too_long_may_come_again(guest: Guest) -> None:
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: ask(guest, "What is it like?", DOCUMENTS, "scripted"), range(12)))
    assert {answer.status_code for answer in answers} == {200, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert "as many requests" in refused.json()["error"]
    assert int(refused.headers["retry-after"]) >= 1


def test_a_failing_model_is_no_error_of_the_page(guest: Guest) -> None:
    answer = ask(guest, "Why?", DOCUMENTS, "gone")
    assert (answer.status_code, CANARY in answer.text) == (502, False)


def test_a_call_whose_client_leaves_ends_without_an_error(served: Served, guest: Guest) -> None:
    question = "Does the kettle boil for ever?"
    with pytest.raises(httpx2.ReadTimeout):
        ask(guest, question, DOCUMENTS, "scripted", timeout=1.5)
    wait_until(lambda: question in served.model.disconnected)
