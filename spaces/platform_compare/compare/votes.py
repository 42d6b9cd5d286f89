"""Blind votes of one visitor: which answer was better, cast before the names were shown."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

LETTERS = "ABCD"
TIE = "tie"


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote; `winner` is a target or "tie"."""

    prompt: str
    targets: tuple[str, ...]
    winner: str
    blind: bool


@dataclass(slots=True)
class Ballot:
    """A visitor's votes, in the order in which they were cast."""

    votes: list[Vote] = field(default_factory=list)

    def cast(self, prompt: str, targets: Sequence[str], choice: str, *, blind: bool) -> Vote:
        """Add the vote for a column's letter, or for a tie."""
        winner = TIE if choice == TIE else targets[LETTERS.index(choice)]
        vote = Vote(prompt, tuple(targets), winner, blind)
        self.votes.append(vote)
        return vote

    def standing(self) -> list[tuple[str, int, int]]:
        """Each target with how often it won and how often it ran, the best first."""
        ran = Counter(target for vote in self.votes for target in vote.targets)
        won = Counter(vote.winner for vote in self.votes)
        return sorted(((name, won[name], count) for name, count in ran.items()), key=lambda row: -row[1] / row[2])

    def jsonl(self) -> str:
        """One vote a line."""
        return "".join(json.dumps(asdict(vote), ensure_ascii=False) + "\n" for vote in self.votes)


def shuffled(targets: Sequence[str]) -> list[str]:
    """The targets in an order that nobody can guess."""
    return random.SystemRandom().sample(list(targets), len(targets))
