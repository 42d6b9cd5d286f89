"""Tries real servers and real clients, and writes docs/compatibility.md.

    python scripts/conformance.py                   # all; the first run installs what isn't here, into a cache
    python scripts/conformance.py --only llama.cpp  # those whose name contains this; the others keep their results
    python scripts/conformance.py --only gateway    # the clients of the gateway, with a PostgreSQL and a Redis

Everything runs on loopback. Exit status: 0 if everything ran and no shortcoming is unexplained, else 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from compatibility import servers
from compatibility.checks import clients as client_checks
from compatibility.checks import gateway as gateway_checks
from compatibility.checks import gateway_faults
from compatibility.checks import programs as program_checks
from compatibility.checks.servers import check_server
from compatibility.environments import PACKAGES, Environments, default_folder
from compatibility.gateway_stack import GatewayStack, gateway
from compatibility.outcomes import GATEWAY_SECONDS, OURS, Outcome
from compatibility.page import LOAD, write_page
from compatibility.workplace import Server, Workplace

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "scripts" / "compatibility" / "results.json"
PAGE = ROOT / "docs" / "compatibility.md"
Outcomes = dict[str, Outcome]
# Each has its name on the page, and its package here or its environment.
SERVERS: Sequence[tuple[str, str, Callable[[Workplace], AbstractContextManager[Server]]]] = [
    ("llama.cpp (xllamacpp)", "xllamacpp", servers.llama_cpp),
    ("vLLM (CPU)", "vllm", servers.vllm),
    ("transformers serve", "transformers", servers.transformers_serve),
    ("Infinity", "infinity", servers.infinity),
    ("LiteLLM's proxy", "litellm", servers.litellm),
    ("Spaceport's inference server", "spaceport", servers.spaceport),
]
CLIENTS: Sequence[tuple[str, str, Callable[[Server, Workplace], client_checks.Checks]]] = [
    ("openai (SDK)", "openai", lambda server, _: client_checks.openai_sdk(server)),
    ("anthropic (SDK)", "anthropic", lambda server, _: client_checks.anthropic_sdk(server)),
    ("huggingface_hub (SDK)", "huggingface_hub", lambda server, _: client_checks.hugging_face(server)),
    ("LiteLLM (SDK)", "litellm", program_checks.litellm_sdk),
    ("LangChain", "langchain", program_checks.langchain),
    ("llm (command line)", "llm", program_checks.llm_command),
]
GATEWAY: Sequence[tuple[str, str, Callable[[GatewayStack], AbstractContextManager[client_checks.Checks]]]] = [
    ("open-webui", "open-webui", gateway_checks.web_ui),
    ("openai (SDK)", "openai", gateway_checks.openai_sdk),
    ("python -m backends ask", "spaceport", gateway_checks.ask_command),
    (LOAD, "openai", gateway_faults.load),
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for, and write the results and the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", metavar="NAME", help="servers and clients whose name contains this")
    parser.add_argument("--programs", type=Path, default=default_folder(), help="where programs are installed")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end too
    with TemporaryDirectory(prefix="conformance-") as folder:
        place = Workplace(Path(folder), Environments(options.programs))
        new = {"servers": list(_run_servers(place, options.only.lower()))}
        new["clients"] = list(_run_clients(place, options.only.lower()))
        new["gateway"] = list(_run_gateway(place, options.only.lower()))
    results = _merge(new)
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    page = write_page(results)
    PAGE.write_text(page)
    print(page)
    return 1 if any(_is_unexplained(entry) for entries in results.values() for entry in entries) else 0


def _merge(new: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Return the new results with the stored ones of programs that didn't run, in the page's order."""
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results = {}
    for key, programs in (("servers", SERVERS), ("clients", CLIENTS), ("gateway", GATEWAY)):
        entries = {entry["name"]: entry for entry in [*stored.get(key, []), *new[key]]}
        results[key] = [entries[name] for name, _, _ in programs if name in entries]
    return results


def _run_servers(place: Workplace, only: str) -> Iterator[dict[str, Any]]:
    for name, package, start in SERVERS:
        if only in name.lower():

            def work(start: Callable[[Workplace], AbstractContextManager[Server]] = start) -> Outcomes:
                with start(place) as server:
                    return asyncio.run(check_server(server))

            yield _try(name, package, place, work)


def _run_clients(place: Workplace, only: str) -> Iterator[dict[str, Any]]:
    clients = [client for client in CLIENTS if only in client[0].lower()]
    if not clients:
        return
    with servers.spaceport(place) as server:
        for name, package, make_checks in clients:

            def work(make_checks: Callable[[Server, Workplace], client_checks.Checks] = make_checks) -> Outcomes:
                return asyncio.run(client_checks.run_checks(make_checks(server, place)))

            yield _try(name, package, place, work)


def _run_gateway(place: Workplace, only: str) -> Iterator[dict[str, Any]]:
    chosen = [client for client in GATEWAY if only in f"gateway {client[0]}".lower()]
    with ExitStack() as exits:

        @cache
        def stack() -> GatewayStack:  # if it can't start, that is the problem of each client
            return exits.enter_context(gateway(place))

        for name, package, make_checks in chosen:

            def work(make_checks: Callable[..., Any] = make_checks) -> Outcomes:
                with make_checks(stack()) as checks:
                    return asyncio.run(client_checks.run_checks(checks, GATEWAY_SECONDS, OURS))

            yield _try(name, package, place, work)


def _try(name: str, package: str, place: Workplace, work: Callable[[], Outcomes]) -> dict[str, Any]:
    """Return an entry of the results; a program that can't be installed or started has its reason."""
    print(name, flush=True)
    entry: dict[str, Any] = {"name": name, "version": "", "date": datetime.now(UTC).date().isoformat()}
    try:
        entry["version"] = place.environments.version(package) if package in PACKAGES else version(package)
        outcomes = work().items()
        entry["results"] = {
            check: replace(outcome, seen=place.without_run(outcome.seen)).to_json() for check, outcome in outcomes
        }
    except Exception as error:  # programs of others fail in any way; the rest still runs
        entry["problem"] = place.without_run(str(error).rstrip(".")) or type(error).__name__
        print(f"  not run: {error}", flush=True)
    return entry


def _is_unexplained(entry: dict[str, Any]) -> bool:
    outcomes = entry.get("results", {}).values()
    return "problem" in entry or any(outcome["side"] == OURS for outcome in outcomes)


if __name__ == "__main__":
    sys.exit(main())
