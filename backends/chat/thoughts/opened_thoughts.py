"""Asks a server whether its prompts end in an opened thought: then answers begin inside of one, without a tag."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from contextvars import Context
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from weakref import WeakKeyDictionary

from backends.chat.thoughts.reasoning import TAGS
from backends.errors import BackendError
from backends.http.client import post_json
from backends.http.endpoint import Endpoint

WAIT_SECONDS = 1.0  # the longest delay of an answer; most servers say it while they still read the question
LONGEST_SECONDS = 10.0  # an answer that comes later than the first question's is there for the next
# A header of an answer, and the route on which servers that send it show what they make of a conversation. No server
# that doesn't name itself is asked.
_ROUTES = (
    ("server", "llama.cpp", "/apply-template"),
    ("server", "uvicorn", "/tokenize"),  # vLLM; the others have no such route, or don't show the tokens' text
    ("x-compute-type", "", "/chat_tokenize"),  # Text Generation Inference
)
_TEMPLATE_FIELDS = ("model", "chat_template", "chat_template_kwargs", "reasoning_effort")
_MESSAGES = {"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": True, "return_token_strs": True}
_BLANK = " \t\r\nĊĠ▁"  # the last three stand for line ends and spaces in the text of tokens


class OpenedThoughts:
    """What the server of a target said, asked once for each of its models.

    A server that says nothing, or isn't known to, opens no thought.
    """

    def __init__(self) -> None:
        # A connection belongs to the event loop that opened it, and so does what is asked through it.
        self._answers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Task[str]]]
        self._answers = WeakKeyDictionary()

    async def closing_tag(self, endpoint: Endpoint, body: Mapping[str, Any], headers: Mapping[str, str]) -> str:
        """Return the tag that ends the thought that answers begin in, or "".

        `body` is a request for an answer, and `headers` are those of the response to it.
        """
        path = next((path for name, word, path in _ROUTES if name in headers and word in headers[name].lower()), "")
        if not path:
            return ""
        answers = self._answers.setdefault(asyncio.get_running_loop(), {})
        model = str(body.get("model"))
        if model not in answers:
            # In a context of its own: it isn't part of what a stopwatch measures.
            answers[model] = asyncio.create_task(_ask(endpoint, path, body), context=Context())
        if not (answer := answers[model]).done():
            await asyncio.wait({answer}, timeout=WAIT_SECONDS)
        return answer.result() if answer.done() else ""


async def _ask(endpoint: Endpoint, path: str, body: Mapping[str, Any]) -> str:
    parts = urlsplit(endpoint.url)
    url = urlunsplit(parts._replace(path=parts.path.removesuffix("/v1")))
    root = replace(endpoint, url=url, connect_timeout=LONGEST_SECONDS, read_timeout=LONGEST_SECONDS)
    fields = {name: body[name] for name in _TEMPLATE_FIELDS if name in body}
    with contextlib.suppress(BackendError, TimeoutError):
        async with asyncio.timeout(LONGEST_SECONDS):
            return opened_tag(_prompt(await post_json(root, path, fields | _MESSAGES)))
    return ""


def opened_tag(prompt: str) -> str:
    """Return the tag that closes the thought that a prompt ends in, or ""."""
    end = prompt.rstrip(_BLANK)
    return next((closing_tag for tag, closing_tag in TAGS.items() if end.endswith(tag)), "")


def _prompt(document: Any) -> str:
    """The prompt that a server shows: as text, or as the text of its tokens."""
    if not isinstance(document, Mapping):
        return ""
    text = document.get("prompt") or document.get("templated_text")
    if isinstance(text, str):
        return text
    tokens = document.get("token_strs")
    return "".join(map(str, tokens[-10:])) if isinstance(tokens, list) else ""
