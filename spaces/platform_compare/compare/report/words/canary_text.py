"""A canary decision as text for a terminal and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from compare.analyse.canary.canary import CanaryDecision, Check, CheckName, CheckState, Decision, Release
from compare.report.words.formats import signed_points
from compare.runs.records import GIVE_UP_AFTER

CHECK_NAMES = {
    CheckName.UNREACHABLE: "failures",
    CheckName.FAILURES: "failures",
    CheckName.TTFT: "first token",
    CheckName.TTFT_P95: "first token, p95",
    CheckName.PACE: "time between tokens",
    CheckName.COST: "cost",
    CheckName.RIGHT: "right answers",
}
STATE_LABELS = {CheckState.GOOD: "good ", CheckState.WORSE: "WORSE", CheckState.UNDECIDED: "open "}
DECISION_LABELS = {
    Decision.PROMOTE: "promote",
    Decision.ROLL_BACK: "roll back",
    Decision.KEEP_MEASURING: "keep measuring",
}


def decision_text(decision: CanaryDecision, stable: Release, canary: Release, objective: str | None) -> str:
    """Return each check on a line, then the decision; `objective` is the name of the objective, if one was given."""
    lines = [
        f"{STATE_LABELS[check.state]}  {check_name(check, objective)} at {check.load}: {check_text(check)}"
        + (" (not required)" if check.state is CheckState.UNDECIDED and not check.required else "")
        for check in decision.checks
    ]
    if stable.run is not canary.run:
        lines.append("note   the two were not interleaved, so the comparison includes everything else that changed")
    last = f"{canary.target}: {DECISION_LABELS[decision.decision]}"
    if decision.decision is Decision.KEEP_MEASURING:
        last += f"; {_more_text(decision)} would probably settle it"
    return "\n".join([*lines, last])


def _more_text(decision: CanaryDecision) -> str:
    """Return what would settle a decision: more requests, more questions, or both."""
    requests, questions = decision.recommended_requests, decision.recommended_questions
    count = f"about {requests} requests" if requests else "more requests, in at least six blocks,"
    parts = [f"{count} per target and load"] if questions is None or _is_slow_open(decision) else []
    return " and ".join([*parts, *([] if questions is None else [f"about {questions:,} questions"])])


def _is_slow_open(decision: CanaryDecision) -> bool:
    """Return whether a check of times or failures is undecided."""
    return any(
        check.state is CheckState.UNDECIDED and check.required and check.name is not CheckName.RIGHT
        for check in decision.checks
    )


def decision_json(decision: CanaryDecision, objective: str | None) -> dict[str, Any]:
    """Return the decision as plain values."""
    return {
        "decision": decision.decision,
        "checks": [
            {
                "load": check.load,
                "what": check_name(check, objective),
                "state": check.state,
                "text": check_text(check),
                "holds": check.required,
                "ratio": check.ratio,
                "low": check.low,
                "high": check.high,
                "rates": asdict(check.rates) if check.rates else None,
                "right": asdict(check.right) if check.right else None,
            }
            for check in decision.checks
        ],
        "wanted": decision.recommended_requests,
        "wanted_questions": decision.recommended_questions,
    }


def check_name(check: Check, objective: str | None) -> str:
    """Return the name of a check."""
    return f"outside {objective}" if check.name is CheckName.OBJECTIVE else CHECK_NAMES[check.name]


def check_text(check: Check) -> str:
    """Return the numbers of a check."""
    if check.name is CheckName.UNREACHABLE:
        return f"{GIVE_UP_AFTER} requests failed in a row, so the run stopped sending to it"
    if check.rates:
        increase = max(0.0, check.rates.upper_bound)
        return f"{check.rates.canary:.1%} vs {check.rates.stable:.1%}, at most {increase:.1%} more"
    if check.right:
        right = check.right
        return (
            f"{right.canary:.1%} vs {right.stable:.1%} of {right.questions:,} questions "
            f"({signed_points(right.low, 1)} to {signed_points(right.high, 1)} points)"
        )
    if check.ratio is None or check.low is None or check.high is None:
        return "not enough answers"
    return f"{check.ratio:.2f} times the stable target's ({check.low:.2f} to {check.high:.2f})"
