"""Measures how often the app says that the documents don't answer, for questions that they do and don't answer.

    python benchmarks/answers/abstain.py DIRECTORY

DIRECTORY contains `questions_df.csv` and the corpora of brandonstarxel/chunking_evaluation (MIT). Each question is
asked of its own corpus, which answers it; of the other four, which don't; and of its own without the passages that
contain the answer, which is the hard case. A held-out row takes the threshold from four corpora and
tests it on the fifth.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.tables import table, write

from rag.answering.abstention import abstain
from rag.answering.abstention.abstain import Evidence, is_about_whole_documents, measure_evidence
from rag.answering.retrieve import retrieve_passages
from rag.documents import Passage
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder

MAX_REFUSED = 0.03
PASSAGES = 40  # enough to keep five passages after those with the answer are taken out
IN_APP = "both, as in the app"
Score = Callable[[Evidence], float]
SIGNALS: dict[str, Score] = {
    "cosine alone": lambda evidence: evidence.similarity,
    "words alone": lambda evidence: evidence.coverage,
    IN_APP: lambda evidence: evidence.score,
}


@dataclass(frozen=True, slots=True)
class Case:
    """The evidence for one question in its own corpus, in the other four, and in its own without the answer."""

    corpus: str
    own: Evidence
    others: Evidence
    own_without_answer: Evidence


def measure_cases(directory: Path) -> list[Case]:
    """Return the evidence for all questions."""
    embedder = Embedder()
    libraries = {path.stem: Library(embedder) for path in sorted(directory.glob("*.md"))}
    for name, library in libraries.items():
        library.add(directory / f"{name}.md")
    with (directory / "questions_df.csv").open(newline="", encoding="utf-8") as file:
        questions = list(csv.DictReader(file))
    cases = []
    for row in questions:
        question, corpus = row["question"], row["corpus_id"]
        if is_about_whole_documents(question):
            raise SystemExit(f"The app never refuses this question: {question}")
        own = retrieve_passages([libraries[corpus]], question, embedder, limit=PASSAGES)
        other_libraries = [library for name, library in libraries.items() if name != corpus]
        others = retrieve_passages(other_libraries, question, embedder, limit=abstain.CHECKED_PASSAGES)
        references = json.loads(row["references"])
        without_answer = [passage for passage in own if not has_answer(passage, references)]
        cases.append(
            Case(corpus, *(measure_evidence(question, passages) for passages in (own, others, without_answer)))
        )
    return cases


def has_answer(passage: Passage, references: Sequence[dict]) -> bool:
    """Return whether a passage has any of the answer's characters."""
    return any(passage.start < each["end_index"] and each["start_index"] < passage.end for each in references)


def refusal_rate(evidence: Sequence[Evidence], threshold: float, score: Score) -> float:
    return sum(score(each) < threshold for each in evidence) / len(evidence)


def choose_threshold(cases: Sequence[Case], score: Score) -> float:
    """Return the highest threshold, in steps of 0.005, at which no corpus has too many of its own questions refused.

    A threshold from all questions together would fit most corpora and refuse a quarter of another's.
    """
    corpora = {case.corpus for case in cases}
    own = [[case.own for case in cases if case.corpus == corpus] for corpus in corpora]
    thresholds = [step / 200 for step in range(201)]
    return max(
        threshold
        for threshold in thresholds
        if all(refusal_rate(evidence, threshold, score) <= MAX_REFUSED for evidence in own)
    )


def rates(cases: Sequence[Case], threshold: float, score: Score) -> dict[str, float]:
    return {
        "threshold": threshold,
        "answerable_refused": refusal_rate([case.own for case in cases], threshold, score),
        "others_caught": refusal_rate([case.others for case in cases], threshold, score),
        "answer_taken_out_caught": refusal_rate([case.own_without_answer for case in cases], threshold, score),
    }


def held_out_rates(cases: Sequence[Case], score: Score) -> dict[str, dict[str, float]]:
    """Return the rates of each corpus with the threshold of the other four."""
    rows = {}
    for corpus in sorted({case.corpus for case in cases}):
        threshold = choose_threshold([case for case in cases if case.corpus != corpus], score)
        rows[corpus] = rates([case for case in cases if case.corpus == corpus], threshold, score)
    return rows


# A refusal is a mistake for an answerable question and the goal for the other two.
HEADS = ["threshold", "answerable refused", "other corpora caught", "answer taken out, caught"]


def cells(row: dict[str, float]) -> list[str]:
    threshold, *shares = row.values()
    return [f"{threshold:.3f}", *(f"{share:.1%}" for share in shares)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    cases = measure_cases(parser.parse_args().directory)
    app = SIGNALS[IN_APP]
    thresholds = sorted({*(round(0.4 + step / 20, 3) for step in range(9)), abstain.THRESHOLD})
    sweep = [rates(cases, threshold, app) for threshold in thresholds]
    corpora = {
        corpus: rates([case for case in cases if case.corpus == corpus], abstain.THRESHOLD, app)
        for corpus in sorted({case.corpus for case in cases})
    }
    signals = {name: rates(cases, choose_threshold(cases, score), score) for name, score in SIGNALS.items()}
    held_out = {name: held_out_rates(cases, score) for name, score in SIGNALS.items()}
    print(table(HEADS, [cells(row) for row in sweep]), end="\n\n")
    print(table(["in the app", *HEADS], [[name, *cells(row)] for name, row in corpora.items()]), end="\n\n")
    print(table(["signal", *HEADS], [[name, *cells(row)] for name, row in signals.items()]), end="\n\n")
    rows = [[name, corpus, *cells(row)] for name, part in held_out.items() for corpus, row in part.items()]
    print(table(["signal", "held out", *HEADS], rows))
    write(
        "abstain",
        {
            "questions": len(cases),
            "dense_weight": abstain.SIMILARITY_WEIGHT,
            "app": rates(cases, abstain.THRESHOLD, app),
            "corpora": corpora,
            "swept": sweep,
            "signals": signals,
            "held_out": held_out,
        },
    )


if __name__ == "__main__":
    main()
