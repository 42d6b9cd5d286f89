"""Writes docs/compatibility.md from the stored results of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NOTE = "<!-- `make conformance` writes this page from scripts/compatibility/results.json. -->"
LEAD = """\
What our client sees of servers that others wrote, and what clients that others wrote see of our server. Everything
ran on loopback, with the packaged model of 135 million parameters: this tries the protocol, not the answers."""
SERVERS = "## Our client against real servers"
CLIENTS = "## Real clients against our server"


def write_page(results: Mapping[str, Any]) -> str:
    """Return the page: a table for each server and each client."""
    parts = [f"# Compatibility\n\n{NOTE}\n\n{LEAD}\n\nRun on {results['date']} with Python {results['python']}."]
    parts.append("A cell begins with “yes”, or has the server's or the client's own words.")
    for title, key in ((SERVERS, "servers"), (CLIENTS, "clients")):
        parts.append(title)
        parts += [_table(entry) for entry in results[key]]
    return "\n\n".join(parts) + "\n"


def _table(entry: Mapping[str, Any]) -> str:
    lines = [f"### {entry['name']} {entry['version']}", ""]
    if entry.get("problem"):
        return "\n".join([*lines, f"Not run: {entry['problem']}."])
    lines += ["| tried | result |", "|---|---|"]
    lines += [f"| {name} | {_cell(result)} |" for name, result in entry["results"].items()]
    return "\n".join(lines)


def _cell(text: str) -> str:
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", " ".join(text.split()))  # each run has other ports
    return text.replace("|", "\\|").replace("<", "&lt;")
