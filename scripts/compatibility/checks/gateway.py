"""What real clients do through the gateway, each with a key for two of its three targets."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from compatibility.checks.chat import ASK
from compatibility.checks.clients import MESSAGES, OPTIONS, Checks, several, text
from compatibility.environments import run
from compatibility.gateway_stack import ENGINE, LAPTOP, SCRIPTED, GatewayStack, Tally
from compatibility.open_webui import open_webui
from compatibility.workplace import Target

MODELS, REFUSED, BILLS = "models of its key", "another target is refused", "the report has its requests"
QUESTION = {"messages": MESSAGES, **OPTIONS}


@contextmanager
def web_ui(stack: GatewayStack) -> Iterator[Checks]:
    """open-webui: an answer as a whole, and one as a stream."""
    owner = Tally("open-webui")
    key = stack.add_key(owner.owner, LAPTOP, ENGINE)
    with open_webui(stack.place, Target(stack.url, key, "")) as page:

        def whole(target: str) -> str:
            answer = page.ask({"model": target, **QUESTION}).raise_for_status().json()
            owner.add(target, answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"])
            return text(answer["choices"][0]["message"]["content"])

        def streamed(target: str) -> str:
            *events, last = page.stream({"model": target, "stream_options": {"include_usage": True}, **QUESTION})
            owner.add(target, last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"])
            return several(events)

        def refused() -> str:
            answer = page.ask({"model": SCRIPTED, **QUESTION})
            assert answer.status_code == 400, f"it answers {answer.status_code}"  # open-webui itself: it isn't listed
            return str(answer.json()["detail"])

        yield _checks(stack, owner, page.models, {LAPTOP: whole, ENGINE: streamed}, refused)


@contextmanager
def openai_sdk(stack: GatewayStack) -> Iterator[Checks]:
    """OpenAI's Python client: an answer as a whole, and one as a stream."""
    import openai

    owner = Tally("openai")
    key = stack.add_key(owner.owner, ENGINE, SCRIPTED)
    with openai.OpenAI(base_url=stack.url, api_key=key, max_retries=0) as client:

        def whole(target: str) -> str:
            answer = client.chat.completions.create(model=target, **QUESTION)
            owner.add(target, answer.usage.prompt_tokens, answer.usage.completion_tokens)
            return text(answer.choices[0].message.content)

        def streamed(target: str) -> str:
            options = {"stream": True, "stream_options": {"include_usage": True}, **QUESTION}
            *events, last = client.chat.completions.create(model=target, **options)
            owner.add(target, last.usage.prompt_tokens, last.usage.completion_tokens)
            return several(events)

        def refused() -> str:
            try:
                client.chat.completions.create(model=LAPTOP, **QUESTION)
            except openai.PermissionDeniedError as error:
                owner.refused += 1
                return f"PermissionDeniedError: {error.body['message']}"
            raise AssertionError("it answers all the same")

        def models() -> list[str]:
            return [model.id for model in client.models.list()]

        yield _checks(stack, owner, models, {ENGINE: whole, SCRIPTED: streamed}, refused)


@contextmanager
def ask_command(stack: GatewayStack) -> Iterator[Checks]:
    """This project's command line, with the gateway as the server of its targets."""
    owner = Tally("ask")
    key = stack.add_key(owner.owner, LAPTOP, SCRIPTED)
    catalog = stack.place.folder / "ask.toml"
    entry = 'kind = "openai"\nurl = {}\napi_key = {}\nmodel = {}\n'
    access = json.dumps(stack.url), json.dumps(key)
    targets = (LAPTOP, ENGINE, SCRIPTED)
    catalog.write_text("\n".join(f'["{name}"]\n{entry.format(*access, json.dumps(name))}' for name in targets))
    command = [sys.executable, "-m", "backends", "ask", "--catalog", str(catalog)]

    def ask(target: str) -> str:
        answer = json.loads(run([*command, target, ASK, "--max-tokens", "16", "--temperature", "0", "--json"]))
        owner.add(target, answer["usage"]["input_tokens"], answer["usage"]["output_tokens"])
        return text(answer["answer"])

    def refused() -> str:
        try:
            run([*command, ENGINE, ASK])
        except RuntimeError as error:  # the last line that it printed
            owner.refused += 1
            return str(error).strip()
        raise AssertionError("it answers all the same")

    yield _checks(stack, owner, None, {LAPTOP: ask, SCRIPTED: ask}, refused)


def _checks(
    stack: GatewayStack,
    owner: Tally,
    models: Callable[[], list[str]] | None,
    ask: dict[str, Callable[[str], str]],
    refused: Callable[[], str],
) -> Checks:
    def listed() -> str:
        assert models
        names = models()
        assert sorted(names) == sorted(ask), f"it lists {names}"
        return ", ".join(names)

    return {
        **({MODELS: listed} if models else {}),
        **{f"a question to {target}": partial(answer, target) for target, answer in ask.items()},
        REFUSED: refused,
        BILLS: lambda: owner.check(stack),
    }
