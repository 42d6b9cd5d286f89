"""A flood of one address on a running page: others are served, and what is refused says when to come back."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from chat_page.sharing.share import link_fragment
from rag.answering.turn import Turn
from tests.helpers.apps import App, running_app
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import serving, wait_until
from tests.security.wire import EventOutcome, Guest, guests

FLOOD, HOME = "192.0.2.66", "192.0.2.7"
LARGE = "The kettle number {} is red and holds two litres of water. " * 35_000  # 2 MB
NewGuest = Callable[[str], Guest]


@dataclass(frozen=True)
class Page:
    app: App
    model: ScriptedModel
    temporary: Path

    def streams(self) -> set[str]:
        """Return the endless questions whose answers stream now."""
        return {question for question in self.model.delta_counts if "for ever" in question} - self.model.disconnected


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder, temporary = tmp_path_factory.mktemp("flood"), tmp_path_factory.mktemp("tmp")
    catalog = folder / "catalog.toml"
    with serving(ScriptedModel()) as model:
        catalog.write_text(f'[scripted]\nkind = "openai"\nurl = "{model.url}"\n')
        environment = {
            "SPACEPORT_ANSWERS": "4,2,1",
            "SPACEPORT_WAITING": "8,3,1",
            "SPACEPORT_QUESTIONS_A_MINUTE": "3",
            "SPACEPORT_ANSWER_SECONDS": "5",
            "SPACEPORT_MCP": "",
            "TMPDIR": str(temporary),
        }
        with running_app(folder, "--catalog", str(catalog), **environment) as app:
            yield Page(app, model, temporary)


def endless() -> str:
    return f"Go on for ever, {secrets.token_hex(4)}."


@pytest.fixture
def new_guest(page: Page) -> Iterator[NewGuest]:
    """Create new visitors of an address."""
    with guests(page.app.url) as create:
        yield lambda address: create(address=address)


class Calls:
    """Calls of `run/ask_documents` in the background; `answers` are those that have ended."""

    def __init__(self, url: str) -> None:
        self.answers: list[httpx2.Response] = []
        self._url = url
        self._clients: list[httpx2.Client] = []
        self._threads: list[threading.Thread] = []

    def add(self, *data: object) -> None:
        self._clients.append(client := httpx2.Client(base_url=self._url, timeout=300, verify=False))
        self._threads.append(thread := threading.Thread(target=self._send, args=[client, {"data": data}], daemon=True))
        thread.start()

    def hang_up(self) -> None:
        for client in self._clients:
            client.close()
        for thread in self._threads:
            thread.join(30)

    def _send(self, client: httpx2.Client, body: dict[str, object]) -> None:
        with suppress(httpx2.TransportError, OSError):
            headers = {"X-Forwarded-For": FLOOD}
            self.answers.append(client.post("/gradio_api/run/ask_documents", json=body, headers=headers))


@pytest.fixture
def calls(page: Page) -> Iterator[Calls]:
    calls = Calls(page.app.url)
    yield calls
    calls.hang_up()
    wait_until(lambda: not page.streams(), 60, lambda: "the answers of callers who hung up go on")


def ask(guest: Guest, question: str = "Why?") -> EventOutcome:
    return guest.ask(question, samples=False, target="scripted")


def test_large_documents_of_one_address_do_not_keep_a_question_waiting(
    page: Page, calls: Calls, new_guest: NewGuest
) -> None:
    for number in range(8):
        calls.add("What is red?", {f"{number}.txt": LARGE.replace("{}", str(number))}, "scripted")
    wait_until(lambda: any(page.temporary.glob("rag-*")))
    guest = new_guest(HOME)
    guest.http.timeout = 60
    assert "word9" in ask(guest).stream
    assert len(list(page.temporary.glob("rag-*"))) == 1  # the others wait, and wait without their documents on the disk


def test_a_call_that_is_stopped_leaves_no_documents(page: Page) -> None:
    client = httpx2.Client(base_url=page.app.url, timeout=2, verify=False)
    wait_until(lambda: not any(page.temporary.glob("rag-*")), 60, lambda: "an earlier call left its documents")
    with pytest.raises(httpx2.TimeoutException):
        client.post("/gradio_api/run/ask_documents", json={"data": ["What is red?", {"a.txt": LARGE}, "scripted"]})
    client.close()
    wait_until(lambda: not any(page.temporary.glob("rag-*")), 20, lambda: "the call goes on without its caller")


def test_endless_calls_of_one_address_take_its_share_only(page: Page, calls: Calls, new_guest: NewGuest) -> None:
    for _ in range(30):
        calls.add(endless(), None, "scripted")
    wait_until(lambda: len(calls.answers) >= 25)
    assert len(page.streams()) <= 2
    assert "word9" in ask(new_guest(HOME)).stream
    assert all(answer.status_code == 429 and "Try again in" in answer.text for answer in calls.answers)


def test_a_flood_of_new_keys_is_not_what_a_newcomer_sees(page: Page, new_guest: NewGuest) -> None:
    flood = [new_guest(FLOOD) for _ in range(12)]
    for guest in flood:
        guest.call("submit", guest.inputs("submit", question=endless()))
        guest.join("respond", guest.inputs("respond", samples=False, target="scripted"))
    wait_until(lambda: len(page.streams()) == 2)
    newcomer = new_guest("192.0.2.8")
    outcome = ask(newcomer)
    assert "word9" in outcome.stream
    assert "full" not in outcome.stream.lower()
    assert len(page.streams()) <= 2
    # The answers of the flood end by themselves: nobody reads them.
    wait_until(lambda: not page.streams(), 120)


def test_a_refused_question_stays_in_the_box(new_guest: NewGuest) -> None:
    guest = new_guest("192.0.2.9")
    for _ in range(3):
        assert "word9" in ask(guest).stream
    outcome = guest.call("submit", guest.inputs("submit", question="And the fourth?"))
    assert outcome.success
    assert outcome.output[0]["value"] == "And the fourth?"
    assert "up to 3 of a visitor's questions per minute. Try again in" in outcome.stream
    assert "And the fourth?" not in str(outcome.output[1])


def test_calls_count_as_questions_of_their_caller(new_guest: NewGuest) -> None:
    guest = new_guest("192.0.2.10")
    outcomes = [guest.call("ask_documents", ["Why?", {"a.txt": "Tea."}, "scripted"]) for _ in range(4)]
    assert [outcome.success for outcome in outcomes] == [True, True, True, False]
    assert "Try again in" in outcomes[3].error


def test_an_answer_has_an_end(page: Page, new_guest: NewGuest) -> None:
    guest = new_guest("192.0.2.11")
    outcome = ask(guest, question := endless())
    assert "The answer took longer than 5 seconds and was stopped" in outcome.stream
    wait_until(lambda: question in page.model.disconnected)


def test_the_question_of_a_link_is_not_answered(page: Page, new_guest: NewGuest) -> None:
    """It was never counted as a question."""
    guest, sent = new_guest("192.0.2.12"), len(page.model.requests)
    guest.call("open_link", [link_fragment([Turn("Why?", "", shared=True)]), guest.key])
    guest.call("respond", guest.inputs("respond", samples=False, target="scripted"))
    assert len(page.model.requests) == sent


def test_an_address_is_the_one_that_a_proxy_saw(new_guest: NewGuest) -> None:
    """What a client writes into the header itself comes before it, and changes nothing."""
    for number in range(4):
        guest = new_guest(f"198.51.100.{number}, 192.0.2.13")
        outcome = guest.call("ask_documents", ["Why?", {"a.txt": "Tea."}, "scripted"])
    assert "Try again in" in outcome.error


def test_many_pages_opened_at_once_are_served(new_guest: NewGuest) -> None:
    """The limit of events is for floods: thirty people of one network open the page at the same time."""
    started = time.monotonic()
    guests = [new_guest("192.0.2.14") for _ in range(30)]
    assert all(guest.key for guest in guests), time.monotonic() - started
