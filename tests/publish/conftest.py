"""Fixtures: a fake Hub on a real socket, and `publish_space.py` with the real client on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from huggingface_hub import HfApi

from publishing.hub.client import Hub as HubClient
from scripts import publish_space
from tests.helpers.servers import serving
from tests.publish.fake_hub import TOKEN, Hub


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub()) as server:
        yield server


@pytest.fixture
def publish(hub: Hub) -> Callable[..., int]:
    """Run `publish_space.py` with these arguments on the fake Hub, without a smoke test; `trial` starts the app."""
    return publisher(hub)


def publisher(hub: Hub) -> Callable[..., int]:
    def run(*arguments: str, token: str | None = TOKEN, trial: bool = False) -> int:
        options = ["--no-smoke", "--poll", "0.01", "--timeout", "5", *([] if trial else ["--no-try"])]
        return publish_space.main([*options, *arguments], client(hub, token))

    return run


def client(hub: Hub, token: str | None = TOKEN) -> HubClient:
    """Return the publisher's client of the fake Hub."""
    return HubClient(HfApi(endpoint=hub.url, token=token or False))
