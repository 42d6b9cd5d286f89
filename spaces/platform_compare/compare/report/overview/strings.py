"""Words of the headline and of the cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """How a sentence about several targets says who leads in a metric, or that nobody does."""

    leads: str
    ahead: str
    undecided: str
    equal: str


UNDECIDED_END, EQUAL_END = "no difference to the end shown", "they are equally fast to the end"
UNDECIDED_START, EQUAL_START = "no difference to the first token shown", "they start equally fast"
END = Metric("is the fastest to the end", "are the fastest to the end", UNDECIDED_END, EQUAL_END)
START = Metric("starts first", "start first", UNDECIDED_START, EQUAL_START)
NOTHING_MEASURED = "No request succeeded, so there is nothing to compare."

RIGHT, FIRST_TOKEN, SPEED, COST, FAILED = "Right answers", "First token", "Speed", "Cost", "Failed"
FASTEST, BEST = "fastest", "most"
NO_TOKENS, NO_PRICE = "the server reports no tokens", "no price entered"
PER_1000_REQUESTS = "per 1,000 requests"

# Of a badge.
MOST_RIGHT_SHORT, FASTEST_SHORT, STARTS_FIRST_SHORT = "most right", "fastest", "starts first"
NO_DIFFERENCE_SHORT, FAILED_SHORT, TOO_FEW_SHORT = "no difference shown", "no request succeeded", "too few requests"
RIGHT_SHORT = "right"


def holds_short(count: float, unit: str) -> str:
    return f"holds {count:,.4g} {unit}"


def start_text(times: str, *, sooner: bool) -> str:
    return f"starts {times}× {'sooner' if sooner else 'later'}"


def end_text(times: str) -> str:
    return f"is {times}× faster to the end"


def neither_text(names: Sequence[str], *, starts_equal: bool, ends_equal: bool) -> str:
    """Return that neither of two targets is faster in anything."""
    if starts_equal and ends_equal:
        return f"{join(names)} are equally fast"
    rest = UNDECIDED_END if starts_equal else UNDECIDED_START
    return f"{join(names)} {'start equally fast' if starts_equal else 'are equally fast to the end'}; {rest}"


def leader_text(leader: str, words: Metric, low: str, high: str) -> str:
    """Return who leads; `low` to `high` are its ratios to the others."""
    return (
        f"{leader} {words.leads}, {low}× ahead" if low == high else f"{leader} {words.leads}, {low}× to {high}× ahead"
    )


def ahead_text(names: Sequence[str], words: Metric) -> str:
    if len(names) == 1:
        return f"{names[0]} is ahead of some targets, but not clearly of all: {words.undecided}"
    return f"{join(names)} {words.ahead}, without a clear difference between them"


def request_counts(counts: Sequence[int]) -> str:
    """Return how many requests the targets got: "60 requests each", or "14 to 16 requests each"."""
    low, high = min(counts), max(counts)
    return f"{low:,} requests each" if low == high else f"{low:,} to {high:,} requests each"


def headline_text(text: str, requests: str, load: str, questions: int | None = None) -> str:
    """Return a comparison with what it is based on; `load` is "" if the run has a single one."""
    at = f" at {load}" if load else ""
    question_count = "" if questions is None else f"{questions:,} {'question' if questions == 1 else 'questions'}, "
    return f"{text}; {question_count}{requests}{at}, 95% sure."


MOST_RIGHT = "answers the most questions right"
NOT_JUDGED = "no question has a right answer to compare with, so right answers were not judged"


def span(low: float, high: float) -> str:
    return f"({low * 100:.0f} to {high * 100:.0f})"


def more_right(points: str, other: str, span: str) -> str:
    return f"answers more questions right than {other}, by {points} {span}"


def as_good(other: str, margin: str) -> str:
    return f"answers as many questions right as {other} (within {margin})"


def all_as_good(margin: str) -> str:
    return f"all answer as many questions right (within {margin})"


def fewer_right(names: Sequence[str]) -> str:
    return f"{join(names)} {'answers' if len(names) == 1 else 'answer'} fewer questions right than others"


def right_undecided(shares: Sequence[tuple[str, str]], margin: str, required: int | None) -> str:
    """Return that nobody is shown to answer more right; `required` questions would, None if there were enough."""
    share_texts = ", ".join(f"{name} {share}" for name, share in shares)
    more = "" if required is None else f"; for {margin}, ask about {required:,} questions"
    return f"no difference in right answers shown ({share_texts}{more})"


def share_text(target: str, questions: int, value: float, low: float, high: float) -> str:
    """Return how many questions a target answers right, with the range of the true share."""
    return f"{target} answers {value:.0%} of {questions:,} questions right ({low:.0%} to {high:.0%}, 95% sure)."


def costs_text(costs: Sequence[tuple[str, str]]) -> str:
    """Return what 1,000 questions cost on each target."""
    return f"1,000 questions cost {join([f'{usd} USD on {target}' for target, usd in costs])}."


TIMES, START_AND_END = "in times", "to the first token or to the end"


def no_difference_text(where: str, counts: Sequence[int], recommended: int | None) -> str:
    """Return that nothing was decided `where`, and how many requests would show a difference of 5 %."""
    what, requests = f"difference {where}".strip(), request_counts(counts)
    if recommended and recommended <= min(counts):
        return f"No {what} shown; {requests} would have shown one of 5%."
    more = f": a difference of 5% takes about {recommended:,}" if recommended else ""
    return f"No {what} shown; {requests} are too few{more}."


def no_answer_text(names: Sequence[str]) -> str:
    return f"{join(names)} answered no request, so there is nothing to compare."


def other_leader_text(loads: Sequence[str]) -> str:
    return f"At {join(loads)} another target finishes first."


def failures_text(failed: Sequence[tuple[str, int, int]]) -> str:
    """Return how many requests each target failed, of how many."""
    return " ".join(f"{name} failed {count:,} of {total:,} requests." for name, count, total in failed)


def of_requests(count: int) -> str:
    return f"of {count:,} requests"


def of_questions(count: int, low: float, high: float) -> str:
    return f"of {count:,} questions, {low:.0%} to {high:.0%}"


def slow_requests(milliseconds: str) -> str:
    return f"95% within {milliseconds} ms"


def whole_answer(milliseconds: str) -> str:
    return f"whole answer {milliseconds} ms"


def notes(count: int) -> str:
    return "1 note before you trust it" if count == 1 else f"{count} notes before you trust it"


def shown_load(load: str, others: Sequence[str]) -> str:
    also = others[0] if len(others) == 1 else f"{len(others)} other loads"
    return f"These figures are at {load}. This run also has {also}."


def join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def capitalize(text: str, names: Sequence[str]) -> str:
    """Return the text of a sentence with a large first letter, unless a name is first."""
    return text if text.split(" ")[0] in names else text[:1].upper() + text[1:]
