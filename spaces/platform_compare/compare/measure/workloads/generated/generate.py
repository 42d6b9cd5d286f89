"""Generates a workload from its settings. Each prompt has its own random numbers, so more prompts change no other."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

from backends import Message
from compare.errors import WorkloadError
from compare.measure.workloads.filler import TASK, TASK_TOKENS, counting_prompt, filler
from compare.measure.workloads.generated.documents import Passages, read_documents
from compare.measure.workloads.generated.lengths import Amount, bounds, draw
from compare.measure.workloads.generated.spec import PassagesSpec, PrefixSpec, WorkloadSpec, read_spec
from compare.measure.workloads.prompt import FollowUp, Prefix, Prompt
from compare.measure.workloads.workload import Workload

# Of all prompts together: about 120 MB of text.
MAX_TOTAL_TOKENS = 20_000_000


def load_generated(path: Path) -> Workload:
    """Generate the workload of a TOML file; a folder of documents in it is relative to the file."""
    return generate(read_spec(path), path.name, path.parent)


def generate(spec: WorkloadSpec, name: str, folder: Path = Path()) -> Workload:
    """Return the workload of these settings, always the same for the same settings and documents."""
    passages = Passages()
    if spec.passages and spec.passages.documents is not None:
        passages = read_documents(folder / spec.passages.documents)
    if (least := spec.prompts * bounds(spec.prompt_tokens)[0]) > MAX_TOTAL_TOKENS:
        raise _too_large(name, spec.prompts, round(spec.prompts * MAX_TOTAL_TOKENS / least))
    left, prompts = MAX_TOTAL_TOKENS, list[Prompt]()
    for number in range(spec.prompts):
        prompts.append(prompt := _Generator(spec, passages, number).prompt())
        left -= _tokens(prompt)
        if left < 0:
            raise _too_large(name, spec.prompts, number)
    return Workload(name, spec.description, tuple(prompts), _settings(spec))


def _settings(spec: WorkloadSpec) -> dict[str, Any]:
    """Return the settings for a run's file, which may be shared: with the name of a folder, without its path."""
    settings = spec.model_dump(exclude_none=True)
    if spec.passages and spec.passages.documents is not None:
        settings["passages"]["documents"] = Path(spec.passages.documents).name
    return settings


def _too_large(name: str, prompts: int, fewer: int) -> WorkloadError:
    return WorkloadError(
        f"{name} has more than {MAX_TOTAL_TOKENS / 1e6:g} million tokens in its {prompts:,} prompts.",
        f"Use fewer different prompts: prompts = {max(1, fewer)}.",
    )


def _tokens(prompt: Prompt) -> int:
    texts = [*(message.text for message in prompt.messages), *(each.text for each in prompt.follow_ups)]
    return sum(len(text) for text in (*texts, prompt.prefix.text if prompt.prefix else "")) // 6


class _Generator:
    """The random numbers and texts of one prompt."""

    def __init__(self, spec: WorkloadSpec, passages: Passages, number: int) -> None:
        self._spec, self._passages, self._number = spec, passages, number
        # Lengths have a source of their own, so that they don't depend on the texts.
        self._lengths = self._source(f"lengths/{number}")
        self._texts = self._source(f"texts/{number}")

    def _source(self, name: str) -> random.Random:
        return random.Random(f"{self._spec.seed}/{name}")  # noqa: S311  # repeatable, not a secret

    def prompt(self) -> Prompt:
        spec, tokens, length = self._spec, self._whole(self._spec.prompt_tokens), self._whole(self._spec.max_tokens)
        text = self._with_passages(tokens, spec.passages) if spec.passages else counting_prompt(tokens, self._texts)
        prefix = self._prefix(spec.prefix) if spec.prefix else None
        return Prompt((Message("user", text),), length, None, tuple(self._follow_ups()), prefix)

    def _whole(self, amount: Amount) -> int:
        return max(1, round(draw(amount, self._lengths)))

    def _with_passages(self, tokens: int, spec: PassagesSpec) -> str:
        left, parts = tokens - TASK_TOKENS, list[str]()
        while left > 0:
            parts.append(f"[{len(parts) + 1}] {self._passages.passage(min(left, spec.tokens), self._texts)}")
            left -= spec.tokens
        return "\n\n".join([TASK, *parts, TASK]) if parts else TASK

    def _prefix(self, spec: PrefixSpec) -> Prefix:
        # Spread evenly, so that any part of the run has nearly this share.
        shares = math.floor((self._number + 1) * spec.share) > math.floor(self._number * spec.share)
        number = 1 + self._lengths.randrange(spec.count) if shares else 0
        return Prefix(number, filler(spec.tokens, self._source(f"prefix/{number}") if number else self._texts))

    def _follow_ups(self) -> list[FollowUp]:
        talk = self._spec.conversation
        if talk is None:
            return []
        return [
            FollowUp(
                counting_prompt(self._whole(talk.message_tokens), self._texts),
                round(draw(talk.think_seconds, self._lengths), 6),
                self._whole(self._spec.max_tokens),
            )
            for _ in range(self._whole(talk.turns) - 1)
        ]
