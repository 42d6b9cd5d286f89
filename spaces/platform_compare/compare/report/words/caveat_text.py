"""Sentences of the caveats and of the differences between two runs."""

from __future__ import annotations

from collections.abc import Sequence

from compare.analyse.caveats import Caveat, Difference
from compare.runs.records import GIVE_UP_AFTER, Failure

SETTING_NAMES = {
    "workload": "the workload",
    "max_tokens": "the maximum length",
    "temperature": "the temperature",
    "request_timeout": "the request timeout",
    "machine": "the measuring machine",
}
# What another tool's output doesn't record, and what follows.
MISSING = {
    "client load": "how late the client was, which looks like a slow server",
    "gaps": "the gaps between texts, so the time per output token is compared instead",
    "kinds": "which texts are thoughts",
    "events": "which events have text, so a role or an end counts as a text",
    "breaks": "why an answer ended, so one that broke off counts as complete",
    "token source": "whether the server or the tool counted the tokens",
    "schedule": "when requests were due, so the waits in the client are missing",
    "wall clock": "times of a steady clock, so a correction of the machine's clock is in them",
}


def caveat_text(caveat: Caveat) -> str:
    """Return a caveat's sentence."""
    values = caveat.values
    match caveat.kind:
        case "stopped":
            return "The run was stopped early; the metrics cover what was measured until then."
        case "out of time":
            return "The run reached its maximum duration; the metrics cover what was measured until then."
        case "no end":
            return "The run has no end record; the metrics cover what was stored."
        case "clients lost":
            names = ", ".join(map(str, values["lost"]))
            which = f"{len(values['lost'])} of {values['count']} clients ended early (number {names})"
            return f"{which}: the load was smaller from then on, and their requests are missing."
        case "other tool":
            missing = "; ".join(MISSING[code] for code in values["missing"] if code in MISSING)
            tool = f"{values['tool']} {values['version']}".strip()
            return f"Measured by {tool}, one target alone. Its output doesn't record {missing}."
        case "lengths differ":
            means = ", ".join(f"{name} {mean:.0f}" for name, mean in values["means"].items())
            return f"Answers differ in length (mean tokens: {means}), so end-to-end times don't cover equal work."
        case "not scored" | "no gold" | "not asked" | "answers vary":
            return _question_text(caveat)
        case "falling behind" | "coalesced" | "overloaded":
            return f"{caveat.target}, {caveat.load}: {_load_text(caveat)}"
        case "no token counts" | "cached" | "new connections":
            return f"{caveat.target}: {_traffic_text(caveat)}"
        case _:
            return f"{caveat.target}: {_failure_text(caveat)}"


def _question_text(caveat: Caveat) -> str:
    values = caveat.values
    match caveat.kind:
        case "not scored":
            return (
                "The answers have no scores, so nobody judged whether they are right. To score them: python -m compare "
                "score RUN --workload FILE"
            )
        case "no gold" if values["missing"] == values["answered"]:
            return "No question has a right answer to compare with, so nobody judged whether the answers are right."
        case "no gold":
            return (
                f"{values['missing']} of {values['answered']} questions have no right answer to compare with. Nobody "
                "judged whether their answers are right."
            )
        case "not asked":
            return f"Only {values['answered']:,} of {values['questions']:,} questions were asked and answered."
        case _:
            return (
                f"{caveat.target}: {values['differing']} of {values['repeated']} questions that were asked again got "
                "different answers at temperature 0, where only the nonce before the prompt had changed."
            )


def _failure_text(caveat: Caveat) -> str:
    values = caveat.values
    first = _first_error(values["first_error"])
    match caveat.kind:
        case "all empty":
            return f"all {values['requests']} answers were empty: they ended without text."
        case "all failed":
            return f"every request failed.{first}"
        case "some failed":
            kinds = ", ".join(f"{count} {kind}" for kind, count in values["errors"].items())
            return f"{values['failed']} of {values['requests']} requests failed ({kinds}).{first}"
        case "not measured":
            return f"nothing was measured.{first}"
        case "conversations ended":
            counts = f"{values['requests']} of {values['planned']} requests were sent"
            return f"{values['conversations']} conversations ended at a turn without an answer, so {counts}.{first}"
        case _:
            counts = f"{values['requests']} of {values['planned']} requests"
            return f"{GIVE_UP_AFTER} requests in a row failed, so the run stopped sending to it after {counts}."


def _load_text(caveat: Caveat) -> str:
    values = caveat.values
    match caveat.kind:
        case "falling behind":
            return (
                f"the target did not keep up: {values['due_rate']:.3g} requests/s were due and "
                f"{values['answer_rate']:.3g} were answered. Waits grow for as long as such a load lasts; these blocks "
                f"lasted {values['block_seconds']:.0f} s."
            )
        case "coalesced":
            return (
                f"{values['share']:.0%} of the texts arrived together with the previous one. These gaps describe the "
                "network, so the time per output token is compared instead."
            )
        case _:
            lag, gap = values["lag_ms"], values["gap_ms"]
            remedy = "The model runs in the client's process." if values["in_process"] else "Use a separate machine."
            return (
                f"timing may be off: this machine was overloaded. The client's event loop lag (p99 {lag:.1f} ms) is "
                f"{lag / gap:.0%} of the mean inter-token latency ({gap:.1f} ms). {remedy}"
            )


def _traffic_text(caveat: Caveat) -> str:
    values = caveat.values
    match caveat.kind:
        case "no token counts":
            return "the server doesn't report tokens: no time per output token, no tokens/s, no cost per token."
        case "cached":
            despite = ", despite the nonces" if values["has_nonces"] else ""
            return f"{values['share']:.0%} of the input tokens came from a cache{despite}."
        case _:
            return (
                f"{values['new']} of {values['known']} requests opened a new connection, {values['connect_ms']:.1f} ms "
                "before each was sent."
            )


def _first_error(error: Failure | None) -> str:
    """Return what the first error says; of a run that was shared without texts, its kind."""
    if error is None:
        return ""
    return f" First error: {error.message} {error.remedy}".rstrip() if error.message else f" First error: {error.kind}."


def differences_text(differences: Sequence[Difference]) -> str:
    """Return one sentence that lists what differs between two runs."""
    parts = []
    for difference in differences:
        if difference.what == "settings":
            parts.append(f"the settings of {difference.target}")
        elif difference.what == "machine":
            parts.append(SETTING_NAMES["machine"])
        else:
            parts.append(f"{SETTING_NAMES[difference.what]} ({difference.before} before, {difference.now} now)")
    return f"The two runs differ in more than time: {'; '.join(parts)}."
