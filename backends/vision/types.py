"""The labels that a classifier of pictures returns, and the protocol of all classifiers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from backends.errors import NotConfigured
from backends.types import ChatRequest, Event, Health


@dataclass(frozen=True, slots=True)
class Label:
    """What a picture shows, and how likely that is, from 0 to 1."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Classification:
    """The likeliest labels of a picture, best first.

    `heat_map` is a PNG of the picture in which the parts are marked that decided for the first label.
    """

    labels: tuple[Label, ...]
    heat_map: bytes | None = field(default=None, repr=False)


LABELS = 5  # that a picture gets, unless its caller asks for another number


class Classifier(ABC):
    """A target of the catalogue that classifies pictures, with `task = "classify"`."""

    local = True

    @abstractmethod
    async def classify(self, picture: bytes, *, top: int = LABELS, explain: bool = False) -> Classification:
        """Return the `top` labels of a picture, the bytes of its file; `explain` asks for the heat map."""

    @abstractmethod
    async def check(self) -> Health:
        """Return the model's name; raises a `BackendError` if it doesn't answer."""

    async def aclose(self) -> None:  # noqa: B027 - a client of a server has nothing to free
        """Free what the classifier uses."""

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Raise `NotConfigured`: a catalogue can have targets for chat and for pictures."""
        raise NotConfigured("This target classifies pictures and doesn't chat.", "Choose another target.")
        yield
