"""Samples the next token, and turns tokens into deltas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backends.chat.thoughts.reasoning import ThoughtSplitter
from backends.types import Delta


class TokenReader:
    """Tokens in, deltas out: whole characters, up to a stop string, thoughts separate from the answer."""

    def __init__(self, decode: Callable[[list[int]], str], stop: tuple[str, ...], *, in_thought: bool = False) -> None:
        self.at_stop = False
        self.has_output = False
        self._decode = decode
        self._stop = tuple(filter(None, stop))
        self._splitter = ThoughtSplitter("opened" if in_thought else "auto")
        self._ids: list[int] = []
        self._emitted = 0  # the number of `_ids` whose text was returned
        self._pending = ""  # may be the beginning of a stop string

    def read(self, token: int) -> list[Delta]:
        """Return the text that is certain after one more token."""
        self._ids.append(token)
        # A tokenizer may decode a token differently at the beginning, so the previous tokens are decoded with it.
        before, text = self._decode(self._ids[: self._emitted]), self._decode(self._ids)
        if len(text) <= len(before) or text.endswith("\ufffd"):  # no text, or half a character
            return []
        self._ids, self._emitted = self._ids[self._emitted :], len(self._ids) - self._emitted
        return self._deltas(self._until_stop(text[len(before) :]))

    def flush(self) -> list[Delta]:
        """Return the text held back, at the end of the answer."""
        if self.at_stop:
            text = ""
        else:
            text = self._pending + self._decode(self._ids)[len(self._decode(self._ids[: self._emitted])) :]
        self._pending = ""
        return self._deltas(text) + self._splitter.flush()

    def _deltas(self, text: str) -> list[Delta]:
        deltas = self._splitter.feed(text)
        self.has_output = self.has_output or bool(deltas)
        return deltas

    def _until_stop(self, text: str) -> str:
        """The text before a stop string; the possible beginning of one is held back."""
        text, self._pending = self._pending + text, ""
        positions = [at for stop in self._stop if (at := text.find(stop)) >= 0]
        if positions:
            self.at_stop = True
            return text[: min(positions)]
        longest = max((_overlap(text, stop) for stop in self._stop), default=0)
        self._pending = text[len(text) - longest :]
        return text[: len(text) - longest]


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that begins `stop`."""
    sizes = range(min(len(text), len(stop) - 1), 0, -1)
    return next((size for size in sizes if text.endswith(stop[:size])), 0)


class Streamer:
    """The `streamer` argument of transformers' `generate`: passes on each new token, but not the prompt."""

    def __init__(self, put: Callable[[list[int]], None]) -> None:
        self._put = put
        self._after_prompt = False

    def put(self, value: Any) -> None:
        if self._after_prompt:
            self._put(value.flatten().tolist())
        self._after_prompt = True

    def end(self) -> None:
        """Do nothing: `generate` returns at the end."""


class Sampler:
    """Samples each token with its own random generator.

    All threads share torch's global generator, so with it a seed would not repeat an answer while another one is
    generated.
    """

    def __init__(self, temperature: float, top_p: float | None, seed: int | None, *, device: Any) -> None:
        import torch

        self._temperature, self._top_p = temperature, top_p
        self._generator = torch.Generator(device)
        if seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(seed)

    def __call__(self, _ids: Any, scores: Any) -> Any:
        """Sample one token, and make it the only possible one."""
        import torch

        probabilities = torch.softmax(scores.float() / self._temperature, dim=-1)
        if self._top_p is not None and self._top_p < 1:
            ordered, order = probabilities.sort(descending=True)
            ordered[ordered.cumsum(-1) - ordered >= self._top_p] = 0.0
            ordered[..., 0] += 1e-9  # with top_p = 0 the most likely token remains
            probabilities = torch.zeros_like(probabilities).scatter(-1, order, ordered)
        token = torch.multinomial(probabilities, 1, generator=self._generator)
        return torch.full_like(scores, float("-inf")).scatter(-1, token, 0.0)
