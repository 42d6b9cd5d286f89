"""Runs an image under production restrictions: read-only root file system, no capabilities, limited processes."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

from containers.images import ContainerError

LABEL = "spaceport"
RESTRICTIONS: Mapping[str, Any] = {
    "read_only": True,
    "tmpfs": {"/tmp": "rw,noexec,nosuid,size=256m"},  # noqa: S108 - inside the container
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "pids_limit": 512,
}


@contextlib.contextmanager
def run_container(
    client: Any, image: str, *, port: int = 8080, ready: str = "/ready", timeout: float = 120, **options: Any
) -> Iterator[tuple[Any, str]]:
    """Run `image` until the end of the block; yields the container and its URL once the route `ready` returns 200.

    `options` go to `docker run`. Raises `ContainerError` with the last log line if the container exits, or isn't ready
    within `timeout` seconds.
    """
    container = start(client, image, port=port, **options)
    try:
        url = address(container, port)
        wait_ready(container, f"{url}{ready}", timeout)
        yield container, url
    finally:
        container.remove(force=True, v=True)


def start(client: Any, image: str, *, port: int, environment: Mapping[str, str] | None = None, **options: Any) -> Any:
    """Start a container and publish its port on a free port of the loopback interface."""
    from docker.errors import DockerException

    try:
        return client.containers.run(
            image,
            detach=True,
            ports={f"{port}/tcp": ("127.0.0.1", None)},
            environment=dict(environment or {}),
            labels={LABEL: "check"},
            **RESTRICTIONS | options,
        )
    except DockerException as error:
        raise ContainerError(f"{image} could not be started ({error}).", "Build it first.") from error


def address(container: Any, port: int) -> str:
    """Return the URL of a container's port on this machine."""
    for _ in range(50):
        container.reload()
        if bindings := container.ports.get(f"{port}/tcp"):
            return f"http://127.0.0.1:{bindings[0]['HostPort']}"
        time.sleep(0.1)
    raise ContainerError(
        f"The container exited before its port was open: {last_log_line(container)}", "Fix what its log says."
    )


def wait_ready(container: Any, url: str, timeout: float) -> float:
    """Wait until `url` returns 200; returns the seconds that it took."""
    start = time.monotonic()
    while (elapsed := time.monotonic() - start) < timeout:
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(url, timeout=2).status_code == 200:
                return elapsed
        container.reload()
        if container.status in ("exited", "dead"):
            code = container.attrs["State"]["ExitCode"]
            raise ContainerError(
                f"The container exited with {code}: {last_log_line(container)}", "Fix what its log says."
            )
        time.sleep(0.1)
    raise ContainerError(f"{url} was not ready within {timeout:g} s: {last_log_line(container)}", "Give it more time.")


def last_log_line(container: Any) -> str:
    """Return the last line of a container's log; of a JSON line, its message, error and remedy."""
    lines = container.logs(tail=1).decode("utf-8", "replace").strip().splitlines()
    text = lines[-1] if lines else "its log is empty"
    with contextlib.suppress(ValueError, AttributeError):
        record = json.loads(text)
        what = ": ".join(filter(None, (record.get("message"), record.get("error"))))
        text = " ".join(filter(None, (what, record.get("remedy"))))
    return text
