"""A run as text: what a person reads in a terminal, in Markdown and in CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from compare.analyse.metrics import Distribution, Metrics
from compare.records import Run

HEADS = ("target", "load", "requests", "failed", "TTFT p50", "TTFT p95", "ITL p50", "TPOT p50", "E2E p50", "E2E p95",
         "tokens/s", "requests/s", "goodput")  # fmt: skip
COST_HEADS = ("target", "load", "price", "USD per 1,000 requests", "USD per million tokens out")
CSV_HEADS = ("run", "seed", "workload_hash", "target", "load", "block", "phase", "prompt", "intended_s", "sent_s",
             "ttft_ms", "e2e_ms", "deltas", "input_tokens", "output_tokens", "finish_reason", "error")  # fmt: skip


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its columns lined up; a pipe inside a cell is kept from ending it."""
    lines = [list(heads), ["---"] * len(heads), *([_escaped(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("<", "&lt;")


def row(target: str, load: str, found: Metrics) -> list[str]:
    """One line of the table of figures, times in milliseconds."""
    times = (
        found.ttft_ms.p50,
        found.ttft_ms.p95,
        found.itl_ms.p50,
        found.tpot_ms.p50,
        found.e2e_ms.p50,
        found.e2e_ms.p95,
    )
    share = "–" if found.goodput_share is None else f"{found.goodput_share:.0%}"
    return [
        target,
        load,
        f"{found.requests:,}",
        f"{found.requests - found.succeeded:,}",
        *map(milliseconds, times),
        rate(found.output_tokens_per_s),
        rate(found.requests_per_s),
        share,
    ]


def percentiles(found: Metrics) -> list[list[str]]:
    """Every figure of one target at one load with all its percentiles."""
    named: dict[str, Distribution] = {
        "First token": found.ttft_ms,
        "First token of the answer": found.ttft_answer_ms,
        "First token of the thoughts": found.ttft_thought_ms,
        "First token, from the intended start": found.ttft_from_intended_ms,
        "Inter-token latency": found.itl_ms,
        "Time per output token": found.tpot_ms,
        "End to end": found.e2e_ms,
        "End to end, from the intended start": found.e2e_from_intended_ms,
    }
    return [
        [name, f"{each.n:,}", *map(milliseconds, (each.mean, each.p50, each.p90, each.p95, each.p99))]
        for name, each in named.items()
        if each.n
    ]


def milliseconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def rate(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.3f}"


def usd(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.2f}" if value >= 1 or value == 0 else f"{value:.2g}"


def requests_csv(run: Run) -> str:
    """One line a request, for a spreadsheet; the raw arrivals are in the JSONL."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(CSV_HEADS)
    # With these the run can be found and repeated; its JSONL holds the settings and versions.
    origin = [_cell(run.header["id"]), run.seed, _cell(run.header["workload"]["hash"])]
    for record in run.records:
        usage = record.usage
        writer.writerow(
            [
                *origin,
                _cell(record.target),
                _cell(record.load),
                record.block,
                record.phase,
                record.prompt,
                record.intended,
                record.sent,
                record.arrivals[0].seconds * 1000 if record.arrivals else "",
                record.ended * 1000,
                len(record.arrivals),
                usage.input_tokens if usage else "",
                usage.output_tokens if usage else "",
                _cell(record.finish_reason or ""),
                _cell(f"{record.error.kind}: {record.error.message}" if record.error else ""),
            ]
        )
    return out.getvalue()


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
