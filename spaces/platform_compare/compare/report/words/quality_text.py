"""Words about the quality of answers: sentences of the verdicts, and rows of the tables."""

from __future__ import annotations

from collections.abc import Sequence

from compare.analyse.quality.differing_questions import (
    Answered,
    DifferingQuestion,
    differing_questions,
    judged_questions,
)
from compare.analyse.quality.paired import Share
from compare.analyse.quality.quality import Measure
from compare.analyse.quality.quality_verdict import QualityFinding, QualityVerdict
from compare.report import tables
from compare.report.report import Report
from compare.report.words.formats import MISSING, signed_points, usd
from compare.report.words.strings import EXPLAINED_LABELS
from compare.runs.records import Question

ANSWERS = "Answers"
DIFFERING = "Questions where targets differ"
NO_QUESTIONS = (
    "This run has no scored answers. To see whose answers are right, measure questions about your documents: "
    "python -m compare run --questions questions.jsonl --documents FOLDER"
)
SHARE_HEADERS = ("target", "questions", "right", "supported", "wrongly refused", "well formed",
                 "USD per 1,000 questions", "USD per 1,000 right answers")  # fmt: skip
QUESTION_HEADERS = ("question", "right answer")
NOTE = (
    "Shares are of all questions; a request that failed has no right answer. The range in brackets contains the true "
    "share with 95% certainty. Supported is the share of an answer's sentences that its passages support. Differences "
    "are counted question by question, and their ranges hold together with those of the times."
)
MAX_DIFFERING, MAX_CHARACTERS = 100, 600
A_REFUSAL = "a refusal"

PHRASES = {
    Measure.RIGHT: ("answers", "more questions right"),
    Measure.SUPPORTED: ("supports", "more of its sentences by the passages"),
    Measure.WRONGLY_REFUSED: ("wrongly refuses", "fewer questions"),
    Measure.WELL_FORMED: ("answers", "more questions in the asked format"),
}
NOUNS = {
    Measure.RIGHT: "right answers",
    Measure.SUPPORTED: "supported sentences",
    Measure.WRONGLY_REFUSED: "wrong refusals",
    Measure.WELL_FORMED: "well-formed answers",
}


def explained_labels(report: Report) -> tuple[str, ...]:
    """Return the labels of a report whose terms are explained at its end."""
    return (*EXPLAINED_LABELS, *(SHARE_HEADERS if report.quality else ()))


def points(value: float) -> str:
    """Return a difference of shares in points."""
    size = abs(value) * 100
    text = f"{size:.0f}" if size >= 10 else f"{size:.2g}"
    return f"{text} {'point' if text == '1' else 'points'}"


def quality_verdict_text(verdict: QualityVerdict, margin: float) -> str:
    """Return the sentence of a verdict on quality."""
    difference, noun = verdict.difference, NOUNS[verdict.measure]
    low, high = sorted((difference.low, difference.high), key=abs)
    match verdict.finding:
        case QualityFinding.BETTER:
            verb, what = PHRASES[verdict.measure]
            span = f"({abs(low) * 100:.0f} to {abs(high) * 100:.0f})"
            return f"{verdict.better} {verb} {what} than {verdict.worse}, by {points(difference.value)} {span}"
        case QualityFinding.AS_GOOD:
            within = f"they differ by less than {points(margin)}"
            return f"{verdict.better} and {verdict.worse} are as good in {noun}: {within}"
        case QualityFinding.NOT_DISTINGUISHABLE:
            span = f"({signed_points(difference.low)} to {signed_points(difference.high)} points)"
            return f"{verdict.better} and {verdict.worse} show no clear difference in {noun} {span}"


def verdict_lines(report: Report) -> list[str]:
    """Return the sentences of all verdicts on quality, and how many questions would decide."""
    verdicts = (*report.quality_verdicts, *report.quality_changes)
    lines = [quality_verdict_text(each, report.margin) for each in verdicts]
    return [*lines, *filter(None, [questions_advice(verdicts, report.margin)])]


def questions_advice(verdicts: Sequence[QualityVerdict], margin: float) -> str:
    """Return how many questions would decide about right answers; "" without verdicts on them."""
    right = [verdict for verdict in verdicts if verdict.measure is Measure.RIGHT]
    if not right:
        return ""
    questions, required = min(each.difference.questions for each in right), max(each.required for each in right)
    enough = "This run had enough." if required <= questions else f"This run had {questions:,}."
    return (
        f"To show a difference of {points(margin)}, or that there is none, ask about {required:,} questions. {enough}"
    )


def share_rows(report: Report) -> list[list[str]]:
    """Return the shares of each target as text, below `SHARE_HEADERS`."""
    rows = []
    for target, each in report.quality.items():
        right = each.get(Measure.RIGHT)
        key = target, report.main_load
        cost = report.costs.get(key)
        usd_questions = cost.per_1000_requests if cost else None
        usd_right = usd_questions / right.value if usd_questions is not None and right and right.value else None
        questions = str(max(share.questions for share in each.values()))
        rows.append(
            [
                target,
                questions,
                *(share_text(each.get(measure)) for measure in Measure),
                tables.cost_text(report, *key) if cost else MISSING,
                usd(usd_right),
            ]
        )
    return rows


def share_text(share: Share | None) -> str:
    """Return a share with its interval."""
    return f"{share.value:.0%} ({share.low * 100:.0f} to {share.high * 100:.0f})" if share else MISSING


def differing_headers(report: Report) -> tuple[str, ...]:
    """Return the headers of the questions where targets differ: a column for each target's answer."""
    return (*QUESTION_HEADERS, *report.run.targets)


def differing_rows(report: Report) -> list[list[str]]:
    """Return a row for each question where targets differ, below `differing_headers`."""
    return [
        [
            question_label(each),
            gold_text(each.question),
            *(answered_text(each.answers.get(target)) for target in report.run.targets),
        ]
        for each in differing_questions(report.run)[:MAX_DIFFERING]
    ]


def differing_note(report: Report) -> str:
    """Return that the table is cut, or why it's empty; "" if it's complete, or if nothing can be compared."""
    count = len(differing_questions(report.run))
    if count > MAX_DIFFERING:
        return f"These are the first {MAX_DIFFERING} of {count:,}; the JSON report has all of them."
    judged = judged_questions(report.run)
    return same_marks(judged) if judged and not count else ""


def same_marks(questions: int) -> str:
    """Return that no target answered one of these questions better than another."""
    what = "question that was" if questions == 1 else f"{questions:,} questions that were"
    return f"All targets got the same marks for the {what} judged."


def question_label(each: DifferingQuestion) -> str:
    """Return the text of a question, or its number if the run was shared without texts."""
    return shorten(each.question.text) or f"question {each.number + 1}"


def gold_text(question: Question) -> str:
    """Return what would be a right answer."""
    return A_REFUSAL if question.answerable is False else shorten(" or ".join(question.answers)) or MISSING


def answered_text(answered: Answered | None) -> str:
    """Return how good a target's answers to a question are, with a typical one and the reason of its mark."""
    if answered is None:
        return MISSING
    text = f": {shorten(answered.text)}" if answered.text else ""
    reason = answered.score.reason if answered.score else ""
    return f"{mark_text(answered)}{text}{f' ({shorten(reason)})' if reason else ''}"


def mark_text(answered: Answered) -> str:
    """Return how good the answers to a question are."""
    if answered.failed == answered.requests:
        return "failed"
    refused = bool(answered.score and answered.score.refused)
    if answered.requests > 1:
        return f"right {answered.right} of {answered.requests} times"
    return f"{'right' if answered.right else 'wrong'}{', refused' if refused else ''}"


def shorten(text: str) -> str:
    """Return text on one line, cut if it's long."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_CHARACTERS else f"{line[: MAX_CHARACTERS - 1]}…"
