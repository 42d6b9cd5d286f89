from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.apps import App, running_app
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import serving


@pytest.fixture(scope="package")
def model() -> Iterator[ScriptedModel]:
    """A server whose behaviour is in the question."""
    with serving(ScriptedModel()) as model:
        yield model


@pytest.fixture(scope="package")
def catalog(model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue with the scripted model under two names and two targets that can't be used."""
    catalog = tmp_path_factory.mktemp("catalog") / "backends.toml"
    catalog.write_text(
        f'[scripted]\nkind = "openai"\nurl = "{model.url}"\n'
        f'[second]\nkind = "openai"\nurl = "{model.url}"\n'
        '[gone]\nkind = "openai"\nurl = "http://127.0.0.1:9/v1"\n'
        '[unset]\nkind = "openai"\nurl = "${SPACEPORT_NOWHERE}"\n'
    )
    return catalog


@pytest.fixture(scope="package")
def app(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The chat page on the scripted model, for all modules that need no other page."""
    with running_app(tmp_path_factory.mktemp("app"), "--catalog", str(catalog), SPACEPORT_ABSENCE_SECONDS="4") as app:
        yield app


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The chat page as `make demo` starts it, with the real embedded model."""
    with running_app(tmp_path_factory.mktemp("demo")) as app:
        yield app
