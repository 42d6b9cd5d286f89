"""Client for a Gradio chat page without a browser: it sends the page's events and reads its stream of updates.

It uses the protocol of the page's own script: an event is posted, its updates arrive as server-sent events, the first
one complete and the next ones as differences.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from harness.servers.paced_server import WORD, age_ms

API = "gradio_api"
# What the chat page puts around an answer: the quotes above it, and the line with its measurements below it.
PAGE_PARTS = ('class="sp-quotes"', 'class="sp-line"')


@dataclass(frozen=True)
class ChatEvents:
    """The events of a page's configuration that a question triggers."""

    submit: dict[str, Any]
    """The event of the Enter key."""
    answer: dict[str, Any]
    """The event that streams into the conversation."""
    link: dict[str, Any] | None
    """The event that opens a shared conversation, for a page that stores conversations on the server."""
    components: dict[int, dict[str, Any]]

    @property
    def chatbot_index(self) -> int:
        """The position of the conversation among the answer's outputs."""
        return next(
            index for index, component in enumerate(self.answer["outputs"]) if self.kind(component) == "chatbot"
        )

    def kind(self, component: int) -> str:
        return str(self.components[component]["type"])


def chat_events(config: Mapping[str, Any]) -> ChatEvents:
    """Find the events of any chat page in its configuration."""
    components = {component["id"]: component for component in config["components"]}
    chatbots = {number for number, component in components.items() if component["type"] == "chatbot"}
    events = config["dependencies"]
    submit = next(event for event in events if any(name == "submit" for _, name in event["targets"]))
    answer = next(event for event in events if event["types"]["generator"] and chatbots & set(event["outputs"]))
    link = [event for event in events if event["inputs"] and chatbots & set(event["outputs"][:1])]
    link = [event for event in link if components[event["inputs"][0]]["type"] == "textbox"]
    return ChatEvents(submit, answer, link[0] if link else None, components)


@dataclass
class Visitor:
    """One visitor; `values` are settings of the page by elem_id that differ from the page's defaults.

    `history` is the conversation so far, for a page that receives it from the browser; `fragment` is the same
    conversation as a link.
    """

    client: httpx2.AsyncClient
    url: str
    events: ChatEvents
    history: list[dict[str, Any]]
    fragment: str
    values: Mapping[str, Any] = field(default_factory=dict)
    address: str = "127.0.0.1"  # as a proxy in front of the page would name it
    session: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    lags_ms: list[float] = field(default_factory=list)
    updates: int = 0
    text: str = ""
    messages: int = 0

    async def enter(self) -> None:
        """Open the page with the conversation so far."""
        if self.events.link:
            await self._post("run/predict", self.events.link, self.fragment, [])

    async def ask(self, question: str) -> None:
        """Ask a question; record the age of each word when an update delivers it."""
        history = [_message(message["role"], message["content"]) for message in self.history]
        await self._post("run/predict", self.events.submit, question, history)
        await self._post("queue/join", self.events.answer, question, [*history, _message("user", question)])
        position = 0
        async for conversation in self._conversations():
            self.updates += 1
            self.messages, self.text = len(conversation), answer_text(conversation)
            for word in WORD.finditer(self.text, position):
                self.lags_ms.append(age_ms(word[0]))
                position = word.end()

    async def _post(self, path: str, event: dict[str, Any], question: str, history: list[dict[str, Any]]) -> None:
        data = [self._value(component, question, history) for component in event["inputs"]]
        body = {"data": data, "fn_index": event["id"], "session_hash": self.session, "event_data": None}
        response = await self.client.post(f"{self.url}/{API}/{path}", json=body, headers=self._headers)
        response.raise_for_status()

    @property
    def _headers(self) -> dict[str, str]:
        return {"x-forwarded-for": self.address}

    def _value(self, component: int, question: str, history: list[dict[str, Any]]) -> Any:
        kind, props = self.events.kind(component), self.events.components[component]["props"]
        if kind == "chatbot":
            return history
        if kind == "browserstate":  # the visitor's secret, which the page stores in the browser
            return self.secret
        if props.get("elem_id") in self.values:
            return self.values[props["elem_id"]]
        text_events = [event for event in (self.events.submit, self.events.link) if event]
        is_question = kind == "textbox" and any(component in event["inputs"] for event in text_events)
        return question if is_question else props.get("value")

    async def _conversations(self) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield the conversation after each update."""
        conversation: Any = None
        async for message in session_messages(self.client, self.url, self.session):
            if message["msg"] == "process_completed":
                assert message["success"], message
                return
            if message["msg"] != "process_generating":
                continue
            change = message["output"]["data"][self.events.chatbot_index]
            conversation = change if conversation is None else apply_changes(conversation, change)
            yield conversation


async def session_messages(client: httpx2.AsyncClient, url: str, session: str) -> AsyncIterator[dict[str, Any]]:
    """Yield what the page sends about the events of a session, until all of them have ended."""
    incomplete = b""
    async with client.stream("GET", f"{url}/{API}/queue/data?session_hash={session}") as response:
        async for data in response.aiter_raw():
            *events, incomplete = (incomplete + data).split(b"\n\n")
            for event in events:
                yield json.loads(event.removeprefix(b"data: "))


def apply_changes(value: Any, changes: list[Any]) -> Any:
    """Apply the differences of one update to `value` in place and return it."""
    for action, path, new in changes:
        if not path:
            value = value + new if action == "append" else new
            continue
        *parents, last = path
        container = value
        for key in parents:
            container = container[key]
        if action == "append":
            container[last] += new
        elif action == "delete":
            del container[last]
        elif action == "add" and isinstance(container, list):
            container.insert(last, new)
        else:
            container[last] = new
    return value


def answer_text(conversation: Sequence[dict[str, Any]]) -> str:
    """Return what the model wrote to the last question; "" while there is only a status, a thought or quotes."""
    for message in reversed(conversation):
        if message["role"] == "user":
            break
        text, title = message["content"][0]["text"], (message.get("metadata") or {}).get("title")
        if not title and not any(part in text for part in PAGE_PARTS):
            # An answer that the documents don't support is folded at its end, under a title.
            return re.sub("<summary>.*?</summary>|<[^>]*>", "", text)
    return ""


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "metadata": None, "content": [{"text": text, "type": "text"}], "options": None}


async def ask_all(visitors: list[Visitor], question: str, interval_seconds: float) -> None:
    """Let every visitor ask the question, `interval_seconds` apart, and wait for all answers."""

    async def ask(number: int, visitor: Visitor) -> None:
        await asyncio.sleep(number * interval_seconds)
        await visitor.ask(question)

    async with asyncio.TaskGroup() as group:
        for number, visitor in enumerate(visitors):
            group.create_task(ask(number, visitor))
