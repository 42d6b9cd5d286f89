"""Workloads: built-in prompts of stated lengths, or the user's own prompts from a JSONL file."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backends import ChatRequest, Message
from compare.errors import WorkloadError
from compare.measure.question_entry import check_questions, parse_question
from compare.records import Question

MAX_FILE_BYTES = 20_000_000
# Of a workload with questions, each of which has its passages twice: in the prompt, and for the score.
MAX_QUESTIONS_BYTES = 500_000_000
MAX_PROMPTS = 10_000
REMEDY = 'Put {"prompt": "…"} or {"messages": [{"role": "user", "content": "…"}]} on every line.'

# Common words that are one token each in most vocabularies, so that a number of words is about as many tokens.
_FILLER = """
time year people way day man thing woman life child world school state family student group country problem
hand part place case week company system program question work government number night point home water room
mother area money story fact month lot right study book eye job word business issue side kind head house
service friend father power hour game line end member law car city community name president team minute idea
body information
"""
_WORDS = _FILLER.split()


@dataclass(frozen=True, slots=True)
class Prompt:
    """One conversation to send; `max_tokens=None` leaves the maximum length to the plan.

    The answer to a prompt with a `question` is kept, so that it can be scored.
    """

    messages: tuple[Message, ...]
    max_tokens: int | None = None
    question: Question | None = None

    def request(self, *, nonce: str, max_tokens: int | None, temperature: float) -> ChatRequest:
        """Build the request. The nonce comes first, so that no server can reuse a cached prefix."""
        first, *rest = self.messages
        messages = (replace(first, content=f"[{nonce}] {first.text}"), *rest)
        return ChatRequest(messages, max_tokens=max_tokens or self.max_tokens or 256, temperature=temperature)


@dataclass(frozen=True, slots=True)
class Workload:
    """Prompts with a name; `description` states their lengths."""

    name: str
    description: str
    prompts: tuple[Prompt, ...]

    def prompt(self, index: int) -> Prompt:
        """Return the prompt of request number `index`; prompts repeat in order."""
        return self.prompts[index % len(self.prompts)]

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
            [prompt.max_tokens, *([message.role, message.content] for message in prompt.messages)]
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
    prompts = [Prompt((Message("user", _text(shape, words)),), shape.tokens_out) for _ in range(32)]
    return Workload(name, shape.description, tuple(prompts))


def _text(shape: Shape, words: random.Random) -> str:
    # Every model counts until the length limit, so answers have equal lengths.
    task = "Count upwards from one in words, one number after another, and do not stop."
    filler = " ".join(words.choices(_WORDS, k=max(0, shape.words_in - 30)))
    return f"{task} Pay no attention to these words: {filler}. {task}" if filler else task


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


def find_workload(name: str, max_bytes: int = MAX_FILE_BYTES) -> Workload:
    """Return a built-in workload by its name, or load a file by its path."""
    is_name = name in SHAPES or not (Path(name).suffix or Path(name).is_file())
    return built_in(name) if is_name else load(Path(name), max_bytes)


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
    if "messages" in entry:
        messages = tuple(_message(item) for item in entry["messages"])
    else:
        messages = (_message({"role": "user", "content": entry["prompt"]}),)
    if not messages:
        raise ValueError("no message")
    max_tokens = entry.get("max_tokens")
    if max_tokens is not None and not (type(max_tokens) is int and 1 <= max_tokens <= 32_768):
        raise ValueError(f"max_tokens is {max_tokens!r}")
    return Prompt(messages, max_tokens, parse_question(entry["question"]) if entry.get("question") else None)


def _message(item: dict[str, Any]) -> Message:
    if item["role"] not in ("system", "user", "assistant"):
        raise ValueError(f"role is {item['role']!r}")
    if not isinstance(item["content"], str) or not item["content"].strip():
        raise ValueError("the text is empty or not a string")
    item["content"].encode()  # half a surrogate pair can't be sent
    return Message(item["role"], item["content"])
