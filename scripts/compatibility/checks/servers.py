"""Our client against a server: its chat, embeddings, scores and key."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

from backends import Backend, Catalog, Rejected
from backends.http.connections import close_connections
from backends.vectors import connect_embeddings, connect_reranking
from compatibility.checks.chat import CHAT_CHECKS, QUESTION, Check
from compatibility.outcomes import NotTried, Outcome, Shortcoming, judge
from compatibility.workplace import Server, Target

TEXTS = ("The cat sleeps on the sofa.", "Interest rates rose in May.", "A cat is sleeping on a couch.")
NO_MODEL = "no model for it on this machine"
NO_CHAT = "this server has no chat"


async def check_server(server: Server, chat_checks: Mapping[str, Check] = CHAT_CHECKS) -> dict[str, Outcome]:
    """Run every check, one after the other, and return what each saw."""
    backend = _catalog(server.chat).connect("server") if server.chat else None
    checks: dict[str, Awaitable[str]] = {name: _chat(check, backend) for name, check in chat_checks.items()}
    checks["error: wrong key"] = _wrong_key(server)
    checks["embeddings"] = _embeddings(server.embed)
    checks["rerank"] = _rerank(server.rerank)
    outcomes = {}
    try:
        for name, check in checks.items():
            outcomes[name] = await judge(check)
            print(f"  {name}: {outcomes[name].verdict}, {outcomes[name].seen}", flush=True)
    finally:
        await close_connections()
    return outcomes


async def _chat(check: Check, backend: Backend | None) -> str:
    if backend is None:
        raise NotTried(NO_CHAT)
    return await check(backend)


async def _wrong_key(server: Server) -> str:
    """A wrong key is an error that says so."""
    target = server.chat or server.embed
    if target is None or not target.key:
        raise NotTried("it asks for no key")
    catalog = _catalog(target, api_key="sk-another")
    try:
        if server.chat:
            _ = [event async for event in catalog.connect("server").stream(QUESTION)]
        else:
            await connect_embeddings(catalog, "server").embed(TEXTS)
    except Rejected as error:
        if error.status not in (401, 403):
            raise Shortcoming(f"it refuses with another error: {error.message}") from error
        return error.message
    raise Shortcoming("it answers all the same")


async def _embeddings(target: Target | None) -> str:
    """Each text has a vector, and the tokens are counted."""
    if target is None:
        raise NotTried(NO_MODEL)
    try:
        embeddings = await connect_embeddings(_catalog(target), "server").embed(TEXTS)
    except Rejected as error:
        raise Shortcoming(f"it refuses: {error.message}") from error
    return f"{len(embeddings.vectors)} vectors of {len(embeddings.vectors[0])}, {embeddings.input_tokens} tokens"


async def _rerank(target: Target | None) -> str:
    """Each text has a score."""
    if target is None:
        raise NotTried(NO_MODEL)
    try:
        scores = await connect_reranking(_catalog(target), "server").rerank("Where is the cat?", TEXTS)
    except Rejected as error:
        raise Shortcoming(f"it refuses: {error.message}") from error
    return f"scores {', '.join(f'{score:.2f}' for score in scores)}"


def _catalog(target: Target, **changes: str) -> Catalog:
    entry = {"kind": "openai", "url": target.url, "model": target.model, "api_key": target.key, "read_timeout": 300}
    return Catalog({"server": {**entry, **changes}}, source="conformance")
