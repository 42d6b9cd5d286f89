"""Failures between a client and a model, and the errors that the caller gets."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from time import time
from urllib.parse import quote, quote_plus

import pytest

from backends import (
    Backend,
    BackendError,
    Catalog,
    Delta,
    Done,
    Event,
    Interrupted,
    NotConfigured,
    Overloaded,
    Rejected,
    TimedOut,
    Unreachable,
)
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import response_error
from backends.kinds.openai import base_url
from tests.backends.recordings import OLLAMA_SHOW, OPENAI, REQUEST, item, ndjson, part, sse
from tests.backends.wire_server import Reply, WireServer

CHAT = "/v1/chat/completions"
KEY = "sk-very-secret-key"
TEN = [Delta(f"t{number} ") for number in range(10)]
NAMES = ["openai", "ollama"]


def connect(name: str, url: str, **more: object) -> Backend:
    entry = {"kind": name, "url": url, "model": "tiny", "api_key": KEY, "read_timeout": 5} | more
    return Catalog({"x": entry}, source="test").connect("x")


async def fail(backend: Backend) -> tuple[list[Event], BackendError]:
    """The events before the error, and the error; it has a message and a remedy, but never the key."""
    events: list[Event] = []
    with pytest.raises(BackendError) as caught:
        async for event in backend.stream(REQUEST):
            events.append(event)
    await backend.aclose()
    error = caught.value
    assert error.message.endswith((".", ")")), error.message
    assert error.remedy
    assert KEY not in str(error)
    return events, error


def chat(server: WireServer, sse_reply: Reply, ndjson_reply: Reply | None = None) -> None:
    """Set the same response for both kinds, or one in the format of each."""
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    server.on(CHAT, sse_reply)
    server.on("/api/chat", ndjson_reply or sse_reply)


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://host/v1", "http://", "http:///v1", "", "http://a:port/v1"])
async def test_a_url_that_cannot_be_called(url: str) -> None:
    with pytest.raises(NotConfigured, match="not a URL") as caught:
        connect("openai", url)
    assert "http://host:8000/v1" in caught.value.remedy


@pytest.mark.parametrize("url", ["ftp://host", "http://", "http://host:port", "host:99999"])
async def test_an_ollama_url_that_cannot_be_called(url: str) -> None:
    with pytest.raises(NotConfigured, match="not a URL"):
        connect("ollama", url)


@pytest.mark.parametrize("name", NAMES)
async def test_a_host_that_does_not_exist(name: str) -> None:
    _, error = await fail(connect(name, "http://nowhere.invalid:1/v1", connect_timeout=3.0))
    assert isinstance(error, Unreachable)
    assert "nowhere.invalid:1" in error.message


@pytest.mark.parametrize("name", NAMES)
async def test_a_refused_connection(name: str) -> None:
    _, error = await fail(connect(name, "http://user:pw@127.0.0.1:9/v1"))
    assert isinstance(error, Unreachable)
    assert "127.0.0.1:9" in error.message
    assert "pw" not in str(error)
    assert "Start it" in error.remedy


@pytest.mark.parametrize("name", NAMES)
async def test_a_refused_key_is_not_repeated(name: str, server: WireServer) -> None:
    chat(server, Reply.json({"error": {"message": f"Incorrect API key: {KEY}"}}, 401))
    _, error = await fail(connect(name, server.url))
    assert isinstance(error, Rejected)
    assert error.status == 401
    assert "Incorrect API key: ***" in error.message
    assert "Check the API key" in error.remedy


async def test_a_key_at_the_end_of_a_quote_is_not_repeated(server: WireServer) -> None:
    for before in range(280, 300):
        chat(server, Reply.json({"error": "x" * before + KEY}, 401))
        _, error = await fail(connect("openai", server.url))
        assert "sk-" not in error.message


async def test_a_missing_key(server: WireServer) -> None:
    chat(server, Reply.json({"detail": "Unauthorized"}, 401))
    _, error = await fail(connect("openai", server.url, api_key=""))
    assert "Set api_key" in error.remedy


@pytest.mark.parametrize("name", NAMES)
async def test_a_key_with_a_line_end_is_used_without_it(name: str, server: WireServer) -> None:
    chat(server, Reply.json({"error": "no"}, 401))
    await fail(connect(name, server.url, api_key=f" {KEY}\n"))
    assert server.received_requests[-1].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("name", [*NAMES, "huggingface"])
@pytest.mark.parametrize("key", ["sk-ключ", "sk-a\nb", "sk a\x00"])
async def test_a_key_that_no_header_can_hold(name: str, key: str) -> None:
    with pytest.raises(NotConfigured, match="API key") as caught:
        connect(name, "http://host/v1", api_key=key)
    assert key not in str(caught.value)


async def test_a_model_that_does_not_exist(server: WireServer) -> None:
    chat(server, Reply.json({"error": {"message": "The model `tiny` does not exist."}}, 404))
    _, error = await fail(connect("openai", server.url))
    assert isinstance(error, Rejected)
    assert error.status == 404
    assert "does not exist" in error.message


async def test_a_model_that_ollama_has_not_pulled(server: WireServer) -> None:
    server.on("/api/show", Reply.json({"error": "model 'tiny' not found"}, 404))
    _, error = await fail(connect("ollama", server.url))
    assert isinstance(error, Rejected)
    assert error.status == 404
    assert "ollama pull tiny" in error.remedy
    assert "python -m backends pull" in error.remedy


async def test_check_does_not_find_the_model(server: WireServer) -> None:
    server.on("/v1/models", Reply.json({"data": [{"id": "big"}]}))
    for name, hint in (("openai", "big"), ("huggingface", "inference_provider")):
        with pytest.raises(Rejected, match="tiny") as caught:
            await connect(name, f"{server.url}/v1").check()
        assert hint in caught.value.remedy


@pytest.mark.parametrize(
    ("after", "seconds"),
    [("7", 7), ("0.5", 0.5), ("date", 60), ("soon", None), (None, None), ("-3", 0)],
)
async def test_too_many_requests(after: str | None, seconds: float | None, server: WireServer) -> None:
    if after == "date":  # computed here, because the parameters are evaluated at collection, which may be a minute ago
        after = formatdate(time() + 60, usegmt=True)
    headers = {"retry-after": after} if after else {}
    chat(server, Reply([b'{"error": "slow down"}'], 429, "application/json", headers))
    _, error = await fail(connect("openai", server.url))
    assert isinstance(error, Overloaded)
    assert error.retry_after == (None if seconds is None else pytest.approx(seconds, abs=5))


async def test_ollama_busy(server: WireServer) -> None:
    chat(server, Reply.json({"error": "server busy, please try again."}, 503))
    _, error = await fail(connect("ollama", server.url))
    assert isinstance(error, Overloaded)
    assert "server busy" in error.message


@pytest.mark.parametrize("name", NAMES)
async def test_a_server_error_with_an_html_page(name: str, server: WireServer) -> None:
    page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>"
    chat(server, Reply([page], 502, "text/html"))
    _, error = await fail(connect(name, server.url))
    assert isinstance(error, Rejected)
    assert error.status == 502
    assert "“502 Bad Gateway”" in error.message
    assert "<" not in error.message


@pytest.mark.parametrize("name", NAMES)
async def test_a_page_instead_of_an_answer(name: str, server: WireServer) -> None:
    chat(server, Reply([b"<!doctype html><title>Welcome to nginx</title>"], type="text/html"))
    _, error = await fail(connect(name, server.url))
    assert isinstance(error, Unreachable)
    assert "answered, but not as" in error.message
    assert "Check the url" in error.remedy


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("document", [{"hello": 1}, ["hi"], "hi", 3, None])
async def test_another_json_document_instead_of_an_answer(name: str, document: object, server: WireServer) -> None:
    chat(server, Reply.json(document))
    _, error = await fail(connect(name, server.url))
    assert isinstance(error, Unreachable)


async def test_a_page_instead_of_a_list_of_models(server: WireServer) -> None:
    server.on("/v1/models", Reply([b"<title>Hello</title>"], type="text/html"))
    with pytest.raises(Unreachable, match="not as a model API: “Hello”"):
        await connect("openai", server.url).check()


async def test_a_redirect(server: WireServer) -> None:
    chat(server, Reply([b""], 307, headers={"location": "https://host/v1"}))
    _, error = await fail(connect("openai", server.url))
    assert isinstance(error, Rejected)
    assert "https://host/v1" in error.remedy


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a path": quote,
    "in a query": partial(quote, safe=""),
    "in a form": quote_plus,
    "in small letters": lambda text: quote(text, safe="").replace("%2B", "%2b").replace("%2F", "%2f"),
}


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://host/v1/chat/completions", "https://host/v1."),
        ("https://host:8443/v1?api_key={key}", "https://host:8443/v1."),
        ("https://user:{key}@host/v1#{key}", "https://host/v1."),
        ("https://host/{key}/v1/chat/completions", "https://host/…."),
        ("/login?next=%2Fv1&key={key}", "/…."),
        ("//host/login/{key}", "//host/…."),
        ("https://{key}.host/v1", "https://***.host/v1."),
        ("https://[::1", "unknown."),
        ("", "unknown."),
    ],
)
@pytest.mark.parametrize("key", ["sk-a+b/c==d", "sk-very-secret-key"])
@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_redirect_never_shows_a_key(location: str, shown: str, key: str, spelling: Callable[[str], str]) -> None:
    """Gateways redirect to a login page with the whole request in its address."""
    endpoint = Endpoint("https://gateway/v1", key)
    target = location.replace("{key}", spelling(key))
    error = response_error(endpoint, 302, {"location": target}, f"Moved to {target}".encode())
    assert key not in str(error)
    assert spelling(key) not in str(error)
    if key == "sk-very-secret-key":
        assert error.remedy == f"Use the address it points to: {shown}"


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("url", ["https://gateway/v1?key={}", "https://gateway/{}/v1", "https://gateway/v1/{}"])
def test_a_server_that_repeats_a_part_of_its_address_shows_no_key(url: str, spelling: Callable[[str], str]) -> None:
    key = "Key+with/sign=s"
    endpoint = Endpoint(url.replace("{}", quote(key, safe="")))
    error = response_error(endpoint, 500, {}, f"No route for {spelling(key)}.".encode())
    assert spelling(key) not in str(error)


def ten_sse() -> bytes:
    return sse(*(part(content=delta.text) for delta in TEN))


def ten_ndjson() -> bytes:
    return ndjson(*(item(delta.text) for delta in TEN))


def half(wire: bytes) -> bytes:
    """The bytes up to the middle of the emoji."""
    return wire[: wire.index("🙂".encode()) + 2]


TAILS = {
    "between events": (b"", b""),
    "mid-line": (sse(part(content="more"))[:-9], ndjson(item("more"))[:-9]),
    "mid-character": (half(sse(part(content="🙂"))), half(ndjson(item("🙂")))),
    "malformed": (b"data: {oops\n\n", b"{oops\n"),
    "an error event": (sse({"error": {"message": "out of memory"}}), ndjson({"error": "out of memory"})),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", ["complete", "drop"])
@pytest.mark.parametrize("tail", TAILS)
async def test_a_stream_that_breaks_after_ten_tokens(tail: str, end: str, name: str, server: WireServer) -> None:
    first, second = TAILS[tail]
    chat(server, Reply([ten_sse(), first], end=end), Reply([ten_ndjson(), second], end=end))  # type: ignore[arg-type]
    events, error = await fail(connect(name, server.url))
    assert events == TEN
    assert isinstance(error, Interrupted)
    assert "cut off" in error.message
    if tail == "an error event":
        assert "out of memory" in error.message


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", ["complete", "drop"])
@pytest.mark.parametrize("tail", TAILS)
async def test_a_stream_that_breaks_before_its_first_token(tail: str, end: str, name: str, server: WireServer) -> None:
    first, second = TAILS[tail]
    chat(server, Reply([first], end=end), Reply([second], end=end))  # type: ignore[arg-type]
    events, error = await fail(connect(name, server.url))
    assert events == []
    assert isinstance(error, Rejected if tail == "an error event" else Unreachable)


async def test_a_drop_after_the_finish_reason_is_not_an_error(server: WireServer) -> None:
    chat(server, Reply([sse(part(content="Hi"), part("stop"), "data: [DONE]")], end="drop"))
    events = [event async for event in connect("openai", server.url).stream(REQUEST)]
    assert events == [Delta("Hi"), Done("stop", None)]


@pytest.mark.parametrize("name", NAMES)
async def test_silence_before_the_first_token(name: str, server: WireServer) -> None:
    chat(server, Reply(end="hang"))
    _, error = await fail(connect(name, server.url, read_timeout=0.1))
    assert isinstance(error, TimedOut)
    assert "0.1 s" in error.message


@pytest.mark.parametrize("name", NAMES)
async def test_silence_before_the_headers(name: str, server: WireServer) -> None:
    chat(server, Reply([OPENAI.wire], delay=30))
    _, error = await fail(connect(name, server.url, read_timeout=0.1))
    assert isinstance(error, TimedOut)


@pytest.mark.parametrize("name", NAMES)
async def test_silence_after_ten_tokens(name: str, server: WireServer) -> None:
    chat(server, Reply([ten_sse()], end="hang"), Reply([ten_ndjson()], end="hang"))
    events, error = await fail(connect(name, server.url, read_timeout=0.5))
    assert events == TEN
    assert isinstance(error, TimedOut)


async def test_keep_alive_comments_are_no_events(server: WireServer) -> None:
    chat(server, Reply([sse(": wait", ":", part(content="Hi"), ": wait", part("stop"), "data: [DONE]")]))
    events = [event async for event in connect("openai", server.url).stream(REQUEST)]
    assert events == [Delta("Hi"), Done("stop", None)]


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks", "socks4"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_a_proxy_from_the_environment_never_sees_loopback(
    scheme: str, host: str, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, f"{scheme}://127.0.0.1:9")
    chat(server, Reply([OPENAI.wire]), Reply([ndjson(item("x"), item(done=True, done_reason="stop"))]))
    for name in NAMES:
        backend = connect(name, server.url.replace("127.0.0.1", host))
        events = [event async for event in backend.stream(REQUEST)]
        assert isinstance(events[-1], Done)
        await backend.aclose()


def test_secrets_of_a_url_are_in_no_error() -> None:
    endpoint = Endpoint("http://user:hunter2pw@host:1/v1?api_key=SECRETQ&v=2", api_key="sk-key")
    basic = b64encode(b"user:hunter2pw").decode()
    content = f"Basic {basic} at hunter2pw with SECRETQ and sk-key, version 2".encode()
    error = response_error(endpoint, 500, {}, content)
    assert str(error).count("***") == 4
    for secret in ("hunter2pw", "SECRETQ", "sk-key", basic):
        assert secret not in f"{error.message} {error.remedy}"


@pytest.mark.parametrize(
    ("url", "route"),
    [
        ("http://host/v1", "http://host/v1/chat/completions"),
        ("http://host/v1/chat/completions", "http://host/v1/chat/completions"),
        ("http://host?api-version=2", "http://host/v1/chat/completions?api-version=2"),
        ("http://host/openai/v1/?api-version=2", "http://host/openai/v1/chat/completions?api-version=2"),
    ],
)
def test_a_query_stays_at_the_end_of_a_route(url: str, route: str) -> None:
    assert Endpoint(base_url(url)).url_for("/chat/completions") == route
