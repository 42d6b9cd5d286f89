"""A page behind a prefix is as closed as one at the root of its host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.apps import App, running_app
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import serving
from tests.security.wire import Guest, fetch

PREFIX = "/chat"
UPLOADS = "uploads"
COMPARATOR = Path(__file__).parents[3] / "spaces" / "platform_compare" / "app.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prefix")


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[App]:
    catalog = folder / "catalog.toml"
    with serving(ScriptedModel()) as model:
        catalog.write_text(f'[scripted]\nkind = "openai"\nurl = "{model.url}"\n')
        environment = {"GRADIO_ROOT_PATH": PREFIX, "GRADIO_TEMP_DIR": str(folder / UPLOADS)}
        with running_app(folder, "--catalog", str(catalog), **environment) as app:
            yield app


SPELLINGS = [
    "{}/gradio_api/deep_link",
    "{}/gradio_api/deep_link/",
    "{}/gradio_api/%64eep_link",
    "{}{}/gradio_api/deep_link",
    "{}/./gradio_api/deep_link",
    "/x/..{}/gradio_api/deep_link",
    "/gradio_api/deep_link",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_prefix_opens_the_route_that_saves_a_page(app: App, folder: Path, spelling: str) -> None:
    """Behind GRADIO_ROOT_PATH the router removes the prefix, so both spellings of a path reach a route."""
    guest = Guest(app.url)
    guest.ask("What is the vault code of the lighthouse?")
    guest.http.close()
    status, _ = fetch(app.url, f"{spelling.replace('{}', PREFIX)}?session_hash={guest.session}")
    assert status == 404
    assert not list((folder / UPLOADS).rglob("state.json"))


@pytest.mark.parametrize("prefix", ["", PREFIX])
def test_a_saved_page_is_not_served_even_if_there_is_one(app: App, folder: Path, prefix: str) -> None:
    saved = folder / UPLOADS / "deep_links" / "a" / "state.json"
    saved.parent.mkdir(parents=True, exist_ok=True)
    saved.write_text('{"secret": "canary"}')
    try:
        status, body = fetch(app.url, f"{prefix}/gradio_api/file={saved}")
    finally:
        saved.unlink()
    assert status == 403
    assert b"canary" not in body


@pytest.mark.parametrize("prefix", ["", PREFIX])
def test_the_page_works_behind_a_prefix(app: App, prefix: str) -> None:
    for path in ("/", "/config", "/gradio_api/info", "/theme.css"):
        assert fetch(app.url, prefix + path)[0] == 200, path
    for path in ("/gradio_api/token", "/gradio_api/runs", "/monitoring", "/gradio_api/vibe-code"):
        assert fetch(app.url, prefix + path)[0] == 404, path


def test_the_comparator_is_closed_behind_a_prefix(tmp_path: Path) -> None:
    with running_app(tmp_path, space=COMPARATOR, GRADIO_ROOT_PATH=PREFIX) as app:
        for prefix in ("", PREFIX):
            assert fetch(app.url, f"{prefix}/config")[0] == 200
            assert fetch(app.url, f"{prefix}/gradio_api/deep_link?session_hash=x")[0] == 404
