"""What the Python clients of OpenAI, Anthropic and Hugging Face do with our server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from compatibility.checks.chat import ASK, SCHEMA
from compatibility.outcomes import CHECK_SECONDS, OTHER, Outcome, Shortcoming, judge
from compatibility.workplace import Server, Target

MESSAGES: list[Any] = [{"role": "user", "content": ASK}]
OPTIONS: dict[str, Any] = {"max_tokens": 16, "temperature": 0}
Checks = Mapping[str, Callable[[], str]]


async def run_checks(checks: Checks, seconds: float = CHECK_SECONDS, slow: str = OTHER) -> dict[str, Outcome]:
    """Run every check and return what each saw; `slow` is the side that is to blame for one that takes too long."""
    outcomes = {}
    for name, check in checks.items():
        outcomes[name] = await judge(asyncio.to_thread(check), seconds, slow)
        print(f"  {name}: {outcomes[name].verdict}, {outcomes[name].seen}", flush=True)
    return outcomes


def openai_sdk(server: Server) -> Checks:
    """OpenAI's Python client: chat completions and embeddings."""
    import openai

    target, vectors = targets(server)
    client = openai.OpenAI(base_url=target.url, api_key=target.key, max_retries=0)

    def ask(**more: Any) -> Any:
        return client.chat.completions.create(**{"model": target.model, "messages": MESSAGES, **OPTIONS, **more})

    def schema() -> str:
        form = {"type": "json_schema", "json_schema": {"name": "town", "schema": SCHEMA, "strict": True}}
        return text(ask(response_format=form, max_tokens=48).choices[0].message.content)

    def error() -> str:
        try:
            ask(model="no-such-model")
        except openai.NotFoundError as caught:
            return f"NotFoundError: {caught.body['message']}"
        raise AssertionError("it answers all the same")

    return {
        "models": lambda: client.models.list().data[0].id,
        "chat": lambda: text(ask().choices[0].message.content),
        "stream": lambda: several(ask(stream=True)),
        "JSON schema": schema,
        "embeddings": lambda: several(client.embeddings.create(model=vectors.model, input=["a", "b"]).data),
        "error: unknown model": error,
        **_responses(client, target),
    }


def _responses(client: Any, target: Target) -> Checks:
    """OpenAI's Python client: the responses API."""
    options = {"model": target.model, "input": ASK, "max_output_tokens": 16}

    def streamed() -> str:
        with client.responses.stream(**options) as events:
            return several(events)

    return {
        "responses": lambda: text(client.responses.create(**options).output_text),
        "responses, streamed": streamed,
    }


def anthropic_sdk(server: Server) -> Checks:
    """Anthropic's Python client: the messages API."""
    import anthropic

    target, _ = targets(server)
    client = anthropic.Anthropic(base_url=target.url.removesuffix("/v1"), api_key=target.key, max_retries=0)
    options: dict[str, Any] = {"model": target.model, "max_tokens": 16, "messages": MESSAGES}

    def streamed() -> str:
        with client.messages.stream(**options) as stream:
            return several(stream.text_stream)

    def error() -> str:
        try:
            client.messages.create(**{**options, "model": "no-such-model"})
        except anthropic.NotFoundError as caught:
            return f"NotFoundError: {caught.message}"
        raise AssertionError("it answers all the same")

    return {
        "messages": lambda: text(client.messages.create(**options).content[0].text),
        "messages, streamed": streamed,
        "error: unknown model": error,
    }


def hugging_face(server: Server) -> Checks:
    """The InferenceClient of huggingface_hub."""
    from huggingface_hub import InferenceClient

    target, _ = targets(server)
    client = InferenceClient(base_url=target.url, api_key=target.key)

    def ask(**more: Any) -> Any:
        return client.chat_completion(MESSAGES, model=target.model, **OPTIONS, **more)

    return {
        "chat": lambda: text(ask().choices[0].message.content),
        "stream": lambda: several(ask(stream=True)),
    }


def targets(server: Server) -> tuple[Target, Target]:
    """Return the targets for chat and embeddings of our server, which has both."""
    assert server.chat
    assert server.embed
    return server.chat, server.embed


def text(answer: str | None) -> str:
    """Return how an answer begins."""
    if not answer or not answer.strip():
        raise Shortcoming("an empty answer")
    return f"“{' '.join(answer.split())[:30]}…”"


def several(parts: Any) -> str:
    """Return how many parts there are."""
    count = sum(1 for _ in parts)
    assert count > 1, "everything came in one piece"
    return f"{count} pieces"
