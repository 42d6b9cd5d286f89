"""The app as an attacker reaches it, with secrets around it and with a hostile model and gateway behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.compare.servers import Models
from tests.helpers.apps import ROOT, App, running_app
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import serving
from tests.security.attacks import Failing, hostile_model
from tests.security.wire import Guest, guests

# A secret in every private place; no response may contain it.
CANARY = "canary-5b1f0c"
# A secret in the path of a backend's address, as some gateways require.
IN_PATH, IN_REPEATED_PATH = "account-77e2d0", "account-31c9f4"


@dataclass(frozen=True)
class Served:
    """The app, its working folder, Gradio's upload folder, and the model.

    The data of visitors is in `data`, inside the working folder.
    """

    app: App
    folder: Path
    uploads: Path
    model: ScriptedModel

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return self.app.url

    def files(self) -> set[Path]:
        """Return all files in the folder that Gradio serves."""
        return {path for path in self.uploads.rglob("*") if path.is_file()}


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, uploads = tmp_path_factory.mktemp("cwd"), tmp_path_factory.mktemp("gradio")
    for name in (".env", "notes.txt", "secrets.toml"):
        (folder / name).write_text(f"KEY={CANARY}\n")
    model, gateway = hostile_model(), ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    with serving(model), serving(gateway):
        catalog = folder / "catalog.toml"
        host = f"http://user:{CANARY}@127.0.0.1"
        catalog.write_text(
            f'[scripted]\nkind = "openai"\nurl = "{model.url}"\n'
            f'[broken]\nkind = "openai"\nurl = "{host}:{gateway.server_port}/broken/v1"\n'
            f'[refused]\nkind = "openai"\nurl = "{host}:{gateway.server_port}/v1"\napi_key = "${{SECRET_KEY}}"\n'
            f'[gone]\nkind = "openai"\nurl = "{host}:9/v1?key={CANARY}"\n'
            f'[gone_by_path]\nkind = "openai"\nurl = "http://127.0.0.1:9/{IN_PATH}/v1"\n'
            f'[broken_by_path]\nkind = "openai"\nurl = "http://127.0.0.1:{gateway.server_port}/{IN_REPEATED_PATH}/v1"\n'
        )
        environment = {
            "GRADIO_TEMP_DIR": str(uploads),
            "SPACEPORT_QUESTIONS_A_MINUTE": "0",
            "SPACEPORT_ADDRESS_QUESTIONS_A_MINUTE": "0",
            "SPACEPORT_EVENTS_A_SECOND": "0",
            "SECRET_KEY": CANARY,
            "HF_TOKEN": f"hf_{CANARY}",
        }
        with running_app(folder, "--catalog", str(catalog), cwd=folder, **environment) as app:
            yield Served(app, folder, uploads, model)


@pytest.fixture
def new_guest(served: Served) -> Iterator[Callable[..., Guest]]:
    """Create guests, with a key or ticket of their own if it's given."""
    with guests(served.url) as create:
        yield create


@pytest.fixture
def guest(new_guest: Callable[..., Guest]) -> Guest:
    return new_guest()


@pytest.fixture
def victim(new_guest: Callable[..., Guest]) -> Guest:
    return new_guest()


@dataclass(frozen=True)
class Comparator:
    """The comparator, its targets, and the folder of its temporary files."""

    app: App
    models: Models
    temporary: Path

    def stored(self) -> int:
        """Return the bytes of all files that the page has written."""
        return sum(path.stat().st_size for path in self.temporary.rglob("*") if path.is_file())


@pytest.fixture(scope="package")
def comparator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comparator]:
    folder, temporary = tmp_path_factory.mktemp("compare"), tmp_path_factory.mktemp("tmp")
    environment = {"TMPDIR": str(temporary), "SPACEPORT_QUESTIONS_A_MINUTE": "0", "SPACEPORT_EVENTS_A_SECOND": "0"}
    environment["SPACEPORT_ADDRESS_QUESTIONS_A_MINUTE"] = "0"
    with serving(Models()) as models:
        catalog = models.catalog(folder, "steady", "slow", "endless")
        space = ROOT / "spaces" / "platform_compare" / "app.py"
        with running_app(folder, "--catalog", str(catalog), space=space, **environment) as app:
            yield Comparator(app, models, temporary)


@pytest.fixture
def comparator_guest(comparator: Comparator) -> Iterator[Callable[[str], Guest]]:
    """Create new visitors of the comparator at an address."""
    with guests(comparator.app.url) as create:
        yield lambda address: create(address=address)
