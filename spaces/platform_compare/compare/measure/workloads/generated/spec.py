"""The settings of a generated workload: the schema of its TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from compare.errors import WorkloadError
from compare.measure.workloads.generated.lengths import KINDS, Amount, amount_text, bounds
from compare.measure.workloads.workload import MAX_LENGTH, MAX_PROMPTS, MAX_THINK_SECONDS

MAX_TOKENS, MAX_TURNS, MAX_FILE_BYTES = 200_000, 100, 100_000
EXAMPLE = "prompt_tokens = 1000\nmax_tokens = 128"
REMEDY = "docs/compare.md lists what a workload file can have."


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PrefixSpec(_Table):
    """A prefix of so many tokens before each prompt. The `share` of prompts has one of `count` common ones, the others
    have their own.
    """

    tokens: Annotated[int, Field(ge=1, le=MAX_TOKENS)]
    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    count: Annotated[int, Field(ge=1, le=MAX_PROMPTS)] = 1


class PassagesSpec(_Table):
    """Passages of so many tokens that make up a prompt, from the text files of a folder or from generated text."""

    tokens: Annotated[int, Field(ge=10, le=MAX_TOKENS)] = 300
    documents: str | None = None


class ConversationSpec(_Table):
    """Conversations: turns, the tokens of each message after the first one, and the seconds before it is sent."""

    turns: Amount
    message_tokens: Amount = 32
    think_seconds: Amount = 0


class WorkloadSpec(_Table):
    """A workload: so many different prompts, their tokens without the prefix, and the most tokens of an answer."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    prompts: Annotated[int, Field(ge=1, le=MAX_PROMPTS)] = 100
    prompt_tokens: Amount
    max_tokens: Amount = 128
    prefix: PrefixSpec | None = None
    passages: PassagesSpec | None = None
    conversation: ConversationSpec | None = None

    @model_validator(mode="after")
    def _check(self) -> WorkloadSpec:
        for name, amount, least, most in self._amounts():
            low, high = bounds(amount)
            if low < least or high > most:
                raise ValueError(
                    f"{name} is {low:g}, less than {least}" if low < least else f"{name} is above {most:,}"
                )
        return self

    def _amounts(self) -> Iterator[tuple[str, Amount, int, int]]:
        yield "prompt_tokens", self.prompt_tokens, 1, MAX_TOKENS
        yield "max_tokens", self.max_tokens, 1, MAX_LENGTH
        if self.conversation:
            yield "conversation.turns", self.conversation.turns, 1, MAX_TURNS
            yield "conversation.message_tokens", self.conversation.message_tokens, 1, MAX_TOKENS
            yield "conversation.think_seconds", self.conversation.think_seconds, 0, MAX_THINK_SECONDS

    @property
    def description(self) -> str:
        """What the prompts are like, in words."""
        parts = [f"{self.prompts:,} generated prompts of about {amount_text(self.prompt_tokens, 'tokens')}"]
        if self.passages:
            parts.append(f"passages of about {self.passages.tokens:,} tokens")
        if prefix := self.prefix:
            parts.append(f"a prefix of about {prefix.tokens:,} tokens, which {prefix.share:.0%} share")
        if talk := self.conversation:
            thinking = amount_text(talk.think_seconds, "s")
            parts.append(f"conversations of {amount_text(talk.turns, 'turns')} with {thinking} to think")
        parts.append(f"answers of at most {amount_text(self.max_tokens, 'tokens')}")
        return "; ".join(parts)


def read_spec(path: Path) -> WorkloadSpec:
    """Read the settings from a TOML file; `WorkloadError` names what can't be used."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise WorkloadError(f"{path.name} is larger than {MAX_FILE_BYTES / 1000:g} kB.", REMEDY)
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise WorkloadError(f"Can't read {path.name} ({error.strerror}).", "Check the path.") from error
    except (ValueError, RecursionError) as error:  # also of text that isn't UTF-8
        raise WorkloadError(f"{path.name} isn't TOML ({error}).", f"Write it like this:\n{EXAMPLE}") from error
    return make_spec(content, path.name)


def make_spec(content: dict[str, Any], name: str) -> WorkloadSpec:
    """Return settings; `WorkloadError` names the first that can't be used, and `name` where they come from."""
    try:
        return WorkloadSpec.model_validate(content)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False)[0]
        raise WorkloadError(f"{name}: {_problem_text(problem)}", REMEDY) from None


def _problem_text(problem: Any) -> str:
    """Return a problem in words, with the path of its key in the file."""
    key = ".".join(str(part) for part in problem["loc"] if part not in KINDS)
    match problem["type"]:
        case "missing":
            return f"{key} is missing."
        case "union_tag_invalid":
            return f"{key} isn't a number and has no distribution uniform or lognormal."
        case "extra_forbidden":
            return f"there is no setting {key}."
        case "value_error":
            return f"{f'{key}: ' if key else ''}{problem['msg'].removeprefix('Value error, ')}."
        case _:
            return f"{key} is {problem['input']!r:.60} ({problem['msg']})."
