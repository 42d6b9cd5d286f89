"""Trains the models that choose quotes, and writes their weights into the package.

    python benchmarks/answers/answers_train.py DIRECTORY [--vectors FILE] [--rows FILE]

DIRECTORY has `spans` (brandonstarxel/chunking_evaluation, MIT), `tables` (TAT-QA, CC BY 4.0) and `xquad` (CC BY-SA
4.0). The weights are numbers that were fitted to their questions; no text of them is in the file. They are fitted to
all but the held-out half of `tables`, whose contexts have an odd first byte of the SHA-256 of their id. Nothing is
random: there is no seed. benchmarks/answers/answers.py measures the same training with whole corpora left out.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.answers.models import round_numbers, train
from harness.answers.rows import Row, collect
from harness.answers.sets import read_corpora
from harness.cached_embedder import CachedEmbedder

from rag.answering.evidence.model import WEIGHTS


def collect_all(directory: Path, vectors: Path | None, stored: Path | None) -> list[Row]:
    """Return the rows of all corpora, from the file `stored` if it is there."""
    if stored and stored.is_file():
        return list(pickle.loads(stored.read_bytes()))
    embedder, rows, corpora = CachedEmbedder(vectors), list[Row](), read_corpora(directory)
    for corpus in corpora:
        others = [case for other in corpora if other not in (corpus, corpora[-1]) for case in other.cases]
        with tempfile.TemporaryDirectory() as folder:
            rows += collect(corpus, embedder, Path(folder), others)
        embedder.save()
        print(f"{corpus.name}: {len(rows)} rows so far", flush=True)
    if stored:
        stored.write_bytes(pickle.dumps(rows))
    return rows


def read_arguments(description: str | None) -> tuple[Path, list[Row]]:
    """Return the directory that the command line names, and the rows of its corpora."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--vectors", type=Path, help="an .npz file that caches the vectors for the next run")
    parser.add_argument("--rows", type=Path, help="a file that keeps the features for the next run, also of the other")
    options = parser.parse_args()
    return options.directory, collect_all(options.directory, options.vectors, options.rows)


def main() -> None:
    _, rows = read_arguments(__doc__)
    model = train([row for row in rows if not row.case.held_out])
    WEIGHTS.write_text(json.dumps(round_numbers(asdict(model)), indent=1) + "\n", encoding="utf-8")
    print(f"saved to {WEIGHTS}")


if __name__ == "__main__":
    main()
