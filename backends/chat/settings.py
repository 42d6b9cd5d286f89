"""The settings that every backend kind whose server speaks the OpenAI chat format shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast, get_args

from backends.chat.parameters import MAX_TOKENS, Parameters
from backends.chat.thoughts.reasoning import Reasoning
from backends.errors import NotConfigured
from backends.http.settings import HttpSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings(HttpSettings):
    """`max_tokens_field` and `drop` rename and leave out parameters; what a server refuses is also learned from it.

    `reasoning` says how thoughts are marked: see `backends.chat.thoughts.reasoning`.
    """

    max_tokens_field: str = MAX_TOKENS
    drop: list[str] = field(default_factory=list)
    reasoning: str = "auto"

    def __post_init__(self) -> None:
        if self.reasoning not in get_args(Reasoning):
            raise NotConfigured(f"reasoning is {self.reasoning!r}.", f"Use one of: {', '.join(get_args(Reasoning))}.")

    @property
    def parameters(self) -> Parameters:
        """New parameters, which learn from this target's server alone."""
        return Parameters(self.max_tokens_field, self.drop)

    @property
    def marks(self) -> Reasoning:
        """How thoughts are marked."""
        return cast(Reasoning, self.reasoning)
