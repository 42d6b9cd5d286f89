"""The Ollama kind: its window, its addresses, thinking, and downloads."""

from __future__ import annotations

import pytest

from backends import Catalog, ChatRequest, Delta, Done, Health, Message, Rejected, TokenLogprob, Usage
from backends.kinds.ollama.backend import OllamaBackend, base_url
from backends.kinds.ollama.window import estimate_tokens, window_for
from backends.types import Downloadable
from tests.backends.recordings import OLLAMA, OLLAMA_SHOW, REQUEST, item, ndjson
from tests.backends.wire_server import Reply, WireServer


def connect(url: str, **more: object) -> OllamaBackend:
    backend = Catalog({"x": {"kind": "ollama", "url": url, "model": "tiny"} | more}, source="test").connect("x")
    assert isinstance(backend, OllamaBackend)
    return backend


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434"),
        ("0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        (":8080", "http://127.0.0.1:8080"),
        ("box", "http://box:11434"),
        ("box:1234/ollama/", "http://box:1234/ollama"),
        ("https://box.example", "https://box.example"),
        ("https://box.example:8443/x", "https://box.example:8443/x"),
        ("[::]:11434", "http://127.0.0.1:11434"),
        ("[fe80::1]", "http://[fe80::1]:11434"),
    ],
)
def test_addresses_in_the_forms_of_ollama_host(host: str, url: str) -> None:
    assert base_url(host) == url


async def test_the_request(server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    server.on("/api/chat", Reply([OLLAMA.wire]))
    backend = connect(server.url, think=False)
    request = ChatRequest(REQUEST.messages, max_tokens=64, temperature=0.0, top_p=0.9, stop=("END",), seed=3)
    async for _ in backend.stream(request):
        pass
    await backend.aclose()
    request = server.requests("/api/chat")[0]
    assert request.json == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Größe? 🙂"}],
        "stream": True,
        "think": False,
        "tools": [],
        "options": {"num_ctx": 2048, "num_predict": 64, "temperature": 0.0, "top_p": 0.9, "seed": 3, "stop": ["END"]},
    }
    assert request.headers["accept-encoding"] == "identity"


async def test_a_request_that_does_not_fit_is_refused(server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    backend = connect(server.url)
    with pytest.raises(Rejected, match=r"about 20009 tokens of text and 512 .* window of 8192") as caught:
        async for _ in backend.stream(ChatRequest([Message("user", "abc" * 20_000)])):
            pass
    await backend.aclose()
    assert caught.value.status == 400
    assert server.requests("/api/chat") == []


async def test_a_fixed_window_needs_no_request(server: WireServer) -> None:
    server.on("/api/chat", Reply([OLLAMA.wire]))
    backend = connect(server.url, context=3000)
    async for _ in backend.stream(REQUEST):
        pass
    with pytest.raises(Rejected, match="window of 3000"):
        async for _ in backend.stream(ChatRequest([Message("user", "abc" * 3000)])):
            pass
    await backend.aclose()
    assert [request.path for request in server.received_requests] == ["/api/chat"]
    assert server.received_requests[0].json["options"]["num_ctx"] == 3000


async def test_a_server_that_reports_no_window(server: WireServer) -> None:
    server.on("/api/show", Reply.json({"details": {}}))
    server.on("/api/chat", Reply([OLLAMA.wire]))
    backend = connect(server.url)
    for _ in range(2):
        async for _ in backend.stream(ChatRequest([Message("user", "abc" * 20_000)])):
            pass
    await backend.aclose()
    assert len(server.requests("/api/show")) == 1
    assert server.requests("/api/chat")[0].json["options"]["num_ctx"] == 32768


@pytest.mark.parametrize(("characters", "window"), [(0, 2048), (4500, 2048), (4700, 4096), (15_000, 8192)])
def test_windows_are_powers_of_two(characters: int, window: int) -> None:
    request = ChatRequest([Message("user", "x" * characters)])
    assert window_for(request, 100_000) == window
    assert window_for(request, None) == window


def test_a_window_is_at_most_the_model_s() -> None:
    assert window_for(ChatRequest([Message("user", "x" * 4700)]), 3000) == 3000


def test_the_estimate_is_generous() -> None:
    assert estimate_tokens("The quick brown fox jumps over the lazy dog.") >= 10
    assert estimate_tokens("深く考える") >= 5
    assert estimate_tokens("2026-11-21 04:17:44") >= 14
    assert estimate_tokens("") >= 1


async def test_counts_that_ollama_did_not_report_are_none(server: WireServer) -> None:
    last = item(done=True, done_reason="length", eval_count=1)
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    server.on("/api/chat", Reply([ndjson(item("Hi"), last)]))
    backend = connect(server.url)
    assert [event async for event in backend.stream(REQUEST)] == [Delta("Hi"), Done("length", None)]
    await backend.aclose()


async def test_log_probabilities(server: WireServer) -> None:
    first = item("Hi") | {
        "logprobs": [{"token": "Hi", "logprob": -0.5, "top_logprobs": [{"token": "Yo", "logprob": -1}]}]
    }
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    server.on("/api/chat", Reply([ndjson(first, item(done=True, done_reason="stop"))]))
    backend = connect(server.url)
    events = [event async for event in backend.stream(ChatRequest(REQUEST.messages, logprobs=1))]
    await backend.aclose()
    assert events[-1] == Done("stop", None, (TokenLogprob("Hi", -0.5, (("Yo", -1.0),)),))
    body = server.requests("/api/chat")[0].json
    assert (body["logprobs"], body["top_logprobs"]) == (True, 1)


async def test_check_reports_the_window(server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    backend = connect(server.url)
    assert await backend.check() == Health("tiny", 8192)
    await backend.aclose()


async def test_downloading_a_model(server: WireServer) -> None:
    steps = [{"status": "pulling manifest"}, {"status": "pulling abc", "total": 100, "completed": 25}]
    server.on("/api/pull", Reply([ndjson(*steps, {"status": "success"})]))
    backend = connect(server.url)
    assert isinstance(backend, Downloadable)
    progress = [step async for step in backend.pull()]
    await backend.aclose()
    assert progress == [("pulling manifest", None), ("pulling abc", 0.25), ("success", None)]
    assert server.received_requests[0].json["model"] == "tiny"


async def test_downloading_a_model_that_does_not_exist(server: WireServer) -> None:
    server.on("/api/pull", Reply([ndjson({"status": "pulling manifest"}, {"error": "pull model manifest: not there"})]))
    backend = connect(server.url)
    with pytest.raises(Rejected, match="pull model manifest: not there"):
        async for _ in backend.pull():
            pass
    await backend.aclose()


async def test_the_model_of_the_request(server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    server.on("/api/chat", Reply([OLLAMA.wire]))
    backend = connect(server.url)
    events = [event async for event in backend.stream(ChatRequest([Message("user", "Hi")], model="big"))]
    await backend.aclose()
    assert events[-1] == Done("stop", Usage(21, 9))
    assert [request.json["model"] for request in server.received_requests] == ["big", "big"]


@pytest.mark.parametrize(
    ("said", "pieces"),
    [
        ({"template": "{{ .Prompt }}<|im_start|>assistant\n<think>\n{{ .Response }}<|im_end|>"}, ("Hm.", "Hello")),
        ({"template": "{{ if .Last }}<|im_start|>assistant\n<think>\n{{ end }}{{- end }}\n"}, ("Hm.", "Hello")),
        ({"template": "<think>{{ .Response }}", "capabilities": ["completion", "thinking"]}, ("", "Hm.</think>Hello")),
        ({"template": "<think></think>{{ .Response }}"}, ("", "Hm.</think>Hello")),
        ({"template": ".Response }}{{ end }}"}, ("", "Hm.</think>Hello")),
        ({}, ("", "Hm.</think>Hello")),
    ],
)
async def test_a_template_that_opens_the_thought(said: dict[str, object], pieces: object, server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW | said))
    server.on("/api/chat", Reply([ndjson(item("Hm.</th"), item("ink>Hello"), item(done=True, done_reason="stop"))]))
    backend = connect(server.url)
    for _ in range(2):
        texts = {"thought": "", "answer": ""}
        async for event in backend.stream(REQUEST):
            if isinstance(event, Delta):
                texts[event.kind] += event.text
        assert tuple(texts.values()) == pieces
    await backend.aclose()
    assert len(server.requests("/api/show")) == 1


async def test_an_opened_thought_that_is_never_closed_is_the_answer(server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW | {"template": "<think>{{ .Response }}"}))
    server.on("/api/chat", Reply([ndjson(item("Hello"), item(done=True, done_reason="stop"))]))
    backend = connect(server.url)
    events = [event async for event in backend.stream(REQUEST)]
    await backend.aclose()
    assert events[:-1] == [Delta("Hello", "thought"), Delta("Hello")]
