"""Runs a staged Space in an environment of its own, outside the repository, before anything is sent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local_server import NotStarted, free_port, running_server
from publishing.errors import SpaceFailed, StageError
from publishing.smoke_request import ask
from publishing.staging import dockerfile
from publishing.staging.requirements import HUB_COMMAND
from publishing.staging.stage import StagedSpace

# The variables that a trial inherits: none of them leads to the repository or to an account.
INHERITED_VARIABLES = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "HF_HUB_OFFLINE",
)
START_SECONDS = 120.0


def create_environment(space: StagedSpace, folder: Path, report: Callable[[str], None] = print) -> Path:
    """Create a virtual environment from the Space's requirements.txt and sdk_version; return its Python."""
    python = folder / "bin" / "python"
    if not python.exists():
        report(f"{space.name}: installing its requirements as the Hub would")
        _run([sys.executable, "-m", "venv", str(folder)])
    version = space.front_matter.get("sdk_version")
    sdk = [each.format(version=version) for each in HUB_COMMAND] if space.front_matter["sdk"] == "gradio" else []
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *sdk,
          "-r", str(space.folder / "requirements.txt")])  # fmt: skip
    return python


def try_app(space: StagedSpace, python: Path) -> str:
    """Start the staged app, send its test request and return the answer."""
    with run_app(space, python) as url:
        try:
            return ask(url, space.name, space.question)
        except SpaceFailed as error:  # the log is deleted with the staged files
            end = _end(_log(space).read_text(errors="replace").splitlines())
            raise SpaceFailed(f"{error.message} Its log ends with:{end}", "Nothing was sent.") from None


@contextmanager
def run_app(space: StagedSpace, python: Path, seconds: float = START_SECONDS) -> Iterator[str]:
    """Run the staged app on a free port and yield its address; an error contains the end of the app's log."""
    port = free_port()
    inherited = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    settings = {
        "GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False", "PYTHONUNBUFFERED": "1",
        "STREAMLIT_SERVER_PORT": str(port), "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
    }  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    environment = {**inherited, **settings, **space.variables}
    try:
        with running_server(
            _command(space, python), url, _log(space),
            environment=environment, seconds=seconds, folder=space.folder, is_ready=bool,
        ):  # fmt: skip
            yield url
    except NotStarted as error:
        message = f"{space.name} does not start outside the repository:{_end(error.lines)}"
        raise StageError(message, "Nothing was sent.") from error


def _log(space: StagedSpace) -> Path:
    return space.folder.parent / f"{space.name}.log"


def _end(lines: Sequence[str], count: int = 15) -> str:
    return "".join(f"\n  {line}" for line in lines[-count:])


def _command(space: StagedSpace, python: Path) -> list[str]:
    """Return the start command of the Hub; a Docker Space's CMD runs with the programs of this environment."""
    if space.front_matter["sdk"] != "docker":
        return [str(python), str(space.front_matter.get("app_file", "app.py"))]
    program, *rest = dockerfile.parse(space.files["Dockerfile"].read_text(encoding="utf-8")).command
    return [str(python.parent / program), *rest]


def _run(command: list[str]) -> None:
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        message = f"The Space's requirements can't be installed:{_end(process.stderr.splitlines(), 8)}"
        raise StageError(message, "Fix requirements.txt or the lock.")
