"""Fixtures: a fake Hub on a real socket, and `publish_space.py` with the real client on it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from backends.hub.client import Hub as HubClient
from rag import __main__ as rag
from scripts import publish_space
from tests.helpers.servers import serving
from tests.publish.fake_hub import TOKEN, Hub
from tests.publish.handbook import handbook_command, limit_sizes


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


@pytest.fixture
def small_limits(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    limit_sizes(hub, monkeypatch)


@pytest.fixture(scope="session")
def built_handbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a handbook of one document and its library, which takes a second to build."""
    place = tmp_path_factory.mktemp("built")
    (place / "handbook").mkdir()
    text = "# Seabirds\n\n## Gannets\n\nThe gannet dives from thirty metres.\n" * 3
    (place / "handbook" / "birds.md").write_text(text)
    assert rag.main(["build", str(place / "handbook"), "--out", str(place / "library")]) == 0
    return place


@pytest.fixture
def folder(built_handbook: Path, tmp_path: Path) -> Path:
    """A handbook of one document."""
    return shutil.copytree(built_handbook / "handbook", tmp_path / "handbook")


@pytest.fixture
def library(built_handbook: Path, tmp_path: Path) -> Path:
    """The handbook's library."""
    return shutil.copytree(built_handbook / "library", tmp_path / "library")


@pytest.fixture
def command(publish: Callable[..., int], library: Path) -> Callable[..., int]:
    return handbook_command(publish, library)
