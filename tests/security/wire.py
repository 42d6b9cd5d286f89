"""A client that speaks Gradio's protocol without its page, and says in it whatever it likes."""

from __future__ import annotations

import copy
import http.client
import json
import secrets
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import httpx2


@dataclass(frozen=True, slots=True)
class Ended:
    """How an event ended: its last output, or its error; `said` is all that the client was told from its start."""

    success: bool
    output: list[Any]
    error: str
    said: str


@dataclass
class Guest:
    """A visitor of its own, who has read the page's configuration as a browser does."""

    url: str
    session: str = field(default_factory=lambda: secrets.token_hex(6))
    key: str = ""

    def __post_init__(self) -> None:
        self.http = httpx2.Client(base_url=self.url, timeout=60)
        self.config = self.http.get("/config").json()
        self.components = {component["id"]: component for component in self.config["components"]}
        self.events = {event["api_name"]: event for event in self.config["dependencies"]}
        self.key = self.key or self.call("enter", [""]).output[0]

    def telling(self, *, session: str = "", key: Any = None) -> Guest:
        """The same client, telling the session or the key of somebody else."""
        other = copy.copy(self)
        other.session = session or self.session
        other.key = self.key if key is None else key
        return other

    def inputs(self, name: str, **given: Any) -> list[Any]:
        """What the page would send for an event before anything is touched, with some parts (by elem_id) replaced."""
        values = []
        for number in self.events[name]["inputs"]:
            component = self.components.get(number, {})
            props = component.get("props", {})
            known = self.key if component.get("type") == "browserstate" else props.get("value")
            values.append(given.get(props.get("elem_id") or "", known))
        return values

    def join(self, name: str, data: list[Any], **more: Any) -> httpx2.Response:
        body = {"data": data, "fn_index": self.events[name]["id"], "session_hash": self.session, **more}
        return self.http.post("/gradio_api/queue/join", json=body)

    def call(self, name: str, data: list[Any], **more: Any) -> Ended:
        """Run an event to its end, through the queue."""
        joined = self.join(name, data, **more)
        if joined.status_code != 200:
            return Ended(False, [], joined.text, joined.text)
        return self.read(joined.json()["event_id"])

    def read(self, event: str) -> Ended:
        """What comes of an event, from the stream of the session."""
        said = ""
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                said += line
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("msg") == "unexpected_error":
                    return Ended(False, [], str(message["message"]), said)
                if message.get("msg") == "process_completed" and message.get("event_id") == event:
                    output = message["output"]
                    return Ended(message["success"], output.get("data", []), str(output.get("error") or ""), said)
        return Ended(False, [], "the stream ended", said)

    def ask(self, question: str, **given: Any) -> Ended:
        """Put a question and read its answer, of which `said` holds all that was told."""
        begun = self.call("begin", self.inputs("begin", question=question))
        given = {"samples": False, "target": "scripted"} | given
        ended = self.call("respond", self.inputs("respond", **given)) if begun.success else begun
        return replace(ended, said=begun.said + ended.said)

    def keep(self, name: str, text: str) -> str:
        """Add a document; gives its id in the page."""
        (path,) = self.upload(name, text.encode()).json()
        file = {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
        listed = self.call("upload", self.inputs("upload", drop=[file])).said
        return listed.partition('data-remove=\\"')[2].partition('\\"')[0]

    def upload(self, name: str, content: bytes) -> httpx2.Response:
        """Send a file to where Gradio keeps uploads; no event reads it yet."""
        return self.http.post("/gradio_api/upload", files={"files": (name, content)})

    def alive(self) -> bool:
        """Whether the page still takes a question into the conversation."""
        ended = self.call("begin", self.inputs("begin", question="Are you there?"))
        return ended.success and "Are you there?" in ended.said


def fetch(url: str, path: str, method: str = "GET") -> tuple[int, bytes]:
    """The status and body for a path that is sent to the byte as it is written here."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        connection.endheaders()
        answer = connection.getresponse()
        try:
            return answer.status, answer.read(2_000_000)
        except http.client.IncompleteRead as cut:  # Gradio ends some of its streams so
            return answer.status, cut.partial
    finally:
        connection.close()
