"""Writes docs/compatibility.md from the stored results of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compatibility.outcomes import OURS

NOTE = "<!-- `make conformance` writes this page from scripts/compatibility/results.json. -->"
LEAD = """\
What our client gets from servers that others wrote, and what clients that others wrote get from our server and through
our gateway. Everything ran on one machine without a GPU, with packaged models of 135 and 22 million parameters: this
tries the protocol, not the answers. `make conformance` runs it again; `ARGS="--only vllm"` runs a part.

A dash means that it wasn't tried: the program has no such interface, or the machine has no model for it."""
LOAD = "openai (SDK) without end"  # the program whose words are on the page
TITLES = {"servers": "Our client against real servers", "clients": "Real clients against our inference server"}
GATEWAY = """\
## Real clients through our gateway

[The gateway](gateway.md) has a PostgreSQL, a Redis and three targets: a model in its own process, llama.cpp's server,
and a scripted server that cuts its events in two. Each client has a key for two of them. The report of the ledger has
to have the requests, tokens and dollars that the client counted itself. The last column asks without end while the two
databases are killed and started again. `ARGS="--only gateway"` runs this part."""
WHOSE = {"servers": "the server", "clients": "the client"}
CELLS = {"yes": "yes", "not tried": "–"}
Entry = Mapping[str, Any]


def write_page(results: Mapping[str, Sequence[Entry]]) -> str:
    """Return the page: a table of servers, a table of clients, and the reason of each no."""
    parts = [f"# Compatibility\n\n{NOTE}\n\n{LEAD}"]
    for key, title in TITLES.items():
        parts += [f"## {title}", *write_table(results[key], WHOSE[key])]
    parts += [GATEWAY, *write_table(results["gateway"], "the client")]
    parts += [_write_seen(entry) for entry in results["gateway"] if entry["name"] == LOAD]
    return "\n\n".join(parts) + "\n"


def write_table(entries: Sequence[Entry], other: str) -> list[str]:
    """Return the table, with a column for each program, and the reasons below it; `other` names the other side."""
    notes: list[str] = []
    columns = [_column(entry, other, notes) for entry in entries]
    names = dict.fromkeys(name for column in columns for name in column)
    rows = [["", *(entry["name"] for entry in entries)], ["---"] * (len(entries) + 1)]
    rows += [[name, *(column.get(name, "–") for column in columns)] for name in names]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return [table, "\n".join(notes)] if notes else [table]


def _write_seen(entry: Entry) -> str:
    """Return what each check of a program saw."""
    lines = [
        f"- {name[:1].upper()}{name[1:]}: {outcome['seen']}." for name, outcome in entry.get("results", {}).items()
    ]
    return "\n".join([f"What {entry['name']} saw:", "", *lines])


def _column(entry: Entry, other: str, notes: list[str]) -> dict[str, str]:
    """Return the cells of a program by their row, and add the reason of each no to `notes`."""
    program = entry["name"]
    column = {"version": entry["version"] or "?", "run on": entry["date"]}
    if problem := entry.get("problem"):
        return column | {"run on": f"not run ({_add(notes, program, problem)})"}
    for name, outcome in entry["results"].items():
        cell = CELLS.get(outcome["verdict"])
        if cell is None:
            side = "ours, not explained yet" if outcome["side"] == OURS else other
            number = _add(notes, f"{program}, {name}", f"{side}: {outcome['seen']}")
            cell = f"no ({number})"
        column[name] = cell
    return column


def _add(notes: list[str], subject: str, reason: str) -> int:
    reason = " ".join(reason.split())
    sentence = f"{reason[:1].upper()}{reason[1:].removesuffix('.')}.".replace("<", "&lt;")
    notes.append(f"{len(notes) + 1}. {subject}. {sentence}")
    return len(notes)
