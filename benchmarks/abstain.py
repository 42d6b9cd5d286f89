"""How often the app says that the documents do not answer, where they do and where they do not.

    python benchmarks/abstain.py DIRECTORY

DIRECTORY holds `questions_df.csv` and the corpora of brandonstarxel/chunking_evaluation (MIT). Each question is put to
its own corpus, which answers it; to the other four, which do not; and to its own without the passages that hold the
answer, which is the hard case. A held-out row takes the threshold from four corpora and tests it on the fifth.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.tables import table, write

from rag.answering import abstain
from rag.answering.abstain import Evidence, asks_for_the_whole, evidence
from rag.answering.retrieve import retrieve
from rag.documents import Passage
from rag.library.library import Library
from rag.search.embedders import Embedder

MOST_REFUSED = 0.03
FOUND = 40  # enough that five passages are left when those with the answer are taken out
Score = Callable[[Evidence], float]
SIGNALS: dict[str, Score] = {
    "cosine alone": lambda found: found.dense,
    "words alone": lambda found: found.cover,
    "both, as in the app": lambda found: found.score,
}


@dataclass(frozen=True, slots=True)
class Case:
    """One question: what its own corpus shows for it, the other four, and its own without the answer."""

    corpus: str
    own: Evidence
    others: Evidence
    without: Evidence


def cases(directory: Path) -> list[Case]:
    embedder = Embedder()
    libraries = {path.stem: Library(embedder) for path in sorted(directory.glob("*.md"))}
    for name, library in libraries.items():
        library.add(directory / f"{name}.md")
    with (directory / "questions_df.csv").open(newline="", encoding="utf-8") as file:
        questions = list(csv.DictReader(file))
    told = []
    for row in questions:
        question, corpus = row["question"], row["corpus_id"]
        if asks_for_the_whole(question):
            raise SystemExit(f"never judged: {question}")
        own = retrieve([libraries[corpus]], question, embedder, limit=FOUND)
        rest = [library for name, library in libraries.items() if name != corpus]
        others = retrieve(rest, question, embedder, limit=abstain.JUDGED)
        without = [passage for passage in own if not holds(passage, json.loads(row["references"]))]
        told.append(Case(corpus, *(evidence(question, found) for found in (own, others, without))))
    return told


def holds(passage: Passage, references: Sequence[dict]) -> bool:
    """Whether a passage has any of the answer's characters."""
    return any(passage.start < each["end_index"] and each["start_index"] < passage.end for each in references)


def refused(found: Sequence[Evidence], threshold: float, score: Score) -> float:
    return sum(score(each) < threshold for each in found) / len(found)


def chosen(told: Sequence[Case], score: Score) -> float:
    """The highest threshold, in steps of 0.005, at which no corpus refuses more than few of its own questions.

    Over all questions together it would fit most corpora and refuse a quarter of another's.
    """
    corpora = {case.corpus for case in told}
    own = [[case.own for case in told if case.corpus == corpus] for corpus in corpora]
    return max(
        step / 200 for step in range(201) if all(refused(each, step / 200, score) <= MOST_REFUSED for each in own)
    )


def rates(told: Sequence[Case], threshold: float, score: Score) -> dict[str, float]:
    return {
        "threshold": threshold,
        "answerable_refused": refused([case.own for case in told], threshold, score),
        "others_caught": refused([case.others for case in told], threshold, score),
        "answer_taken_out_caught": refused([case.without for case in told], threshold, score),
    }


def held_out(told: Sequence[Case], score: Score) -> dict[str, dict[str, float]]:
    corpora = sorted({case.corpus for case in told})
    rows = {}
    for corpus in corpora:
        threshold = chosen([case for case in told if case.corpus != corpus], score)
        rows[corpus] = rates([case for case in told if case.corpus == corpus], threshold, score)
    return rows


# A refused question that is answered is a mistake; one that is not answered and is refused is the aim.
HEADS = ["threshold", "answerable refused", "other corpora caught", "answer taken out, caught"]


def cells(row: dict[str, float]) -> list[str]:
    threshold, *shares = row.values()
    return [f"{threshold:.3f}", *(f"{share:.1%}" for share in shares)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    told = cases(parser.parse_args().directory)
    app = SIGNALS["both, as in the app"]
    steps = sorted({*(round(0.4 + step / 20, 3) for step in range(9)), abstain.THRESHOLD})
    swept = [rates(told, threshold, app) for threshold in steps]
    corpora = {
        corpus: rates([case for case in told if case.corpus == corpus], abstain.THRESHOLD, app)
        for corpus in sorted({case.corpus for case in told})
    }
    signals = {name: rates(told, chosen(told, score), score) for name, score in SIGNALS.items()}
    outside = {name: held_out(told, score) for name, score in SIGNALS.items()}
    print(table(HEADS, [cells(row) for row in swept]), end="\n\n")
    print(table(["in the app", *HEADS], [[name, *cells(row)] for name, row in corpora.items()]), end="\n\n")
    print(table(["signal", *HEADS], [[name, *cells(row)] for name, row in signals.items()]), end="\n\n")
    rows = [[name, corpus, *cells(row)] for name, part in outside.items() for corpus, row in part.items()]
    print(table(["signal", "held out", *HEADS], rows))
    write(
        "abstain",
        {
            "questions": len(told),
            "dense_weight": abstain.DENSE_WEIGHT,
            "app": rates(told, abstain.THRESHOLD, app),
            "corpora": corpora,
            "swept": swept,
            "signals": signals,
            "held_out": outside,
        },
    )


if __name__ == "__main__":
    main()
