"""The stand-in Hub, and the real client on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from huggingface_hub import HfApi

from publishing.hub import Hub as Ours
from scripts import publish_space
from tests.helpers.servers import serving
from tests.publish.stand_in import TOKEN, Hub


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub()) as running:
        yield running


@pytest.fixture
def publish(hub: Hub) -> Callable[..., int]:
    """`publish_space.py` with these arguments, on the stand-in; what it starts is not tried unless it is asked for."""

    def run(*arguments: str, token: str | None = TOKEN, tried: bool = False) -> int:
        api = HfApi(endpoint=hub.url, token=token or False)
        more = [] if tried else ["--no-try"]
        return publish_space.main([*arguments, *more, "--no-smoke", "--poll", "0.01", "--timeout", "5"], Ours(api))

    return run
