"""How often the first quotes are the answer, and how often questions that the documents don't answer are refused.

    python benchmarks/answers/answers.py DIRECTORY [--vectors FILE] [--rows FILE]

DIRECTORY has `spans` (brandonstarxel/chunking_evaluation, MIT), `tables` (TAT-QA, CC BY 4.0) and `xquad` (CC BY-SA
4.0). Each corpus is measured with models that were trained on the other corpora only, as answers_train.py beside it
trains them; half of `tables`, by the hash of a context's id, is in no training and is measured with models of all the
rest.

The plain cosine of "heading. sentence", or of a row's label and column header, ranks all units for comparison; the
model ranks the twenty that the page embeds, and all of them in the table of what the features bring. The gold words are
the share of the words of the answer's sentence or cell that the first quote has.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from answers_train import read_arguments

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.answers.models import embedded_part, fit_units, train
from harness.answers.rows import Row
from harness.tables import table, write

from rag.answering.evidence.decision import is_refused, is_unsure, lacks_figure
from rag.answering.evidence.features.names import NAMES
from rag.answering.evidence.model import Model
from rag.answering.evidence.ranking import LEAST_SHARE, MAX_QUOTES

TABLES = "tables"
REFUSED, UNSURE, ANSWERED = OUTCOMES = ("refused", "unsure", "answered")
Scores = dict[int, Any]
KINDS: dict[str, Callable[[Row], bool]] = {
    "text": lambda row: not row.case.cells,
    "cell": lambda row: bool(row.case.cells) and not row.case.years_only,
    "column": lambda row: row.case.years_only,  # "In which year was it larger?"
}
# Features that measure one thing; the ablation leaves each group out.
GROUPS = {
    "cosines": (
        "cosine", "cosine around", "cosine mixed", "cosine behind", "mixed behind", "label cosine",
        "label cosine behind",
    ),
    "words": ("coverage", "coverage around", "precision", "pairs", "coverage behind", "coverage around behind"),
    "likeness of words": (
        "word likeness", "soft coverage", "soft coverage around",
        "likeness behind", "soft behind", "soft around behind",
    ),
    "words of the sentence before": ("borrowed words",),
    "rare words": ("rare coverage", "rare coverage around", "rare behind", "rare around behind", "passage coverage"),
    "names": ("names", "names around"),
    "kind of answer": ("has the kind", "lacks the kind", "lacks a figure", "counts", "cell for words"),
    "years and periods": ("text year", "cell year", "period"),
    "parts of the company": ("part",),
    "row labels": ("label coverage", "label precision", "label is asked", "label behind", "section coverage", "total"),
    "column headers": ("header coverage", "header precision", "column", "change column", "extreme", "rest coverage"),
    "passage rank": ("passage rank",),
    "form of the sentence": ("text length", "text is a sentence", "text is a question", "text is new"),
}  # fmt: skip


def folds(rows: Sequence[Row]) -> list[tuple[str, list[Row], list[Row]]]:
    """Return each corpus with the rows to train on and to test on."""
    parts = []
    for name in sorted({row.case.corpus for row in rows}):
        training = [row for row in rows if not row.case.held_out and (row.case.corpus != name or name == TABLES)]
        tested = [row for row in rows if row.case.corpus == name and (row.case.held_out or name != TABLES)]
        parts.append((name, training, tested))
    return parts


def answered(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if not row.near_miss]


def trainable(rows: Sequence[Row]) -> list[Row]:
    return [row for row in answered(rows) if row.answers.any()]


def ranks(rows: Sequence[Row], score: Callable[[Row], Any]) -> dict[str, float]:
    """Return how often the first quote, and one of three, answers, and the gold words that the first quote has."""
    orders = [(-score(row)).argsort(kind="stable")[:3] for row in rows]
    pairs = list(zip(rows, orders, strict=True))
    return {
        "questions": len(rows),
        "first": float(np.mean([row.answers[order[:1]].any() for row, order in pairs])),
        "three": float(np.mean([row.answers[order].any() for row, order in pairs])),
        "gold words": float(np.mean([row.held_words[order[:1]].sum() for row, order in pairs])),
    }


def cosine(row: Row) -> Any:
    return row.values[:, NAMES.index("cosine")]


def outcome_shares(rows: Sequence[Row], model: Model) -> dict[str, dict[str, float]]:
    """Return the share of the questions of each kind of near miss, and of the others, that has each outcome."""
    shares: dict[str, dict[str, float]] = {outcome: {} for outcome in OUTCOMES}
    for kind in sorted({row.near_miss for row in rows}):
        own = [outcome_of(row, model) for row in rows if row.near_miss == kind]
        for outcome in OUTCOMES:
            shares[outcome][kind or "answerable"] = own.count(outcome) / len(own)
    return shares


def outcome_of(row: Row, model: Model) -> str:
    """Return what the page does with a question, in a word."""
    if not len(row.values):
        return REFUSED
    scores = model.units.scores(row.values)
    shares = model.units.shares(scores)
    best = (-scores).argsort(kind="stable")[:MAX_QUOTES]
    best_enough = best[shares[best] >= LEAST_SHARE * shares.max()]
    answered = model.answered(row.situation, row.values, scores)
    without_figure = lacks_figure(row.situation.question, row.values[best_enough])
    if is_refused(answered, model.questions.threshold, without_figure=without_figure):
        return REFUSED
    unsure = is_unsure(answered, answered * shares[best_enough].sum(), without_figure=without_figure)
    return UNSURE if unsure else ANSWERED


def measure_folds(rows: Sequence[Row]) -> tuple[list[dict[str, Any]], dict[str, dict[str, dict[str, float]]]]:
    """Return the ranks of each corpus and kind of question, and the outcomes of each corpus."""
    results, outcomes = [], {}
    for name, training, tested in folds(rows):
        model = train(training)
        for kind, is_kind in KINDS.items():
            if own := [row for row in answered(tested) if is_kind(row)]:
                embedded = [embedded_part(row, model) for row in own]
                of_model = ranks(embedded, lambda row: model.units.scores(row.values))  # noqa: B023
                results.append({"corpus": name, "kind": kind, "cosine": ranks(own, cosine), "model": of_model})
        outcomes[name] = outcome_shares([embedded_part(row, model) for row in tested], model)
    return results, outcomes


def ablation(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Return how often the first quote answers text and table questions, without each group of features."""
    shares = {}
    for group, names in {"all features": (), **GROUPS}.items():
        right: dict[str, list[bool]] = {kind: [] for kind in KINDS}
        for _, training, tested in folds(rows):
            units = fit_units(trainable(training), without=names)
            for kind, is_kind in KINDS.items():
                own = [row for row in answered(tested) if is_kind(row)]
                right[kind] += [bool(row.answers[units.scores(row.values).argmax()]) for row in own]
        shares[group] = {kind: float(np.mean(values)) for kind, values in right.items()}
    return shares


def mean_of(results: Sequence[dict[str, Any]], kind: str, ranking: str, value: str) -> float:
    own = [(each[ranking]["questions"], each[ranking][value]) for each in results if each["kind"] == kind]
    return sum(count * share for count, share in own) / sum(count for count, _ in own)


def print_ranks(results: Sequence[dict[str, Any]]) -> None:
    values = ("first", "three", "gold words")
    rows = [
        [each["corpus"], each["kind"], str(each["model"]["questions"])]
        + [f"{each[ranking][value]:.2f}" for ranking in ("cosine", "model") for value in values]
        for each in results
    ]
    for kind in KINDS:
        count = sum(each["model"]["questions"] for each in results if each["kind"] == kind)
        rows.append(
            ["all", kind, str(count)]
            + [f"{mean_of(results, kind, ranking, value):.2f}" for ranking in ("cosine", "model") for value in values]
        )
    heads = [f"{ranking}: {value}" for ranking in ("cosine", "model") for value in values]
    print(table(["held out", "answer", "questions", *heads], rows), end="\n\n")


def print_shares(outcome: str, shares: dict[str, dict[str, float]]) -> None:
    """Print the shares of one outcome by corpus and kind of near miss."""
    kinds = sorted({kind for own in shares.values() for kind in own})
    cells = [[name, *(f"{own[kind]:.1%}" if kind in own else "" for kind in kinds)] for name, own in shares.items()]
    print(table([f"held out, {outcome}", *kinds], cells), end="\n\n")


def pooled(shares: dict[str, dict[str, float]], rows: Sequence[Row]) -> dict[str, float]:
    """Return the shares over all corpora together."""
    counts = {
        (name, row_kind or "answerable"): sum(row.near_miss == row_kind for row in tested)
        for name, _, tested in folds(rows)
        for row_kind in {row.near_miss for row in tested}
    }
    kinds = {kind for _, kind in counts}
    return {
        kind: sum(shares[name][kind] * count for (name, each), count in counts.items() if each == kind)
        / sum(count for (_, each), count in counts.items() if each == kind)
        for kind in kinds
    }


def main() -> None:
    _, rows = read_arguments(__doc__)
    results, outcomes = measure_folds(rows)
    print_ranks(results)
    shares = {outcome: {name: each[outcome] for name, each in outcomes.items()} for outcome in OUTCOMES}
    for outcome, own in shares.items():
        own["all"] = pooled(own, rows)
        print_shares(outcome, own)
    ablated = ablation(rows)
    cells = [[name, *(f"{share:.3f}" for share in each.values())] for name, each in ablated.items()]
    print(table(["first quote right, without", *KINDS], cells), end="\n\n")
    write("answers", {"ranks": results, "outcomes": shares, "ablation": ablated})


if __name__ == "__main__":
    main()
