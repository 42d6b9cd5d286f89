"""Words of a race: the states and figures of its columns, and the votes."""

from __future__ import annotations

from collections.abc import Sequence

THOUGHTS = "Thoughts"
STATES = {
    "loading": "loading the model",
    "waiting": "waiting for the first token",
    "thinking": "thinking",
    "answering": "answering",
    "done": "done",
    "stopped": "stopped",
    "failed": "failed",
}
LENGTH_LIMIT = "stopped at the length limit"
NO_ANSWER = "No answer."
HIDDEN_UNTIL_DONE = "All answers appear together when the last one is complete."
LOAD = "model load"
TTFT = "first token"
RATE = "tokens/s"
END_TO_END = "end to end"
TOKENS = "tokens"
COST = "cost"


def answer_label(letter: str) -> str:
    """Return the name of a column whose target is hidden."""
    return f"Answer {letter}"


def token_counts_text(input_tokens: int, output_tokens: int) -> str:
    return f"{input_tokens:,} in, {output_tokens:,} out"


def standings_text(rows: Sequence[tuple[str, int, int]]) -> str:
    """Return how many races each target won."""
    return "Your votes: " + " · ".join(f"{name} {wins} of {races}" for name, wins, races in rows)
