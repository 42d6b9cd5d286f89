"""Tokens: how the next one is chosen, and how they become the deltas that a reader sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backends.chat.reasoning import OPEN, ThoughtSplitter
from backends.types import Delta


class TokenReader:
    """Tokens in, deltas out: whole characters, up to a stop string, thoughts told apart."""

    def __init__(self, decode: Callable[[list[int]], str], stop: tuple[str, ...], *, thinking: bool = False) -> None:
        self.stopped = False
        self.has_output = False
        self._decode = decode
        self._stop = tuple(filter(None, stop))
        self._split = ThoughtSplitter()
        self._ids: list[int] = []
        self._told = 0  # how many of `_ids` have been given as text
        self._held = ""  # might be the beginning of a stop string
        if thinking:
            self._split.feed(OPEN)

    def read(self, token: int) -> list[Delta]:
        """Give what is certain after one more token."""
        self._ids.append(token)
        # A tokenizer may write a token differently at the beginning, so the last word is decoded along.
        known, text = self._decode(self._ids[: self._told]), self._decode(self._ids)
        if len(text) <= len(known) or text.endswith("\ufffd"):  # half a character, or nothing to see
            return []
        self._ids, self._told = self._ids[self._told :], len(self._ids) - self._told
        return self._deltas(self._until_stop(text[len(known) :]))

    def flush(self) -> list[Delta]:
        """Give what was held back, at the end of the answer."""
        rest = "" if self.stopped else self._decode(self._ids)[len(self._decode(self._ids[: self._told])) :]
        held, self._held = self._held, ""
        return self._deltas("" if self.stopped else held + rest) + self._split.flush()

    def _deltas(self, text: str) -> list[Delta]:
        deltas = self._split.feed(text)
        self.has_output = self.has_output or bool(deltas)
        return deltas

    def _until_stop(self, text: str) -> str:
        """The text before a stop string; what may be the beginning of one is held back."""
        text, self._held = self._held + text, ""
        places = [at for stop in self._stop if (at := text.find(stop)) >= 0]
        if places:
            self.stopped = True
            return text[: min(places)]
        longest = max((_overlap(text, stop) for stop in self._stop), default=0)
        self._held = text[len(text) - longest :]
        return text[: len(text) - longest]


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` begin `stop`."""
    sizes = range(min(len(text), len(stop) - 1), 0, -1)
    return next((size for size in sizes if text.endswith(stop[:size])), 0)


class Streamer:
    """What `generate` calls with each new token; the first call brings the prompt back."""

    def __init__(self, put: Callable[[list[int]], None]) -> None:
        self._put = put
        self._begun = False

    def put(self, value: Any) -> None:
        if self._begun:
            self._put(value.flatten().tolist())
        self._begun = True

    def end(self) -> None:
        """The caller of `generate` knows by itself."""


class Sampler:
    """Chooses each token with a random generator of its own.

    torch's global one is shared by all threads: with it, a seed would repeat nothing while two answers
    are made.
    """

    def __init__(self, temperature: float, top_p: float | None, seed: int | None, *, device: Any) -> None:
        import torch

        self._temperature, self._top_p = temperature, top_p
        self._random = torch.Generator(device)
        if seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(seed)

    def __call__(self, _ids: Any, scores: Any) -> Any:
        """Leave one token possible, drawn from the scores."""
        import torch

        shares = torch.softmax(scores.float() / self._temperature, dim=-1)
        if self._top_p is not None and self._top_p < 1:
            ordered, order = shares.sort(descending=True)
            ordered[ordered.cumsum(-1) - ordered >= self._top_p] = 0.0
            ordered[..., 0] += 1e-9  # top_p = 0 leaves the most likely token
            shares = torch.zeros_like(shares).scatter(-1, order, ordered)
        chosen = torch.multinomial(shares, 1, generator=self._random)
        return torch.full_like(scores, float("-inf")).scatter(-1, chosen, 0.0)
