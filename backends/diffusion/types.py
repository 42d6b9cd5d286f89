"""The request for pictures, the progress of one, and the protocol of all picture generators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from backends.errors import NotConfigured
from backends.types import ChatRequest, Event, Health


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """A prompt and what its pictures are like; None is the default of the generator.

    `size` is the width and the height in pixels. The first of `count` pictures has the seed `seed`, the next one
    `seed + 1`: equal seeds make equal pictures. `previews` small pictures of the first one come while it's made.
    """

    prompt: str = field(repr=False)
    count: int = 1
    size: tuple[int, int] | None = None
    steps: int | None = None
    seed: int | None = None
    guidance: float | None = None
    negative_prompt: str = field(default="", repr=False)
    previews: int = 0


@dataclass(frozen=True, slots=True)
class Queued:
    """The request waits, behind `ahead` others that wait too."""

    ahead: int


@dataclass(frozen=True, slots=True)
class Progress:
    """The denoising has done `step` of `steps`; `preview` is a small JPEG."""

    step: int
    steps: int
    preview: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class GeneratedPicture:
    """A picture as the bytes of a PNG; `seed` makes it again, or is None if the server doesn't say."""

    data: bytes = field(repr=False)
    seed: int | None


@dataclass(frozen=True, slots=True)
class Pictures:
    """The end of a stream; `withheld` more pictures were made that the safety checker holds back."""

    pictures: tuple[GeneratedPicture, ...]
    withheld: int = 0


PictureEvent = Queued | Progress | Pictures


class PictureGenerator(ABC):
    """A target of the catalogue that makes pictures, with `task = "draw"`."""

    local = True

    @abstractmethod
    def generate(self, request: PictureRequest) -> AsyncIterator[PictureEvent]:
        """Yield the progress, then exactly one `Pictures`; a failure raises a `BackendError`.

        Closing the iterator ends the denoising at its next step.
        """

    @abstractmethod
    async def check(self) -> Health:
        """Return the model's name; raises a `BackendError` if it doesn't answer."""

    async def aclose(self) -> None:  # noqa: B027 - a client of a server has nothing to free
        """Free what the generator uses."""

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Raise `NotConfigured`: a catalogue can have targets for chat and for pictures."""
        raise NotConfigured("This target makes pictures and doesn't chat.", "Choose another target.")
        yield
