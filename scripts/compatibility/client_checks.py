"""What other clients do against our server: each check returns what was seen, or raises with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from compatibility.programs import Programs, Running, run

ASK = "Count from one to twenty in words."
MESSAGES = [{"role": "user", "content": ASK}]
OPTIONS: dict[str, Any] = {"max_tokens": 16, "temperature": 0}
Checks = dict[str, Callable[[], str]]


def run_checks(checks: Checks) -> dict[str, str]:
    """Run every check and return what each saw."""
    results = {}
    for name, check in checks.items():
        try:
            results[name] = check()
        except Exception as error:  # clients have errors of any kind
            results[name] = f"failed: {str(error)[:200] or type(error).__name__}"
        print(f"  {name}: {results[name]}", flush=True)
    return results


def openai_sdk(server: Running) -> Checks:
    """OpenAI's Python client."""
    import openai

    client = openai.OpenAI(base_url=server.url, api_key=server.key, max_retries=0)
    chat = client.chat.completions

    def stream() -> str:
        chunks = list(chat.create(model=server.model, messages=MESSAGES, stream=True, **OPTIONS))  # type: ignore[call-overload]
        return f"yes, {len(chunks)} chunks"

    def responses() -> str:
        with client.responses.stream(model=server.model, input=ASK, max_output_tokens=16) as events:
            return f"yes, {sum(1 for _ in events)} events"

    def error() -> str:
        try:
            chat.create(model="no-such-model", messages=MESSAGES)  # type: ignore[arg-type]
        except openai.NotFoundError as caught:
            return f"NotFoundError: {caught.body['message']}"  # type: ignore[index]
        return "answers all the same"

    return {
        "models": lambda: f"yes, {client.models.list().data[0].id}",
        "chat": lambda: _text(chat.create(model=server.model, messages=MESSAGES, **OPTIONS).choices[0].message.content),
        "stream": stream,
        "responses": lambda: _text(
            client.responses.create(model=server.model, input=ASK, max_output_tokens=16).output_text
        ),
        "responses, streamed": responses,
        "unknown model": error,
    }


def hugging_face(server: Running) -> Checks:
    """The InferenceClient of huggingface_hub."""
    from huggingface_hub import InferenceClient

    client = InferenceClient(base_url=server.url, api_key=server.key)

    def ask(**more: Any) -> Any:
        return client.chat_completion(MESSAGES, model=server.model, **OPTIONS, **more)

    return {
        "chat": lambda: _text(ask().choices[0].message.content),
        "stream": lambda: f"yes, {sum(1 for _ in ask(stream=True))} chunks",
    }


def anthropic_sdk(server: Running, programs: Programs) -> Checks:
    """Anthropic's Python client."""
    head = (
        "import anthropic\n"
        f"client = anthropic.Anthropic(base_url={server.url.removesuffix('/v1')!r}, api_key={server.key!r})\n"
        f"ask = dict(model={server.model!r}, max_tokens=16, messages={MESSAGES!r})\n"
    )

    def python(code: str) -> str:
        return programs.python("anthropic", head + code).strip()

    return {
        "messages": lambda: _text(python("print(client.messages.create(**ask).content[0].text)")),
        "messages, streamed": lambda: _text(
            python("with client.messages.stream(**ask) as s: print(''.join(s.text_stream))")
        ),
        "unknown model": lambda: python(
            "try: client.messages.create(**{**ask, 'model': 'no-such-model'})\n"
            "except anthropic.NotFoundError as e: print('NotFoundError:', e.body['error']['message'])"
        ),
    }


def litellm_sdk(server: Running, programs: Programs) -> Checks:
    """LiteLLM's Python client."""
    arguments = f"model='openai/{server.model}', api_base={server.url!r}, api_key={server.key!r}"
    arguments += f", messages={MESSAGES!r}, max_tokens=16, temperature=0"

    def python(code: str) -> str:
        return programs.python("litellm", f"import litellm\n{code}").strip()

    return {
        "chat": lambda: _text(python(f"print(litellm.completion({arguments}).choices[0].message.content)")),
        "stream": lambda: python(f"print('yes,', len(list(litellm.completion({arguments}, stream=True))), 'chunks')"),
    }


def llm_command(server: Running, programs: Programs, folder: Path) -> Checks:
    """The command line `llm`, with our server among its models."""
    home = folder / "llm"
    home.mkdir(exist_ok=True)
    entry = {"model_id": "ours", "model_name": server.model, "api_base": server.url, "api_key_name": "ours"}
    (home / "extra-openai-models.yaml").write_text(json.dumps([entry]))  # JSON is YAML too
    (home / "keys.json").write_text(json.dumps({"ours": server.key}))

    def prompt(*options: str) -> str:
        command = [programs.install("llm") / "llm", "prompt", "-m", "ours", "-o", "max_tokens", "16", *options, ASK]
        return _text(run(command, {"LLM_USER_PATH": str(home)}))

    return {"prompt, streamed": prompt, "prompt --no-stream": lambda: prompt("--no-stream")}


def _text(text: str | None) -> str:
    """Say that there is a text, and how it begins."""
    assert text and text.strip(), "an empty answer"
    return f"yes, “{' '.join(text.split())[:30]}…”"
