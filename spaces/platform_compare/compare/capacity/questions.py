"""Which questions a search asks when a condition is about right answers."""

from __future__ import annotations

import math
from dataclasses import replace

from compare.errors import PlanError
from compare.measure.workloads.workload import Workload

# Of each question: twice is enough to see whether a target answers it differently each time.
BASELINE_ANSWERS, BASELINE_REQUESTS = 2, 40


def judged_sample(workload: Workload, max_requests: int) -> Workload:
    """Return as many of the questions as one load can be asked twice; `PlanError` if no right answer is known."""
    if not workload.questions:
        raise PlanError(
            "The quality of answers needs questions.",
            "Use --questions questions.jsonl --documents FOLDER, or a --workload that has questions.",
        )
    prompts = workload.prompts[: max(1, max_requests // BASELINE_ANSWERS)]
    questions = [prompt.question for prompt in prompts if prompt.question]
    if not any(each.answers or each.answerable is not None for each in questions):
        raise PlanError("No question has a right answer to compare with.", 'Add "answers" to the questions.')
    return replace(workload, prompts=prompts)


def baseline_requests(workload: Workload) -> int:
    """Return how many requests show how many answers are right at the first load: each question equally often."""
    questions = len(workload.prompts)
    return questions * max(BASELINE_ANSWERS, math.ceil(BASELINE_REQUESTS / questions))
