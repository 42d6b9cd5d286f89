"""True and false sentences of several languages and kinds, and the passages that they are checked against.

    python -m tests.rag.answering.verification.fresh_cases

prints how many of each kind are marked as unsupported.
"""

from __future__ import annotations

import json
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rag.answering.verification.verifier import Verifier
from rag.documents import Document, Page, Passage
from tests.conftest import DATA

FOLDER = Path(__file__).with_name("cases")
TRUE = ("true", "true_says_nothing")
FALSE = ("negation", "antonyms", "swaps", "number_words", "made_up", "says_nothing")
LENGTH = 1_500


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence about a passage; half of each kind was set apart while the checks were tuned."""

    kind: str
    passage: str
    sentence: str
    set_apart: bool

    @property
    def true(self) -> bool:
        return self.kind in TRUE


def read_cases() -> Iterator[Case]:
    for kind in (*TRUE, *FALSE):
        lists = tomllib.loads((FOLDER / f"{kind}.toml").read_text(encoding="utf-8"))
        pairs = ((passage, sentence) for passage, sentences in lists.items() for sentence in sentences)
        for at, (passage, sentence) in enumerate(pairs):
            yield Case(kind, passage, sentence, at % 2 == 1)


def has_data(passage: str) -> bool:
    return passage.startswith("f") or (DATA / _sources()["files"][passage[0]]).is_file()


def is_stopped(case: Case) -> bool:
    """Return whether a sentence is marked as unsupported."""
    verdict = verifier(case.passage[0]).check(case.sentence)
    return verdict is not None and not verdict.supported


@cache
def verifier(letter: str) -> Verifier:
    """Return what checks sentences against all passages of one document."""
    text = _text(letter)
    document = Document(letter, f"{letter}.txt", text, (Page(1, 0, len(text)),), "text/plain")
    passages = list[Passage]()
    begins = _sources()["texts"] if letter == "f" else _sources()["begins"]
    for name in sorted(name for name in begins if name[0] == letter):
        start = text.index(begins[name])
        part = text[start : start + (len(begins[name]) if letter == "f" else LENGTH)]
        end = start + len(part.split("\n\n\n")[0])
        passages.append(
            Passage(len(passages) + 1, letter, document.name, 1, "", start, end, text[start:end], 1.0, None, None)
        )
    return Verifier(passages, {letter: document})


@cache
def _sources() -> dict[str, dict[str, str]]:
    return tomllib.loads((FOLDER / "passages.toml").read_text(encoding="utf-8"))


def _text(letter: str) -> str:
    if letter == "f":
        return "\n\n\n".join(_sources()["texts"].values())
    path = DATA / _sources()["files"][letter]
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        articles = json.loads(text)["data"]
        return "\n\n\n".join(each["context"] for article in articles for each in article["paragraphs"])
    return text


def main() -> None:
    """Print a line for each kind: the sentences that are stopped, of the half for tuning and of the other."""
    cases = [case for case in read_cases() if has_data(case.passage)]
    for letter in dict.fromkeys(case.passage[0] for case in cases):
        verifier(letter).prepare()
    start = time.perf_counter()
    counts = Counter((case.kind, case.set_apart, is_stopped(case)) for case in cases)
    seconds = time.perf_counter() - start
    for kind in (*TRUE, *FALSE):
        halves = (
            (counts[kind, half, True], counts[kind, half, True] + counts[kind, half, False]) for half in (False, True)
        )
        print(kind, *(f"{stopped} of {count}" for stopped, count in halves), sep=" | ")
    print(f"{1000 * seconds / len(cases):.1f} ms a sentence")


if __name__ == "__main__":
    main()
