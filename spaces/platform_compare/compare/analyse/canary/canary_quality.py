"""Whether a canary answers fewer questions right than the stable release, question by question.

A canary is worse once it's shown to lose more than half of what is tolerated, and good once it's shown to lose no more
than that: in between, more questions are asked. A false alarm costs a release, so it needs more evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

from compare.analyse.quality.paired import difference, required_questions
from compare.analyse.quality.quality import Measure, question_values
from compare.analyse.quality.quality_verdict import MIN_MARGIN, Side, shared_questions
from compare.errors import CompareError

MAX_LOSS = 0.05  # tolerated decrease of the share of right answers
WORSE_TAIL, GOOD_TAIL = 0.005, 0.05


@dataclass(frozen=True, slots=True)
class RightAnswers:
    """The shares of right answers of both, over the same `questions`.

    The canary's share minus the stable one's is plausibly between `low` (95 %) and `high` (99.5 %). `required` is the
    number of questions that would probably settle it.
    """

    stable: float
    canary: float
    low: float
    high: float
    questions: int
    required: int

    def is_worse(self, max_loss: float) -> bool:
        return self.high < -max_loss / 2

    def is_good(self, max_loss: float) -> bool:
        return self.low >= -max_loss


def compare_right_answers(stable: Side, canary: Side, max_loss: float = MAX_LOSS) -> RightAnswers | None:
    """Compare the right answers of two releases; None if neither was asked questions."""
    if not MIN_MARGIN <= max_loss < 1:
        remedy = f"Use at least {MIN_MARGIN * 100:g} points, and fewer than 100."
        raise CompareError(f"A loss of {max_loss * 100:g} points can't be tolerated.", remedy)
    _check_scores(stable, canary)
    shared = shared_questions(stable, canary, Measure.RIGHT)
    if not shared:
        if stable[0].questions:
            raise CompareError("No question has a right answer to compare with.", "Add answers to the questions.")
        return None
    stable_values, canary_values = (
        [question_values(*side)[Measure.RIGHT][at] for at in shared] for side in (stable, canary)
    )
    careful, usual = (difference(canary_values, stable_values, tail) for tail in (WORSE_TAIL, GOOD_TAIL))
    required = required_questions(usual, max_loss, GOOD_TAIL)
    return RightAnswers(
        stable=sum(stable_values) / len(shared),
        canary=sum(canary_values) / len(shared),
        low=usual.low,
        high=careful.high,
        questions=len(shared),
        required=required,
    )


def _check_scores(stable: Side, canary: Side) -> None:
    """Raise `CompareError` if questions were asked that can't be compared: nobody must take that for a good result."""
    has_questions = [bool(run.questions) for run, _ in (stable, canary)]
    if not any(has_questions):
        return
    hashes = [run.header["workload"]["hash"] for run, _ in (stable, canary)]
    if not all(has_questions) or hashes[0] != hashes[1]:
        raise CompareError("The two releases were asked different questions.", "Measure both with the same questions.")
    for run, target in (stable, canary):
        if not run.scores:
            raise CompareError(f"The answers of {target} have no scores.", "Measure again, in a checkout with `rag`.")
