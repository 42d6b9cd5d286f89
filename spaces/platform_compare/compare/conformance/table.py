"""The scores of a tool as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from compare.conformance.score import CaseResult, Score
from compare.report.tables import markdown_table

HEADERS = ("case", "TTFT ms", "ITL", "p99 ITL ms", "end to end ms", "tokens/s", "answers", "tokens", "passed")
COLUMNS = (("ttft_median", "ttft_mean"), ("itl_mean",), ("itl_p99",), ("e2e_median", "e2e_mean"), ("tokens_per_s",),
           ("completed",), ("output_tokens",))  # fmt: skip
ABSOLUTE, COUNTS = ("ttft_median", "ttft_mean", "itl_p99", "e2e_median", "e2e_mean"), ("completed", "output_tokens")
NONE = "–"


def scores_table(results: Sequence[CaseResult]) -> str:
    """Return a row per case: the errors of its times in ms or %, its counts where they are wrong, and its score."""
    return markdown_table(HEADERS, [_row(result) for result in results])


def total(results: Sequence[CaseResult]) -> tuple[int, int]:
    """Return how many scores passed, and how many there are; a case without any counts as a miss."""
    scores = [score for result in results for score in result.scores]
    return sum(score.passed for score in scores), len(scores) + sum(bool(result.problem) for result in results)


def scores_json(title: str, results: Sequence[CaseResult]) -> dict[str, Any]:
    """Return everything as JSON; times are seconds."""
    passed, of = total(results)
    return {
        "tool": title,
        "passed": passed,
        "of": of,
        "cases": [
            {
                **asdict(result.case),
                "problem": result.problem,
                "scores": [asdict(score) | {"error": score.error} for score in result.scores],
            }
            for result in results
        ],
    }


def _row(result: CaseResult) -> list[str]:
    if result.problem:
        return [result.case.name, *[NONE] * len(COLUMNS), result.problem]
    scores = {score.figure: score for score in result.scores}
    cells = [next((_cell(scores[name]) for name in names if name in scores), NONE) for names in COLUMNS]
    return [result.case.name, *cells, f"{sum(score.passed for score in result.scores)} of {len(result.scores)}"]


def _cell(score: Score) -> str:
    if score.reported is None:
        return "**missing**"
    if score.figure in COUNTS:
        text = f"{score.reported:.0f}" if score.passed else f"{score.reported:.0f} of {score.true:.0f}"
    elif score.figure in ABSOLUTE:
        text = f"{1000 * (score.reported - score.true):+.2f}"
    else:
        text = f"{100 * (score.reported / score.true - 1):+.2f}%"
    return text if score.passed else f"**{text}**"
