"""Starts the stack of compose.yaml and waits until all of it is healthy, or says what is not."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.images import FOLDER, ROOT, ContainerError, engine
from containers.running import last_words

PROJECT = "spaceport"
SECRETS = ("inference_api_key", "grafana_admin_password")
GIVEN = ("hf_token",)  # yours to fill in; an empty file is no token
# Seconds until all must be healthy; with a profile an engine first downloads its model, gigabytes of it.
PATIENCE, LONGER = 300.0, 3600.0
# What tells the pages of an engine that a profile adds.
ENGINES = {
    "gpu": {"SPACEPORT_VLLM_URL": "http://vllm:8000/v1"},
    "ollama": {"SPACEPORT_OLLAMA_URL": "http://ollama:11434"},
}
Say = Callable[[str], object]
# A service's page, and the port inside that leads to it.
PAGES = {"chat": 7860, "compare": 7860, "grafana": 3000, "prometheus": 9090}


def up(
    profiles: Sequence[str] = (),
    *,
    say: Say = print,
    services: Sequence[str] = (),
    files: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    project: str = PROJECT,
) -> dict[str, str]:
    """Start it, say what becomes healthy as it does, and give the URL of each page.

    `files` are compose files laid over ours. `ContainerError` names the service that ended or was not healthy in time.
    """
    make_secrets()
    if unknown := set(profiles) - set(ENGINES):
        raise ContainerError(f"There is no profile {min(unknown)!r}.", f"There are: {', '.join(ENGINES)}.")
    told = {name: url for profile in profiles for name, url in ENGINES[profile].items()} | dict(environment or {})
    _compose(["up", "--detach", *services], profiles, files, told, project)
    pages = _wait(engine(), project, say, LONGER if profiles else PATIENCE)
    for name, url in pages.items():
        say(f"{name:<12} {url}")
    return pages


def down(
    *,
    volumes: bool = False,
    files: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    project: str = PROJECT,
) -> None:
    """Stop it; `volumes` deletes what was uploaded and measured too."""
    options = ["down", "--remove-orphans", *(["--volumes"] if volumes else [])]
    _compose(options, list(ENGINES), files, environment, project)


def make_secrets(folder: Path = FOLDER / "secrets") -> None:
    """Make the secrets that are not there: in a folder closed to others, readable for the users inside containers."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in (*SECRETS, *GIVEN):
        file = folder / name
        if not file.exists():
            file.write_text(secrets.token_urlsafe(32) if name in SECRETS else "")
            file.chmod(0o444)


def _compose(
    command: Sequence[str],
    profiles: Sequence[str],
    files: Sequence[Path],
    environment: Mapping[str, str] | None,
    project: str,
) -> None:
    chosen = [option for profile in profiles for option in ("--profile", profile)]
    named = [option for file in (FOLDER / "compose.yaml", *files) for option in ("-f", str(file))]
    done = subprocess.run(  # noqa: S603
        [*program(), "-p", project, *named, *chosen, *command],
        cwd=ROOT,
        env=os.environ | dict(environment or {}),
        check=False,
    )
    if done.returncode:
        raise ContainerError(f"Compose ended with {done.returncode}.", "Its lines above say why.")


def program() -> list[str]:
    """The command of compose: the engine's own, or the older program."""
    if shutil.which("docker"):
        asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)  # noqa: S607
        if asked.returncode == 0:
            return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise ContainerError("There is no docker compose here.", "Install the plugin docker-compose-plugin.")


def _wait(client: Any, project: str, say: Say, patience: float) -> dict[str, str]:
    """Follow the containers until each is healthy; the URLs of those with a page."""
    until = time.monotonic() + patience
    seen: dict[str, str] = {}
    while time.monotonic() < until:
        found = client.containers.list(all=True, filters={"label": f"com.docker.compose.project={project}"})
        for container in found:
            _follow(container, seen, say)
        if found and all(state == "healthy" for state in seen.values()):
            return {name: url for container in found if (url := _page(container)) for name in [_service(container)]}
        time.sleep(0.5)
    late = ", ".join(name for name, state in seen.items() if state != "healthy")
    raise ContainerError(f"Not healthy within {patience:g} s: {late}.", "See their logs: docker compose logs.")


def _follow(container: Any, seen: dict[str, str], say: Say) -> None:
    name, state = _service(container), _state(container)
    if state != seen.get(name):
        seen[name] = state
        say(f"{name:<12} {state}")
    if state in ("exited", "dead"):
        raise ContainerError(f"{name} ended: {last_words(container)}", "Mend what it says, then start again.")


def _service(container: Any) -> str:
    return str(container.labels["com.docker.compose.service"])


def _state(container: Any) -> str:
    state = container.attrs["State"]
    return str(state.get("Health", {}).get("Status") or state["Status"])


def _page(container: Any) -> str:
    port = PAGES.get(_service(container))
    bound = container.ports.get(f"{port}/tcp") if port else None
    return f"http://127.0.0.1:{bound[0]['HostPort']}" if bound else ""
