"""A client that speaks Gradio's protocol without the page and can send anything in it."""

from __future__ import annotations

import copy
import http.client
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import httpx2


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """The end of an event: its last output, or its error; `stream` is everything that the client received."""

    success: bool
    output: list[Any]
    error: str
    stream: str


@dataclass
class Guest:
    """A new visitor, who has read the page's configuration like a browser."""

    url: str
    session: str = field(default_factory=lambda: secrets.token_hex(6))
    key: str = ""
    address: str = ""  # where the visitor is, as a proxy tells it
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        headers = self.headers | ({"X-Forwarded-For": self.address} if self.address else {})
        self.http = httpx2.Client(base_url=self.url, timeout=60, verify=False, headers=headers, cookies=self.cookies)
        self.config = self.http.get("/config").json()
        self.components = {component["id"]: component for component in self.config["components"]}
        self.events = {event["api_name"]: event for event in self.config["dependencies"]}
        self.key = self.key or self.call("open_page", ["", ""]).output[0]

    def impersonate(self, *, session: str = "", key: Any = None) -> Guest:
        """Return the same client with another session or key."""
        other = copy.copy(self)
        other.session = session or self.session
        other.key = self.key if key is None else key
        return other

    def inputs(self, name: str, **overrides: Any) -> list[Any]:
        """Return what a fresh page sends for an event, with some components (by elem_id) replaced."""
        values = []
        for number in self.events[name]["inputs"]:
            component = self.components.get(number, {})
            props = component.get("props", {})
            default = self.key if component.get("type") == "browserstate" else props.get("value")
            if component.get("type") == "textbox" and default is None:
                default = ""  # as a browser sends it
            values.append(overrides.get(props.get("elem_id") or "", default))
        return values

    def join(self, name: str, data: list[Any], **more: Any) -> httpx2.Response:
        body = {"data": data, "fn_index": self.events[name]["id"], "session_hash": self.session, **more}
        return self.post("queue/join", body)

    def post(self, path: str, body: object) -> httpx2.Response:
        """Send JSON with anything that Python's and Gradio's parsers read, such as NaN and halves of characters."""
        headers = {"Content-Type": "application/json"}
        return self.http.post(f"/gradio_api/{path}", content=json.dumps(body).encode(), headers=headers)

    def call(self, name: str, data: list[Any], **more: Any) -> EventOutcome:
        """Run an event to its end, through the queue."""
        joined = self.join(name, data, **more)
        if joined.status_code != 200:
            return EventOutcome(False, [], joined.text, joined.text)
        return self.read(joined.json()["event_id"])

    def run(self, name: str, data: list[Any]) -> EventOutcome:
        """Run an event in one request, as the page does with those that aren't queued."""
        body = {"data": data, "fn_index": self.events[name]["id"], "session_hash": self.session}
        answer = self.post("run/predict", body)
        output = answer.json().get("data", []) if answer.status_code == 200 else []
        return EventOutcome(answer.status_code == 200, output, "", answer.text)

    def read(self, event: str) -> EventOutcome:
        """Return the outcome of an event from the stream of the session."""
        received = ""
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                received += line
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("msg") == "unexpected_error":
                    return EventOutcome(False, [], str(message["message"]), received)
                if message.get("msg") == "process_completed" and message.get("event_id") == event:
                    output = message["output"]
                    return EventOutcome(
                        message["success"], output.get("data", []), str(output.get("error") or ""), received
                    )
        return EventOutcome(False, [], "the stream ended", received)

    def ask(self, question: str, **settings: Any) -> EventOutcome:
        """Ask a question and read its answer; `stream` has both events."""
        submitted = self.call("submit", self.inputs("submit", question=question))
        settings = {"samples": False, "target": "scripted"} | settings
        answered = self.call("respond", self.inputs("respond", **settings)) if submitted.success else submitted
        return replace(answered, stream=submitted.stream + answered.stream)

    def add_document(self, name: str, text: str) -> str:
        """Add a document; return its id in the page."""
        (path,) = self.upload(name, text.encode()).json()
        file = {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
        documents = self.call("upload", self.inputs("upload", drop=[file])).stream
        return documents.partition('data-remove=\\"')[2].partition('\\"')[0]

    def upload(self, name: str, content: bytes) -> httpx2.Response:
        """Send a file to Gradio's upload folder; no event reads it yet."""
        return self.http.post("/gradio_api/upload", files={"files": (name, content)})

    def is_alive(self) -> bool:
        """Whether the page still accepts a question."""
        outcome = self.call("submit", self.inputs("submit", question="Are you there?"))
        return outcome.success and "Are you there?" in outcome.stream


@contextmanager
def guests(url: str) -> Iterator[Callable[..., Guest]]:
    """Create visitors of a page, whose connections close when the block ends."""
    with ExitStack() as clients:

        def create(**visitor: Any) -> Guest:
            guest = Guest(url, **visitor)
            clients.callback(guest.http.close)
            return guest

        yield create


def fetch(url: str, path: str, method: str = "GET") -> tuple[int, bytes]:
    """Return the status and body for a path, which is sent without any normalization."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        connection.endheaders()
        response = connection.getresponse()
        try:
            return response.status, response.read(2_000_000)
        except http.client.IncompleteRead as error:  # Gradio ends some of its streams this way
            return response.status, error.partial
    finally:
        connection.close()
