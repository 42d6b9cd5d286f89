"""Workloads: built-in prompts of stated lengths, or the user's own prompts from a JSONL file."""

from __future__ import annotations

import hashlib
import json
import random
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate, cycle, takewhile
from pathlib import Path
from typing import Any

from backends import Message
from compare.errors import WorkloadError
from compare.measure.workloads.filler import counting_prompt
from compare.measure.workloads.prompt import FollowUp, Prompt, as_text
from compare.measure.workloads.question_entry import check_questions, parse_question
from compare.runs.records import Question

MAX_FILE_BYTES = 20_000_000
# Of a workload with questions, each of which has its passages twice: in the prompt, and for the score.
MAX_QUESTIONS_BYTES = 500_000_000
MAX_PROMPTS = 10_000
MAX_LENGTH, MAX_THINK_SECONDS = 32_768, 600  # of an answer in tokens, and between two turns
REMEDY = 'Put {"prompt": "…"} or {"messages": [{"role": "user", "content": "…"}]} on every line.'


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a workload: a turn (from 0) of a conversation, whose prompt has this place in the workload."""

    place: int
    prompt: Prompt
    turn: int
    conversation: int

    @property
    def think_seconds(self) -> float:
        """How long the user thinks before this message."""
        return self.prompt.follow_ups[self.turn - 1].think_seconds if self.turn else 0.0


@dataclass(frozen=True, slots=True)
class Workload:
    """Prompts with a name; `description` states their lengths. `settings` are those that generated them.

    Requests are numbered: those of the first prompt's turns, then those of the second, and so on. Prompts repeat in
    order.
    """

    name: str
    description: str
    prompts: tuple[Prompt, ...]
    settings: Mapping[str, Any] | None = None
    starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", tuple(accumulate((each.turns for each in self.prompts), initial=0)))

    def step(self, number: int) -> Step:
        """Return what request `number` is."""
        rounds, number = divmod(number, self.starts[-1])
        place = bisect_right(self.starts, number) - 1
        return Step(place, self.prompts[place], number - self.starts[place], rounds * len(self.prompts) + place)

    def conversations(self, first: int, size: int) -> Iterator[range]:
        """Yield the numbers of requests that belong together, from `first` on."""
        end = first + size
        while first < end:
            step = self.step(first)
            last = min(end, first + step.prompt.turns - step.turn)
            yield range(first, last)
            first = last

    def turns(self, requests: int) -> tuple[int, ...]:
        """Return the lengths of as many conversations as have that many requests; () without conversations."""
        if not self.has_conversations:
            return ()
        lengths = accumulate(cycle(prompt.turns for prompt in self.prompts), initial=0)
        ends = [0, *takewhile(lambda before: before < requests, lengths)][1:]
        return tuple(self.prompts[place % len(self.prompts)].turns for place in range(len(ends)))

    @property
    def has_conversations(self) -> bool:
        """Whether a prompt has more than one turn."""
        return self.starts[-1] > len(self.prompts)

    @property
    def questions(self) -> list[Question]:
        """The questions of the prompts; empty if they have none."""
        return [prompt.question for prompt in self.prompts if prompt.question]

    def without_questions(self) -> Workload:
        """Return the same prompts, whose answers aren't kept."""
        return replace(self, prompts=tuple(replace(prompt, question=None) for prompt in self.prompts))

    @property
    def hash(self) -> str:
        """A hash of the prompts, independent of the name: equal hashes mean equal workloads."""
        content = [
            [
                prompt.max_tokens,
                *([message.role, message.content] for message in prompt.messages),
                *([each.text, each.think_seconds, each.max_tokens] for each in prompt.follow_ups),
                *([[prompt.prefix.number, prompt.prefix.text]] if prompt.prefix else []),
            ]
            for prompt in self.prompts
        ]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Shape:
    """A built-in workload: about how many tokens go in, and at most how many come out."""

    words_in: int
    tokens_out: int
    use: str

    @property
    def label(self) -> str:
        """The label in a list of workloads."""
        return f"{self.use}: {self.words_in:,} in, {self.tokens_out:,} out"

    @property
    def description(self) -> str:
        return f"{self.use}: about {self.words_in:,} tokens in, at most {self.tokens_out:,} out"


SHAPES = {
    "short": Shape(32, 32, "Short question"),
    "chat": Shape(128, 128, "Chat turn"),
    "rag": Shape(1024, 128, "Question about passages"),
    "long": Shape(64, 512, "Long answer"),
}
DEFAULT_WORKLOAD = "short"


def built_in(name: str) -> Workload:
    """Return a built-in workload; its prompts are always the same."""
    if name not in SHAPES:
        raise WorkloadError(f"There is no workload {name!r}.", f"Use {', '.join(SHAPES)}, or the path of a JSONL file.")
    shape = SHAPES[name]
    words = random.Random(name)  # noqa: S311  # the same text each time, not a secret
    prompts = [Prompt((Message("user", counting_prompt(shape.words_in, words)),), shape.tokens_out) for _ in range(32)]
    return Workload(name, shape.description, tuple(prompts))


def load(path: Path, max_bytes: int = MAX_FILE_BYTES) -> Workload:
    """Read prompts from a JSONL file; `WorkloadError` names the first bad line."""
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise WorkloadError(
                f"{path.name} has {size / 1e6:,.0f} MB.",
                f"A workload can have up to {max_bytes / 1e6:g} MB. Use a sample.",
            )
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise WorkloadError(f"Can't read {path.name} ({error.strerror}).", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise WorkloadError(f"{path.name} isn't UTF-8 text.", "Save it as UTF-8.") from error
    prompts = tuple(_parse(path.name, text))
    if not prompts:
        raise WorkloadError(f"{path.name} contains no prompts.", REMEDY)
    check_questions(path.name, [prompt.question for prompt in prompts])
    return Workload(path.name, f"{len(prompts):,} prompts of {path.name}", prompts)


def _parse(file: str, text: str) -> Iterator[Prompt]:
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if len(lines) > MAX_PROMPTS:
        raise WorkloadError(f"{file} has {len(lines):,} prompts.", f"Use at most {MAX_PROMPTS:,}.")
    for number, line in lines:
        try:
            yield _prompt(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise WorkloadError(f"Line {number} of {file} isn't a prompt ({error}).", REMEDY) from error


def _prompt(entry: Any) -> Prompt:
    messages, follow_ups = _messages(entry), tuple(_follow_up(item) for item in entry.get("turns", ())[1:])
    if not messages:
        raise ValueError("no message")
    if follow_ups and entry.get("question"):
        raise ValueError("a question has one turn")
    question = parse_question(entry["question"]) if entry.get("question") else None
    return Prompt(messages, _length(entry), question, follow_ups)


def _messages(entry: dict[str, Any]) -> tuple[Message, ...]:
    given = [name for name in ("prompt", "messages", "turns") if name in entry]
    if len(given) > 1:
        raise ValueError(f"it has both {given[0]} and {given[1]}")
    if "messages" in entry:
        return tuple(_message(item) for item in entry["messages"])
    first = _turn(entry["turns"][0])["text"] if entry.get("turns") else entry["prompt"]
    return (_message({"role": "user", "content": first}),)


def _turn(item: Any) -> dict[str, Any]:
    """Return a turn as an object: it can be a text alone."""
    return {"text": item} if isinstance(item, str) else dict(item)


def _follow_up(item: Any) -> FollowUp:
    turn = _turn(item)
    seconds = turn.get("think_seconds", 0)
    if type(seconds) not in (int, float) or not 0 <= seconds <= MAX_THINK_SECONDS:
        raise ValueError(f"think_seconds is {seconds!r}")
    return FollowUp(as_text(turn["text"]), float(seconds), _length(turn))


def _length(entry: dict[str, Any]) -> int | None:
    max_tokens = entry.get("max_tokens")
    if max_tokens is not None and not (type(max_tokens) is int and 1 <= max_tokens <= MAX_LENGTH):
        raise ValueError(f"max_tokens is {max_tokens!r}")
    return max_tokens


def _message(item: dict[str, Any]) -> Message:
    if item["role"] not in ("system", "user", "assistant"):
        raise ValueError(f"role is {item['role']!r}")
    return Message(item["role"], as_text(item["content"]))
