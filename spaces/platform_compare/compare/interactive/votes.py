"""Votes of one visitor on the answers of a race; blind votes are cast before the names are shown."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

LETTERS = "ABCD"
TIE, BOTH_BAD = "tie", "both bad"
# Of more votes of one visitor, the oldest are dropped.
MAX_VOTES = 1000


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote; `winner` is a target, "tie" or "both bad"."""

    prompt: str
    targets: tuple[str, ...]
    winner: str
    blind: bool


@dataclass(slots=True)
class Ballot:
    """One visitor's votes in the order of casting."""

    votes: list[Vote] = field(default_factory=list)

    def cast(self, prompt: str, targets: Sequence[str], choice: str, *, blind: bool) -> Vote:
        """Add a vote for a column's letter, or for none of them."""
        winner = choice if choice in (TIE, BOTH_BAD) else targets[LETTERS.index(choice)]
        vote = Vote(prompt, tuple(targets), winner, blind)
        self.votes.append(vote)
        del self.votes[:-MAX_VOTES]
        return vote

    def standings(self) -> list[tuple[str, int, int]]:
        """Return each target with its wins and its races, best win rate first."""
        races = Counter(target for vote in self.votes for target in vote.targets)
        wins = Counter(vote.winner for vote in self.votes)
        return sorted(((name, wins[name], count) for name, count in races.items()), key=lambda row: -row[1] / row[2])

    def jsonl(self) -> str:
        """Return the votes as JSON lines."""
        return "".join(json.dumps(asdict(vote), ensure_ascii=False) + "\n" for vote in self.votes)


def shuffle(targets: Sequence[str]) -> list[str]:
    """Return the targets in an unpredictable order."""
    return random.SystemRandom().sample(list(targets), len(targets))
