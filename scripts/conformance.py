"""Tries real servers and real clients, and writes docs/compatibility.md.

    python scripts/conformance.py                        # all; installs LiteLLM, llm and anthropic once
    python scripts/conformance.py --only llama.cpp       # those whose name contains this; the others keep their results

Everything runs on loopback. Exit status: 0 if everything ran, else 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from backends.http.connections import close_connections
from compatibility import client_checks, programs
from compatibility.page import write_page
from compatibility.programs import Programs, Running, installed
from compatibility.server_checks import check_server

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "scripts" / "compatibility" / "results.json"
PAGE = ROOT / "docs" / "compatibility.md"
StartServer = Callable[[], AbstractContextManager[Running]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for, and write the results and the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", metavar="NAME", help="servers and clients whose name contains this")
    parser.add_argument("--programs", type=Path, default=ROOT / ".conformance", help="where programs are installed")
    options = parser.parse_args(arguments)
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with TemporaryDirectory(prefix="conformance-") as folder:
        place, tools = Path(folder), Programs(options.programs)
        servers = list(_servers(place, tools, options.only, stored.get("servers", [])))
        clients = list(_clients(place, tools, options.only, stored.get("clients", [])))
    results = {"date": datetime.now(UTC).date().isoformat(), "python": platform.python_version()}
    results |= {"servers": servers, "clients": clients}
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(write_page(results))
    return 1 if any(entry.get("problem") for entry in [*servers, *clients]) else 0


def _servers(folder: Path, tools: Programs, only: str, stored: list[Any]) -> Iterator[dict[str, Any]]:
    @contextmanager
    def litellm() -> Iterator[Running]:
        with programs.llama_cpp() as target, programs.litellm_proxy(folder, tools, target) as proxy:
            yield proxy

    table: list[tuple[str, Callable[[], str], StartServer]] = [
        ("llama.cpp (xllamacpp)", lambda: installed("xllamacpp"), programs.llama_cpp),
        ("transformers serve", lambda: installed("transformers"), lambda: programs.transformers_serve(folder)),
        ("LiteLLM's proxy", lambda: tools.version("litellm"), litellm),
        ("Spaceport's inference server", lambda: installed("spaceport"), lambda: programs.spaceport(folder)),
    ]
    for name, read_version, start in table:
        if only.lower() in name.lower():
            yield _try(name, read_version, lambda start=start: _check_server(start))  # type: ignore[misc]
        else:
            yield from (entry for entry in stored if entry["name"] == name)


def _check_server(start: StartServer) -> dict[str, str]:
    async def check() -> dict[str, str]:
        try:
            return await check_server(server)
        finally:
            await close_connections()

    with start() as server:
        return asyncio.run(check())


def _clients(folder: Path, tools: Programs, only: str, stored: list[Any]) -> Iterator[dict[str, Any]]:
    table: list[tuple[str, Callable[[], str], Callable[[Running], client_checks.Checks]]] = [
        ("openai (SDK)", lambda: installed("openai"), client_checks.openai_sdk),
        ("anthropic (SDK)", lambda: tools.version("anthropic"), lambda s: client_checks.anthropic_sdk(s, tools)),
        ("huggingface_hub (SDK)", lambda: installed("huggingface_hub"), client_checks.hugging_face),
        ("LiteLLM (SDK)", lambda: tools.version("litellm"), lambda s: client_checks.litellm_sdk(s, tools)),
        ("llm (command line)", lambda: tools.version("llm"), lambda s: client_checks.llm_command(s, tools, folder)),
    ]
    if not any(only.lower() in name.lower() for name, _, _ in table):
        yield from stored
        return
    with programs.spaceport(folder) as server:
        for name, read_version, checks in table:
            if only.lower() in name.lower():
                yield _try(name, read_version, lambda checks=checks: client_checks.run_checks(checks(server)))  # type: ignore[misc]
            else:
                yield from (entry for entry in stored if entry["name"] == name)


def _try(name: str, read_version: Callable[[], str], work: Callable[[], dict[str, str]]) -> dict[str, Any]:
    """Return an entry of the results; a program that can't be installed or started has its reason."""
    print(name, flush=True)
    entry: dict[str, Any] = {"name": name, "version": ""}
    try:
        entry["version"] = read_version()
        entry["results"] = work()
    except Exception as error:  # programs of others fail in any way; the rest still runs
        entry["problem"] = str(error).rstrip(".") or type(error).__name__
        print(f"  not run: {error}", flush=True)
    return entry


if __name__ == "__main__":
    sys.exit(main())
