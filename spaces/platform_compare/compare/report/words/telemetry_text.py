"""Words and rows about GPUs and servers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from compare.report.report import Report
from compare.report.tables import markdown_table
from compare.report.views.html_table import table
from compare.report.views.render import note, subtitle
from compare.report.words.formats import MISSING, percent, rate, usd

GPU_TITLE, SERVER_TITLE = "GPUs", "Servers"
GPU_HEADERS = ("target", "load", "GPU", "utilization of the GPU", "memory", "power (W)", "Wh per 1,000 tokens",
               "Wh per 1,000 requests", "USD of energy per 1,000 tokens")  # fmt: skip
SERVER_HEADERS = ("target", "load", "prefix cache hit rate", "queue, mean", "queue, most", "KV cache, most")
GPU_NOTE = (
    "Recorded once a second while each target had its turn, with what a GPU draws when it waits. Utilization is the "
    "share of time in which it computed, however little."
)
SERVER_NOTE = "Recorded once a second from the server's own metrics, while its target had its turn."
GIGABYTE = 1e9
MIN_COVERED, MIN_TURN = 0.9, 3.0
SHORT_TURNS = (
    "Turns took {seconds:.1f} s, so a GPU that several targets share was looked at too rarely to tell them apart: "
    "measure them in runs of their own, or send more requests."
)


def gpu_rows(report: Report) -> list[list[str]]:
    """Return what the GPUs did as text, below `GPU_HEADERS`."""
    return [
        [
            target,
            load,
            f"{use.gpus} × {use.name}" if use.gpus > 1 else use.name or MISSING,
            percent(use.utilization),
            _memory(use.memory_bytes, use.memory_total),
            rate(use.watts),
            rate(use.wh_per_1000_tokens),
            rate(use.wh_per_1000_requests),
            MISSING if report.usd_kwh is None else usd(use.usd_per_1000_tokens(report.usd_kwh)),
        ]
        for (target, load), use in report.gpu_uses.items()
    ]


def server_rows(report: Report) -> list[list[str]]:
    """Return what the servers did as text, below `SERVER_HEADERS`."""
    return [
        [
            target,
            load,
            percent(use.hit_rate),
            *map(rate, (use.waiting_mean, use.waiting_max)),
            percent(use.kv_cache_max),
        ]
        for (target, load), use in report.server_uses.items()
    ]


def telemetry_notes(report: Report) -> list[str]:
    """Return what limits the figures of the GPUs."""
    missing = [
        f"{target}, {load}: the GPUs were recorded in {use.covered:.0%} of the time; their figures are of that time."
        for (target, load), use in report.gpu_uses.items()
        if use.covered < MIN_COVERED
    ]
    shortest = min((use.turn_seconds for use in report.gpu_uses.values()), default=MIN_TURN)
    has_turns = len({target for target, _ in report.gpu_uses}) > 1
    return [*missing, *([SHORT_TURNS.format(seconds=shortest)] if shortest < MIN_TURN and has_turns else [])]


def telemetry_html(report: Report) -> str:
    """Return the tables of GPUs and servers, "" if nothing was recorded."""
    parts = ""
    if rows := gpu_rows(report):
        notes = "".join(map(note, [GPU_NOTE, *telemetry_notes(report)]))
        parts += subtitle(GPU_TITLE) + table(GPU_HEADERS, rows, text_columns=3, key="gpus") + notes
    if rows := server_rows(report):
        parts += subtitle(SERVER_TITLE) + table(SERVER_HEADERS, rows, text_columns=2, key="servers") + note(SERVER_NOTE)
    return parts


def telemetry_markdown(report: Report) -> list[str]:
    """Return the tables of GPUs and servers as lines of Markdown."""
    lines: list[str] = []
    if rows := gpu_rows(report):
        lines += ["", markdown_table(GPU_HEADERS, rows), "", GPU_NOTE, *telemetry_notes(report)]
    if rows := server_rows(report):
        lines += ["", markdown_table(SERVER_HEADERS, rows), "", SERVER_NOTE]
    return lines


def telemetry_json(report: Report, target: str, load: str) -> dict[str, Any]:
    """Return what the GPUs and the server of a target did at a load, as plain values."""
    gpu, server = report.gpu_uses.get((target, load)), report.server_uses.get((target, load))
    return ({"gpu": asdict(gpu)} if gpu else {}) | ({"server": asdict(server)} if server else {})


def _memory(used: float | None, total: float | None) -> str:
    if used is None:
        return MISSING
    return f"{used / GIGABYTE:.1f} GB" + (f" of {total / GIGABYTE:.0f}" if total else "")
