"""What a request for pictures may ask for; what asks for more is refused before anything is computed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from backends.diffusion.types import PictureRequest
from backends.errors import Rejected

SIDE_FACTOR = 8  # an autoencoder makes 8 × 8 pixels of each place of its input
MIN_SIDE = 64
MAX_GUIDANCE = 50.0
MAX_PREVIEWS = 10
MAX_SEED = 2**53  # what every JSON parser reads exactly


@dataclass(frozen=True, kw_only=True)  # without slots, so that other settings can name its defaults
class PictureLimits:
    """The most of each, for one request; a prompt with one of the `refused_words` is refused."""

    max_pixels: int = 1_100_000
    max_side: int = 1536
    max_steps: int = 100
    max_pictures: int = 4
    max_prompt_characters: int = 2000
    refused_words: tuple[str, ...] = ()


def check_request(request: PictureRequest, limits: PictureLimits) -> None:
    """Raise `Rejected` with status 400 and what to ask for instead."""
    for name, text in (("prompt", request.prompt), ("negative prompt", request.negative_prompt)):
        if len(text) > limits.max_prompt_characters:
            message = f"The {name} has {len(text):,} characters."
            raise Rejected(message, f"Send at most {limits.max_prompt_characters:,}.", status=400)
    if not _visible(request.prompt):
        raise Rejected("The prompt is empty.", "Say what the picture should show.", status=400)
    if has_refused_word(request.prompt, limits.refused_words):
        raise Rejected("The prompt has a word that is refused here.", "Ask in other words.", status=400)
    _check_number("count of pictures", request.count, 1, limits.max_pictures)
    _check_number("number of steps", request.steps, 1, limits.max_steps)
    _check_number("number of previews", request.previews, 0, MAX_PREVIEWS)
    _check_number("seed", request.seed, 0, MAX_SEED)
    _check_number("guidance", request.guidance, 0, MAX_GUIDANCE)
    if request.size:
        _check_size(*request.size, limits)


def has_refused_word(text: str, words: Iterable[str]) -> bool:
    """Return whether a text has one of the words or phrases, in any case, spacing and form of its letters."""
    plain = _plain(text)
    return any(re.search(rf"(?<!\w){re.escape(_plain(word))}(?!\w)", plain) for word in words if _plain(word))


def _check_number(name: str, value: float | None, low: int, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise Rejected(f"The {name} is {_shown(value)}.", f"Ask for {low} to {high:g}.", status=400)


def _shown(value: float) -> str:
    """Return a number as text; a whole number of hundreds of digits is too large for Python's number formats."""
    if abs(value) < 2**63:
        return f"{value:g}"
    return "too large" if value > 0 else "too small"


def _check_size(width: int, height: int, limits: PictureLimits) -> None:
    for side in (width, height):
        if side % SIDE_FACTOR or not MIN_SIDE <= side <= limits.max_side:
            message = f"The size is {width} × {height} pixels."
            remedy = f"Make each side a multiple of {SIDE_FACTOR}, from {MIN_SIDE} to {limits.max_side}."
            raise Rejected(message, remedy, status=400)
    if width * height > limits.max_pixels:
        message = f"The size is {width} × {height}, {width * height:,} pixels."
        raise Rejected(message, f"Ask for at most {limits.max_pixels:,}.", status=400)


def _plain(text: str) -> str:
    """Return a text in lowercase, without accents and invisible characters, with single spaces."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(each for each in letters if unicodedata.category(each) not in ("Mn", "Cf")).split())


def _visible(text: str) -> str:
    return "".join(each for each in text if unicodedata.category(each)[0] not in "ZC")
