"""Starts and stops the stack of compose.yaml, and waits until every service is healthy."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.images import FOLDER, ROOT, ContainerError, docker_client
from containers.sandbox import last_log_line

PROJECT = "spaceport"
GENERATED_SECRETS = ("inference_api_key", "grafana_admin_password", "postgres_password")
OPTIONAL_SECRETS = ("hf_token",)  # fill in your own; an empty file means no token
DATABASE_URL = "postgresql://spaceport:{password}@postgres/spaceport"  # the secret gateway_database_url
# Seconds until every service must be healthy; some first download gigabytes of model files.
TIMEOUT, DOWNLOAD_TIMEOUT = 300.0, 3600.0
DOWNLOADING_PROFILES = {"gpu", "ollama", "models", "pictures", "vision"}
# The profiles, and the variables that add a profile's engine to the pages.
ENGINE_VARIABLES = {
    "gpu": {"SPACEPORT_VLLM_URL": "http://vllm:8000/v1"},
    "ollama": {"SPACEPORT_OLLAMA_URL": "http://ollama:11434"},
    "gateway": {},
    "models": {},
    "pictures": {},
    "vision": {},
}
# The files that a profile adds, and the profile that it needs.
PROFILE_FILES = {"models": FOLDER / "compose/models.yaml"}
NEEDED_PROFILES = {"models": "gateway"}
# The services that have a page or an API for clients, and their container port.
PAGE_PORTS = {"chat": 7860, "compare": 7860, "grafana": 3000, "prometheus": 9090, "gateway": 8080, "diffusion": 8081}
PAGE_PORTS["vision"] = 8082
ReportLine = Callable[[str], object]


def up(
    profiles: Sequence[str] = (),
    *,
    report: ReportLine = print,
    services: Sequence[str] = (),
    files: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    project: str = PROJECT,
) -> dict[str, str]:
    """Start the stack, report each service's state as it changes, and return the URL of each page.

    `files` are more compose files, which override ours. Raises `ContainerError` with the name of a service that exits
    or isn't healthy in time.
    """
    make_secrets()
    if unknown := set(profiles) - set(ENGINE_VARIABLES):
        raise ContainerError(f"There is no profile {min(unknown)!r}.", f"There are: {', '.join(ENGINE_VARIABLES)}.")
    profiles = with_needed(profiles)
    engines = {name: url for profile in profiles for name, url in ENGINE_VARIABLES[profile].items()}
    client = docker_client()
    try:
        _compose(["up", "--detach", *services], profiles, files, engines | dict(environment or {}), project)
    except ContainerError as error:  # Compose names a service that others wait for by its container's number
        raise ContainerError(error.message, last_words(client, project, has_failed) or error.remedy) from error
    seconds = DOWNLOAD_TIMEOUT if DOWNLOADING_PROFILES & set(profiles) else TIMEOUT
    pages = wait_healthy(client, project, report, seconds)
    for name, url in pages.items():
        report(f"{name:<12} {url}")
    return pages


def with_needed(profiles: Sequence[str]) -> list[str]:
    """Return the profiles, and those that they need."""
    return sorted({*profiles, *(NEEDED_PROFILES[profile] for profile in profiles if profile in NEEDED_PROFILES)})


def down(
    *,
    volumes: bool = False,
    files: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    project: str = PROJECT,
) -> None:
    """Stop the stack; `volumes` also deletes uploaded documents and recorded metrics."""
    command = ["down", "--remove-orphans", *(["--volumes"] if volumes else [])]
    _compose(command, list(ENGINE_VARIABLES), files, environment, project)


def make_secrets(folder: Path = FOLDER / "secrets") -> None:
    """Create missing secrets, in a folder that only its owner can open, readable for the users inside containers."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in (*GENERATED_SECRETS, *OPTIONAL_SECRETS):
        _make_secret(folder / name, secrets.token_urlsafe(32) if name in GENERATED_SECRETS else "")
    password = (folder / "postgres_password").read_text()
    _make_secret(folder / "gateway_database_url", DATABASE_URL.format(password=password))


def _make_secret(file: Path, text: str) -> None:
    if not file.exists():
        file.write_text(text)
        file.chmod(0o444)


def _compose(
    command: Sequence[str],
    profiles: Sequence[str],
    files: Sequence[Path],
    environment: Mapping[str, str] | None,
    project: str,
) -> None:
    profile_options = [option for profile in profiles for option in ("--profile", profile)]
    added = [PROFILE_FILES[profile] for profile in profiles if profile in PROFILE_FILES]
    file_options = [option for file in (FOLDER / "compose.yaml", *added, *files) for option in ("-f", str(file))]
    compose = subprocess.run(  # noqa: S603
        [*compose_command(), "-p", project, *file_options, *profile_options, *command],
        cwd=ROOT,
        env=os.environ | dict(environment or {}),
        check=False,
    )
    if compose.returncode:
        raise ContainerError(f"Compose exited with {compose.returncode}.", "See its output above.")


def compose_command() -> list[str]:
    """Return the command for Compose: the Docker plugin, or the older docker-compose."""
    if shutil.which("docker"):
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)  # noqa: S607
        if plugin.returncode == 0:
            return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise ContainerError("There is no docker compose here.", "Install docker-compose-plugin.")


def wait_healthy(client: Any, project: str, report: ReportLine, timeout: float) -> dict[str, str]:
    """Wait until every container of the project is healthy; return the URLs of those with a page."""
    deadline = time.monotonic() + timeout
    states: dict[str, str] = {}
    while time.monotonic() < deadline:
        containers = client.containers.list(all=True, filters={"label": f"com.docker.compose.project={project}"})
        for container in containers:
            _update_state(container, states, report)
        if containers and all(state == "healthy" for state in states.values()):
            return {_service(container): url for container in containers if (url := _page_url(container))}
        time.sleep(0.5)
    late = ", ".join(name for name, state in states.items() if state != "healthy")
    words = last_words(client, project, lambda container: _state(container) != "healthy")
    raise ContainerError(f"Not healthy within {timeout:g} s: {late}.", f"{words} Their logs: docker compose logs.")


def last_words(client: Any, project: str, wanted: Callable[[Any], bool]) -> str:
    """Return the last line of the log of each service that is wanted."""
    containers = client.containers.list(all=True, filters={"label": f"com.docker.compose.project={project}"})
    return " ".join(f"{_service(each)} says: {last_log_line(each)}" for each in containers if wanted(each))


def has_failed(container: Any) -> bool:
    """Whether a container has ended or isn't healthy; one that has been started again has ended before."""
    return _state(container) in ("exited", "dead", "unhealthy") or container.attrs["RestartCount"] > 0


def _update_state(container: Any, states: dict[str, str], report: ReportLine) -> None:
    name, state = _service(container), _state(container)
    if state != states.get(name):
        states[name] = state
        report(f"{name:<12} {state}")
    if state in ("exited", "dead"):
        raise ContainerError(f"{name} exited: {last_log_line(container)}", "Fix what its log says, then start again.")


def _service(container: Any) -> str:
    return str(container.labels["com.docker.compose.service"])


def _state(container: Any) -> str:
    state = container.attrs["State"]
    return str(state.get("Health", {}).get("Status") or state["Status"])


def _page_url(container: Any) -> str:
    port = PAGE_PORTS.get(_service(container))
    bindings = container.ports.get(f"{port}/tcp") if port else None
    return f"http://127.0.0.1:{bindings[0]['HostPort']}" if bindings else ""
