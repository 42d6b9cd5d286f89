"""The requests of a run as CSV, for a spreadsheet."""

from __future__ import annotations

import csv
import io

from compare.runs.records import Run, Score

CSV_COLUMNS = ("run", "seed", "workload_hash", "target", "load", "block", "phase", "prompt",
               "conversation", "turn", "prefix", "intended_s", "sent_s", "ttft_ms", "e2e_ms", "deltas",
               "input_tokens", "output_tokens", "finish_reason", "error",
               "correct", "supported", "refused", "well_formed", "words")  # fmt: skip


def requests_csv(run: Run) -> str:
    """Return one line per request, for a spreadsheet; the JSONL has the raw arrivals."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    # These identify the run; its JSONL has the settings and versions.
    origin = [_safe_cell(run.header["id"]), run.seed, _safe_cell(run.header["workload"]["hash"])]
    for number, record in enumerate(run.records):
        usage, score = record.usage, run.scores.get(number)
        writer.writerow(
            [
                *origin,
                _safe_cell(record.target),
                _safe_cell(record.load),
                record.block,
                record.phase,
                record.prompt,
                *("" if each is None else each for each in (record.conversation, record.turn, record.prefix)),
                record.intended,
                record.sent,
                record.arrivals[0].seconds * 1000 if record.arrivals else "",
                record.ended * 1000,
                len(record.arrivals),
                usage.input_tokens if usage else "",
                usage.output_tokens if usage else "",
                _safe_cell(record.finish_reason or ""),
                _safe_cell(f"{record.error.kind}: {record.error.message}".removesuffix(": ") if record.error else ""),
                *(["" if mark is None else mark for mark in _marks(score)]),
            ]
        )
    return out.getvalue()


def _marks(score: Score | None) -> list[object]:
    """Return the marks of an answer, None for what wasn't judged."""
    if score is None:
        return [None] * 5
    return [score.correct, score.supported, score.refused, score.well_formed, score.words]


def _safe_cell(text: str) -> str:
    """Return text that a spreadsheet doesn't take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
