"""The quality of answers as plain values, for the JSON of a report."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from compare.analyse.quality.differing_questions import Answered, DifferingQuestion, differing_questions
from compare.analyse.quality.quality import coverage
from compare.analyse.quality.quality_verdict import QualityVerdict
from compare.report.report import Report
from compare.report.words.quality_text import quality_verdict_text


def quality_json(report: Report) -> dict[str, Any] | None:
    """Return shares, verdicts and the questions where targets differ; None for a run without scores."""
    if not report.quality:
        return None
    return {
        "margin": report.margin,
        "coverage": asdict(coverage(report.run)),
        "targets": {
            target: {measure: asdict(share) for measure, share in shares.items()}
            for target, shares in report.quality.items()
        },
        "verdicts": [_verdict(each, report.margin) for each in report.quality_verdicts],
        "changes": [_verdict(each, report.margin) for each in report.quality_changes],
        "differing": [_question(each) for each in differing_questions(report.run)],
    }


def _verdict(verdict: QualityVerdict, margin: float) -> dict[str, Any]:
    return asdict(verdict) | {"text": quality_verdict_text(verdict, margin)}


def _question(each: DifferingQuestion) -> dict[str, Any]:
    answers = {target: _answer(answered) for target, answered in each.answers.items()}
    return {"number": each.number, **asdict(each.question), "targets": answers}


def _answer(answered: Answered) -> dict[str, Any]:
    score = asdict(answered.score) if answered.score else None
    counts = {"right": answered.right, "requests": answered.requests, "failed": answered.failed}
    return {"answer": answered.text, "score": score, **counts}
