"""The app as strangers reach it: its own port, secrets planted around it, a model and a gateway that mean harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.helpers.apps import App, running_app
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import serving
from tests.security.attacks import Failing, hostile_model
from tests.security.wire import Guest

# Stands in every secret place; nobody may ever be shown it.
CANARY = "canary-5b1f0c"
# The same inside the path of a backend's address, as some gateways want it.
IN_PATH, IN_REPEATED_PATH = "account-77e2d0", "account-31c9f4"


@dataclass(frozen=True)
class Served:
    """The app, the folder that it was started in, the one where Gradio keeps files, and the model it asks.

    What visitors leave lies in `data`, inside the first of these.
    """

    app: App
    folder: Path
    kept: Path
    model: ScriptedModel

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return self.app.url

    def files(self) -> set[Path]:
        """All that lies where Gradio serves files from."""
        return {path for path in self.kept.rglob("*") if path.is_file()}


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, kept = tmp_path_factory.mktemp("cwd"), tmp_path_factory.mktemp("gradio")
    for name in (".env", "notes.txt", "secrets.toml"):
        (folder / name).write_text(f"KEY={CANARY}\n")
    model, gateway = hostile_model(), ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    with serving(model), serving(gateway):
        catalog = folder / "catalog.toml"
        behind = f"http://user:{CANARY}@127.0.0.1"
        catalog.write_text(
            f'[scripted]\nkind = "openai"\nurl = "{model.url}"\n'
            f'[broken]\nkind = "openai"\nurl = "{behind}:{gateway.server_port}/broken/v1"\n'
            f'[refused]\nkind = "openai"\nurl = "{behind}:{gateway.server_port}/v1"\napi_key = "${{SECRET_KEY}}"\n'
            f'[gone]\nkind = "openai"\nurl = "{behind}:9/v1?key={CANARY}"\n'
            f'[gone_by_path]\nkind = "openai"\nurl = "http://127.0.0.1:9/{IN_PATH}/v1"\n'
            f'[broken_by_path]\nkind = "openai"\nurl = "http://127.0.0.1:{gateway.server_port}/{IN_REPEATED_PATH}/v1"\n'
        )
        environment = {
            "GRADIO_TEMP_DIR": str(kept),
            "SPACEPORT_QUESTIONS_A_MINUTE": "0",
            "SECRET_KEY": CANARY,
            "HF_TOKEN": f"hf_{CANARY}",
        }
        with running_app(folder, "--catalog", str(catalog), cwd=folder, **environment) as app:
            yield Served(app, folder, kept, model)


@pytest.fixture
def guest(served: Served) -> Iterator[Guest]:
    yield from _visiting(served)


@pytest.fixture
def victim(served: Served) -> Iterator[Guest]:
    yield from _visiting(served)


def _visiting(served: Served) -> Iterator[Guest]:
    guest = Guest(served.url)
    yield guest
    guest.http.close()
