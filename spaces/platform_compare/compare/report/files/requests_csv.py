"""The requests of a run as CSV, for a spreadsheet."""

from __future__ import annotations

import csv
import io

from compare.records import Run

CSV_COLUMNS = ("run", "seed", "workload_hash", "target", "load", "block", "phase", "prompt", "intended_s", "sent_s",
               "ttft_ms", "e2e_ms", "deltas", "input_tokens", "output_tokens", "finish_reason", "error")  # fmt: skip


def requests_csv(run: Run) -> str:
    """Return one line per request, for a spreadsheet; the JSONL has the raw arrivals."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    # These identify the run; its JSONL has the settings and versions.
    origin = [_safe_cell(run.header["id"]), run.seed, _safe_cell(run.header["workload"]["hash"])]
    for record in run.records:
        usage = record.usage
        writer.writerow(
            [
                *origin,
                _safe_cell(record.target),
                _safe_cell(record.load),
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
                _safe_cell(record.finish_reason or ""),
                _safe_cell(f"{record.error.kind}: {record.error.message}" if record.error else ""),
            ]
        )
    return out.getvalue()


def _safe_cell(text: str) -> str:
    """Return text that a spreadsheet doesn't take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
