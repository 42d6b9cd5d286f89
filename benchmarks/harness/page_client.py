"""A visitor of a Gradio chat page without a browser: its events, its stream of updates, its differences.

It speaks what the page's own script speaks: an event is posted, its updates come as server-sent events, the first
whole and the next as differences.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from harness.paced_server import WORD, age_ms

API = "gradio_api"


@dataclass(frozen=True)
class Wiring:
    """The part of a page's configuration that a question goes through."""

    submit: dict[str, Any]
    """The event of the Enter key."""
    answer: dict[str, Any]
    """The event that streams into the conversation."""
    link: dict[str, Any] | None
    """The event that opens a shared conversation, where the page keeps conversations itself."""
    components: dict[int, dict[str, Any]]

    @property
    def shown(self) -> int:
        """Which of the answer's outputs is the conversation."""
        return next(at for at, made in enumerate(self.answer["outputs"]) if self.kind(made) == "chatbot")

    def kind(self, component: int) -> str:
        return str(self.components[component]["type"])


def wiring(config: Mapping[str, Any]) -> Wiring:
    """Find the events of a chat page, whoever wrote it."""
    components = {made["id"]: made for made in config["components"]}
    chatbots = {number for number, made in components.items() if made["type"] == "chatbot"}
    events = config["dependencies"]
    submit = next(event for event in events if any(name == "submit" for _, name in event["targets"]))
    answer = next(event for event in events if event["types"]["generator"] and chatbots & set(event["outputs"]))
    link = [event for event in events if set(event["outputs"]) <= chatbots and event["outputs"] and event["inputs"]]
    link = [event for event in link if components[event["inputs"][0]]["type"] == "textbox"]
    return Wiring(submit, answer, link[0] if link else None, components)


@dataclass
class Visitor:
    """One visitor; `values` are the settings of the page by their elem_id, where they are not the page's own.

    `history` is what was said before, for a page that is told so by the browser; `fragment` the same as a link.
    """

    client: httpx2.AsyncClient
    url: str
    wiring: Wiring
    history: list[dict[str, Any]]
    fragment: str
    values: Mapping[str, Any] = field(default_factory=dict)
    session: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    lags_ms: list[float] = field(default_factory=list)
    updates: int = 0
    text: str = ""
    messages: int = 0

    async def enter(self) -> None:
        """Open the page with the conversation so far."""
        if self.wiring.link:
            await self._post("run/predict", self.wiring.link, self.fragment, [])

    async def ask(self, question: str) -> None:
        """Ask, and keep for each word how old it was when an update brought it."""
        history = [_message(each["role"], each["content"]) for each in self.history]
        await self._post("run/predict", self.wiring.submit, question, history)
        await self._post("queue/join", self.wiring.answer, question, [*history, _message("user", question)])
        at = 0
        async for shown in self._conversations():
            self.updates += 1
            self.messages, last = len(shown), shown[-1]
            if last["role"] != "assistant" or (last.get("metadata") or {}).get("title"):
                continue
            self.text = last["content"][0]["text"]
            for found in WORD.finditer(self.text, at):
                self.lags_ms.append(age_ms(found[0]))
                at = found.end()

    async def _post(self, path: str, event: dict[str, Any], question: str, history: list[dict[str, Any]]) -> None:
        data = [self._value(component, question, history) for component in event["inputs"]]
        body = {"data": data, "fn_index": event["id"], "session_hash": self.session, "event_data": None}
        (await self.client.post(f"{self.url}/{API}/{path}", json=body)).raise_for_status()

    def _value(self, component: int, question: str, history: list[dict[str, Any]]) -> Any:
        kind, props = self.wiring.kind(component), self.wiring.components[component]["props"]
        if kind == "chatbot":
            return history
        if kind == "browserstate":  # what the page keeps in the browser: a visitor's secret
            return self.secret
        if props.get("elem_id") in self.values:
            return self.values[props["elem_id"]]
        asking = [event for event in (self.wiring.submit, self.wiring.link) if event]
        typed = kind == "textbox" and any(component in event["inputs"] for event in asking)
        return question if typed else props.get("value")

    async def _conversations(self) -> AsyncIterator[list[dict[str, Any]]]:
        """The conversation after each update."""
        shown: Any = None
        async for message in self._messages():
            if message["msg"] == "process_completed":
                assert message["success"], message
                return
            if message["msg"] != "process_generating":
                continue
            change = message["output"]["data"][self.wiring.shown]
            shown = change if shown is None else patched(shown, change)
            yield shown

    async def _messages(self) -> AsyncIterator[dict[str, Any]]:
        rest = b""
        address = f"{self.url}/{API}/queue/data?session_hash={self.session}"
        async with self.client.stream("GET", address) as response:
            async for received in response.aiter_raw():
                *events, rest = (rest + received).split(b"\n\n")
                for event in events:
                    yield json.loads(event.removeprefix(b"data: "))


def patched(value: Any, edits: list[Any]) -> Any:
    """`value` after the differences of one update, changed in place."""
    for action, path, new in edits:
        if not path:
            value = value + new if action == "append" else new
            continue
        *way, last = path
        inside = value
        for step in way:
            inside = inside[step]
        if action == "append":
            inside[last] += new
        elif action == "delete":
            del inside[last]
        elif action == "add" and isinstance(inside, list):
            inside.insert(last, new)
        else:
            inside[last] = new
    return value


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "metadata": None, "content": [{"text": text, "type": "text"}], "options": None}


async def all_ask(visitors: list[Visitor], question: str, apart: float) -> None:
    """Every visitor asks, one after the other `apart` seconds, and all wait for their answers."""

    async def one(number: int, visitor: Visitor) -> None:
        await asyncio.sleep(number * apart)
        await visitor.ask(question)

    async with asyncio.TaskGroup() as group:
        for number, visitor in enumerate(visitors):
            group.create_task(one(number, visitor))
