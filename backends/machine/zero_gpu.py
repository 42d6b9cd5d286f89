"""ZeroGPU, which lends a Space a GPU for the time of a function's call."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from backends.errors import BackendError

logger = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])
ZERO_GPU = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def on_zero_gpu(seconds: Callable[..., int]) -> Callable[[F], F]:
    """On a ZeroGPU Space, run the decorated function in a process with a GPU; elsewhere return it unchanged.

    ZeroGPU must see the function before the app starts, so this decorator runs at import. `seconds` gets the
    function's arguments and returns the GPU time to ask for: a visitor whose remaining quota is smaller is refused.
    """
    # A folder named `spaces` in the working directory is found too, but it isn't a package: it has no origin.
    spec = importlib.util.find_spec("spaces") if ZERO_GPU else None
    if spec is None or spec.origin is None:
        return lambda function: function
    import spaces

    decorate: Callable[[F], F] = spaces.GPU(duration=seconds)
    return decorate


def load_on_zero_gpu(connect: Callable[[str], object], names: Iterable[str]) -> None:
    """On ZeroGPU, load the models of these targets that run in this process; call it while the app is imported.

    Its documentation wants models on cuda then: https://huggingface.co/docs/hub/spaces-zerogpu. What can't be loaded
    is logged, and said to those who choose it.
    """
    for name in names if ZERO_GPU else ():
        try:
            if load := getattr(connect(name), "load", None):
                load()
        except BackendError as error:
            logger.warning("%s: %s", name, error)
